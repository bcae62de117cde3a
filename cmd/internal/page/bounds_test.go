package page

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Requests whose body does not come take nobody's place, and end.
func TestHalfRequests(t *testing.T) {
	s := newServer(t, Options{})
	s.bodyTime = time.Hour
	h := s.Handler()
	var come atomic.Int64
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		come.Add(1)
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	for range mostAnswers + 10 {
		for _, what := range []string{"POST /api/target", "GET /api/events", "GET /"} {
			half(t, web, what)
		}
	}
	for end := time.Now().Add(time.Minute); come.Load() < 3*(mostAnswers+10); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d requests have come", come.Load())
		}
	}
	for _, r := range []*http.Request{
		request("GET", "/", "", nil), request("GET", "/api/state", "", nil), request("POST", "/api/target", `{"model":"cfm/moons"}`, nil),
	} {
		if w := ask(h, r); w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", r.URL.Path, w.Code, w.Body)
		}
	}
}

func TestHalfRequestEnds(t *testing.T) {
	s := newServer(t, Options{})
	s.bodyTime = 20 * time.Millisecond
	web := httptest.NewServer(s.Handler())
	t.Cleanup(web.Close)
	answer, err := http.ReadResponse(bufio.NewReader(half(t, web, "POST /api/target")), nil)
	check(t, err)
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusRequestTimeout || !answer.Close {
		t.Errorf("%s, close: %v", answer.Status, answer.Close)
	}
}

// Who asks for a picture and does not read it loses the place after a while.
func TestUnreadPicture(t *testing.T) {
	dir := copied(t)
	picture := filepath.Join(dir, "cfm", "moons", "huge.png")
	check(t, os.WriteFile(picture, nil, 0o644))
	check(t, os.Truncate(picture, 256<<20)) // a hole, more than a connection takes
	s := newServer(t, Options{OutputDir: dir})
	s.readerTime = 20 * time.Millisecond
	h, done := s.Handler(), make(chan struct{})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r)
		close(done)
	}))
	t.Cleanup(web.Close)
	c, err := net.Dial("tcp", web.Listener.Addr().String())
	check(t, err)
	t.Cleanup(func() { c.Close() })
	_, err = fmt.Fprintf(c, "GET /api/file/cfm/moons/huge.png HTTP/1.1\r\nHost: %s\r\n\r\n", web.Listener.Addr())
	check(t, err)
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Error("the place is still taken")
	}
}

// half sends the beginning of a request.
func half(t *testing.T, web *httptest.Server, what string) net.Conn {
	address := web.Listener.Addr().String()
	c, err := net.Dial("tcp", address)
	check(t, err)
	t.Cleanup(func() { c.Close() }) // before the server, which waits for that
	check(t, c.SetDeadline(time.Now().Add(time.Minute)))
	_, err = fmt.Fprintf(c, "%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n%s: test-page-1\r\nContent-Length: 100\r\n\r\n{", what, address, pageHeader)
	check(t, err)
	return c
}

// What is quick comes also where every place to compute in is taken, and the page itself
// where the API has none at all.
func TestKindsHavePlacesOfTheirOwn(t *testing.T) {
	s := newServer(t, Options{})
	drawing := `{"points":[` + strings.Repeat("1,", 2*leastDrawn-1) + `1],"iterations":1,"seed":1}`
	ask := func(method, path, body string) int { return ask(s.Handler(), request(method, path, body, nil)).Code }
	for _, c := range []struct {
		full         int
		method, path string
		body         string
		want         int
	}{
		{computing, "POST", "/api/target", `{"model":"cfm/moons"}`, http.StatusServiceUnavailable},
		{computing, "POST", "/api/train", drawing, http.StatusServiceUnavailable},
		{computing, "POST", "/api/kept", drawing, http.StatusOK},
		{computing, "GET", "/api/state", "", http.StatusOK},
		{quick, "GET", "/api/state", "", http.StatusServiceUnavailable},
		{quick, "GET", "/", "", http.StatusOK},
		{quick, "GET", "/style.css", "", http.StatusOK},
	} {
		for len(s.places[c.full]) < mostAnswers {
			s.places[c.full] <- struct{}{}
		}
		if got := ask(c.method, c.path, c.body); got != c.want {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, got, c.want)
		}
	}
}
