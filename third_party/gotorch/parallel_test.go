package gotorch

import (
	"errors"
	"testing"
)

func TestParallel(t *testing.T) {
	threads := NumThreads()
	defer SetNumThreads(int32(threads))
	SetNumThreads(4)
	cores := func() int { return int(currentCores()) }
	Scoped(func() {
		x := FromSlice([]float32{1, 2, 3, 4, 5, 6}, 3, 2)
		out := make([]Tensor, 3)
		inside := make([]int, 3)
		NoGrad(func() {
			Parallel(3, func(i int) {
				if GradEnabled() {
					t.Error("gradients are recorded, which the caller does not")
				}
				Scoped(func() { inside[i] = cores() })
				out[i] = Keep(SumAll(Narrow(x, 0, int64(i), 1)))
			})
		})
		for i, o := range out {
			if got, want := o.ItemFloat(), float64(4*i+3); got != want {
				t.Errorf("part %d is %v, want %v", i, got, want)
			}
			if inside[i] != 1 {
				t.Errorf("part %d of three computed with %d of 4 cores, its share is one", i, inside[i])
			}
			o.Close()
		}
		Parallel(2, func(i int) {
			if n := cores(); n != 2 {
				t.Errorf("part %d of two computed with %d of 4 cores", i, n)
			}
		})
		Scoped(func() {
			if n := cores(); n != 4 {
				t.Errorf("%d of 4 cores afterwards", n)
			}
		})
	})
	Parallel(0, func(int) { t.Error("something of nothing") })
}

// Whichever part fails, the others end first, and the caller sees its error.
func TestParallelPanics(t *testing.T) {
	for fails := range 3 {
		done := make([]bool, 3)
		err := Try(func() {
			Parallel(3, func(i int) {
				defer func() { done[i] = true }()
				if i == fails {
					MatMul(Ones([]int64{2, 3}, false), Ones([]int64{2, 3}, false))
				}
			})
		})
		var e *Error
		if !errors.As(err, &e) || e.Op != "MatMul" {
			t.Errorf("part %d: %v", fails, err)
		}
		for i, d := range done {
			if !d {
				t.Errorf("part %d had not ended when part %d failed", i, fails)
			}
		}
	}
	for i := range 2 {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("part %d: a panic that is no error of ours got lost", i)
				}
			}()
			Parallel(2, func(k int) {
				if k == i {
					panic("planted")
				}
			})
		}()
	}
}
