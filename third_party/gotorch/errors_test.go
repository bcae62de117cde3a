package gotorch

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestErrors(t *testing.T) {
	a, b := Ones([]int64{2, 3}, false), Ones([]int64{2, 3}, false)
	for _, c := range []struct {
		name string
		op   string
		says string
		f    func()
	}{
		{"product", "MM", "cannot be multiplied", func() { MM(a, b) }},
		{"shape", "View", "invalid for input of size 6", func() { a.View(4) }},
		{"list", "Cat", "non-empty", func() { Cat(nil, 0) }},
		{"backward", "Backward", "does not require grad", func() { a.Backward() }},
		{"backward of many", "Backward", "scalar", func() { Ones([]int64{2}, true).Backward() }},
		{"item", "Item", "cannot be converted to Scalar", func() { a.ItemFloat() }},
		{"autograd", "AutogradGrad", "does not require grad", func() { AutogradGrad([]Tensor{SumAll(a)}, []Tensor{a}, AutogradOptions{}) }},
		{"optimiser", "GradNorm", "no parameter has a gradient", func() { GradNorm([]Tensor{a}) }},
		{"data", "FromSlice", "do not make the shape", func() { FromSlice([]float32{1, 2}, 3) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Try(c.f)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("%v is no *Error", err)
			}
			if e.Op != c.op || !strings.Contains(e.Msg, c.says) || e.OutOfMemory {
				t.Errorf("got %+v", e)
			}
			for _, trace := range []string{"Exception raised from", "frame #", ".so", ".cpp:"} {
				if strings.Contains(e.Msg, trace) {
					t.Errorf("a C++ trace: %s", e.Msg)
				}
			}
		})
	}
}

func TestTryPassesOtherPanics(t *testing.T) {
	if err := Try(func() {}); err != nil {
		t.Error(err)
	}
	if p := mustPanic(t, func() { _ = Try(func() { panic("mine") }) }); p != "mine" {
		t.Errorf("the panic became %v", p)
	}
	x := Ones([]int64{1}, false)
	x.Close()
	var r *ReleasedError
	if err := Try(func() { x.Shape() }); !errors.As(err, &r) {
		t.Errorf("%v", err)
	}
}

// A text is given once a process: the child of library_test.go.
func TestWarningsAreCollectedOnce(t *testing.T) {
	out := child(t, "warnings", ".")
	if n := strings.Count(out, "warning: "); n != 1 || !strings.Contains(out, "not a leaf Tensor") || !strings.HasSuffix(out, "end\n") {
		t.Errorf("%d warnings: %q", n, out)
	}
}

func warn() {
	print := func() {
		for _, w := range TakeWarnings() {
			fmt.Println("warning:", w)
		}
	}
	print()
	grad := func() { AddScalar(Ones([]int64{2}, true), 1).Grad() } // no leaf: libtorch warns
	grad()
	done := make(chan struct{})
	go func() { grad(); close(done) }() // on another thread too
	<-done
	print()
	grad()
	print()
	fmt.Println("end")
}
