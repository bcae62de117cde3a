package gotorch

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// recorder is a test that CheckLeaks may fail.
type recorder struct {
	errors []string
	at     []func()
}

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}
func (r *recorder) Cleanup(f func()) { r.at = append(r.at, f) }
func (r *recorder) end() {
	for _, f := range r.at {
		f()
	}
}

func TestCheckLeaks(t *testing.T) {
	var r recorder
	before := Ones([]int64{1}, false)
	CheckLeaks(&r)
	var held []Tensor
	for range 3 {
		held = append(held, Ones([]int64{1}, false))
	}
	Scoped(func() {
		Ones([]int64{1}, false)
		held = append(held, Keep(Zeros([]int64{1}, Options{})))
	})
	Ones([]int64{1}, false).Close()
	Ones([]int64{1}, false) // nobody holds it
	AddScalar(before, 1).Close()
	r.end()
	if len(r.errors) != 2 {
		t.Fatalf("%q", r.errors)
	}
	for i, want := range []string{"3 tensors left, made at leaks_test.go:", "a tensor left, made at leaks_test.go:"} {
		if !strings.Contains(r.errors[i], want) || !strings.Contains(r.errors[i], "gotorch.TestCheckLeaks") {
			t.Errorf("%q lacks %q", r.errors[i], want)
		}
	}
	runtime.KeepAlive(held)
	var clean recorder
	CheckLeaks(&clean)
	Scoped(func() { RawReluI(Ones([]int64{1}, false)) }) // one tensor, handed out twice
	clean.end()
	if len(clean.errors) != 0 {
		t.Errorf("%q", clean.errors)
	}
	if births.asked.Load() != 0 || len(births.of) != 0 {
		t.Error("it goes on")
	}
	before.Close()
}
