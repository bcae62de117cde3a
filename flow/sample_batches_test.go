package flow

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
)

func TestBatches(t *testing.T) {
	gpu, err := torch.ParseDevice("cuda")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		s    Sampling
		want []int
	}{
		{"all at once", Sampling{N: 100}, []int{0, 100}},
		{"none", Sampling{N: 0, Batch: 8}, []int{0}},
		// A quarter of what is left, 1 to 8 of them; of the last few halves.
		{"a processor's", Sampling{N: 50, Batch: 8}, []int{0, 8, 16, 24, 30, 35, 38, 41, 43, 44, 45, 46, 47, 48, 49, 50}},
		{"large ones", Sampling{N: 300, Batch: 1024}, []int{0, 128, 214, 300}},
		{"fewer than a batch", Sampling{N: 10, Batch: 16}, []int{0, 2, 4, 6, 8, 9, 10}},
		{"one by one", Sampling{N: 3, Batch: 1}, []int{0, 1, 2, 3}},
		{"a GPU's", Sampling{N: 50, Batch: 20, Device: gpu}, []int{0, 20, 40, 50}},
	} {
		if got := startsOf(c.s.N, c.s.Batch, c.s.Device); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// On one core and on several, bit for bit: the batches are the same.
func TestSamplesDoNotDependOnTheCores(t *testing.T) {
	defer torch.SetNumThreads(int32(torch.NumThreads()))
	for _, c := range []SolverConfig{{Method: "midpoint", Steps: 5}, {Method: "dopri5"}} {
		var want *Samples
		for _, cores := range []int32{1, 2, 3} {
			torch.SetNumThreads(cores)
			var told []int
			s := Sampling{
				Velocity: gaussians, Solver: solver(t, c), Shape: []int64{2}, N: 33, Seed: 4, Batch: 8,
				Shown: []int{0, 7, 8, 32}, FrameTimes: EvenTimes(4),
				Progress: func(done, of int) { told = append(told, done, of) },
			}
			got, err := s.Draw(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if n := len(told); told[n-2] != 33 || told[n-1] != 33 || !slices.IsSorted(everySecond(told)) {
				t.Errorf("%s, %d cores: progress %v", c.Method, cores, told)
			}
			if want == nil {
				want = got
				continue
			}
			if !slices.Equal(got.X, want.X) || got.NFE != want.NFE || got.NFEFrames != want.NFEFrames {
				t.Errorf("%s: %d cores give other samples than one", c.Method, cores)
			}
			for k := range want.Frames {
				if !slices.Equal(got.Frames[k], want.Frames[k]) {
					t.Errorf("%s: %d cores give another frame %d", c.Method, cores, k)
				}
			}
		}
	}
}

func everySecond(all []int) []int {
	var out []int
	for i := 0; i < len(all); i += 2 {
		out = append(out, all[i])
	}
	return out
}

// What ends one batch ends the draw, whichever core has it.
func TestOneBatchEndsTheDraw(t *testing.T) {
	defer torch.SetNumThreads(int32(torch.NumThreads()))
	torch.SetNumThreads(2)
	const many = 100_000 // seconds of work
	var calls atomic.Int64
	s := Sampling{Shape: []int64{2}, N: many, Batch: 1, Solver: solver(t, SolverConfig{Method: "euler", Steps: 1})}
	s.Velocity = func(x, _, _ torch.Tensor) torch.Tensor {
		if calls.Add(1) == 3 {
			panic(&torch.Error{Op: "test", Msg: "planted"})
		}
		return x
	}
	if err := torch.Try(func() { s.Draw(context.Background()) }); err == nil {
		t.Error("a panic was lost")
	}
	if n := calls.Load(); n >= many {
		t.Error("the other core went on when one had failed")
	}

	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	var once sync.Once
	s.Velocity = func(x, _, _ torch.Tensor) torch.Tensor {
		once.Do(func() { cancel(why) })
		return x
	}
	if _, err := s.Draw(ctx); err != why {
		t.Errorf("%v, want %v", err, why)
	}
}
