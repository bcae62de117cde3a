package gotorch

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

// TestMain opens the libraries with two cores, so that results do not depend
// on the machine; GOTORCH_TEST_CUDA=1 lets CUDA in (gpu_test.go). A child
// process (library_test.go) opens them its own way.
func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv(childEnv) == "" {
		if err := Init(InitOptions{NoCUDA: os.Getenv("GOTORCH_TEST_CUDA") != "1", NumThreads: 2}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// mustPanic runs f and returns what it panicked with.
func mustPanic(t *testing.T, f func()) (p any) {
	t.Helper()
	defer func() {
		if p = recover(); p == nil {
			t.Helper()
			t.Error("no panic")
		}
	}()
	f()
	return nil
}
