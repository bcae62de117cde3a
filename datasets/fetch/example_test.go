package fetch_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"flowmatch/datasets/fetch"
)

// The first address serves an error page with status 200, the second the file.
func ExampleFile() {
	bad := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>hello?") }))
	defer bad.Close()
	good := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello, world") }))
	defer good.Close()
	dir, err := os.MkdirTemp("", "fetch")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)

	path := filepath.Join(dir, "hello.txt")
	err = fetch.File(context.Background(), path, fetch.Wanted{
		URLs:   []string{bad.URL, good.URL},
		Size:   12,
		SHA256: "09ca7e4eaa6e8ae9c7d261167129184883644d07dfba7cbfbc4c8a2e08360d5b", // sha256sum
	}, fetch.Options{StallTimeout: 10 * time.Second})
	text, _ := os.ReadFile(path)
	fmt.Printf("%v %s\n", err, text)
	// Output:
	// <nil> hello, world
}
