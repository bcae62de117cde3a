package flow

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
)

// The same seed gives the same noise whatever the batch, and nearly the same
// samples: to rounding with equal steps, to the tolerance with adaptive ones,
// whose steps are a batch's.
func TestSamplesDoNotDependOnTheBatch(t *testing.T) {
	for _, c := range []struct {
		SolverConfig
		tolerance float64
	}{
		{SolverConfig{Method: "midpoint", Steps: 20}, 1e-5},
		// Between the two Gaussians the flow spreads errors by some hundred.
		{SolverConfig{Method: "dopri5", RTol: 1e-6, ATol: 1e-6}, 1e-3},
	} {
		s := Sampling{Velocity: gaussians, Solver: solver(t, c.SolverConfig), Shape: []int64{2}, N: 50, Seed: 9}
		all, err := s.Draw(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, batch := range []int{1, 7, 50, 1000} {
			s.Batch = batch
			got, err := s.Draw(context.Background())
			if err != nil || !slices.Equal(got.X0, all.X0) {
				t.Fatalf("%s, batch %d: other noise, %v", c.Method, batch, err)
			}
			for i := range got.X {
				if math.Abs(float64(got.X[i]-all.X[i])) > c.tolerance {
					t.Errorf("%s, batch %d, number %d: %v, want %v", c.Method, batch, i, got.X[i], all.X[i])
				}
			}
		}
		// The noise given instead.
		s.X0, s.Seed = all.X0, 0
		if got, err := s.Draw(context.Background()); err != nil || math.Abs(float64(got.X[3]-all.X[3])) > c.tolerance {
			t.Errorf("%s: X0: %v, %v", c.Method, got, err)
		}
	}
}

// What Observe sees is what Frames would hold, every sample once at every time.
func TestObserve(t *testing.T) {
	const n = 11
	for _, c := range []SolverConfig{{Method: "midpoint", Steps: 4}, {Method: "dopri8"}} {
		s := Sampling{Velocity: gaussians, Solver: solver(t, c), Shape: []int64{2}, N: n, Seed: 2, Batch: 4, FrameTimes: EvenTimes(7)}
		for i := range n {
			s.Shown = append(s.Shown, i)
		}
		want, err := s.Draw(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		seen := make([][]float32, 7)
		for i := range seen {
			seen[i] = make([]float32, 2*n)
		}
		numbers := 0
		s.Shown = nil
		s.Observe = func(frame, first int, x []float32) {
			numbers += len(x)
			copy(seen[frame][2*first:], x)
		}
		got, err := s.Draw(context.Background())
		if err != nil || got.Frames != nil || !slices.Equal(got.X, want.X) || got.NFE != want.NFE || got.NFEFrames != want.NFEFrames {
			t.Fatalf("%s: %+v, %v", c.Method, got, err)
		}
		if numbers != 7*2*n {
			t.Errorf("%s: %d numbers, want %d", c.Method, numbers, 7*2*n)
		}
		for i := range seen {
			if !slices.Equal(seen[i], want.Frames[i]) {
				t.Errorf("%s: frame %d differs", c.Method, i)
			}
		}
		if !slices.Equal(seen[0], got.X0) || !slices.Equal(seen[6], got.X) {
			t.Errorf("%s: the first and last frame are not the noise and the samples", c.Method)
		}
		// One evaluation more, for the frame inside the last of equal steps.
		if want := map[string]int{"midpoint": 1, "dopri8": 0}[c.Method]; got.NFEFrames != want {
			t.Errorf("%s: %d evaluations for frames, want %d", c.Method, got.NFEFrames, want)
		}
	}
}

func TestDrawStops(t *testing.T) {
	why := errors.New("enough")
	for _, method := range []string{"midpoint", "dopri5"} {
		ctx, cancel := context.WithCancelCause(context.Background())
		calls := 0
		velocity := Velocity(func(x, _, _ torch.Tensor) torch.Tensor {
			if calls++; calls == 5 {
				cancel(why)
			}
			return x
		})
		torch.Scoped(func() {
			torch.FinishGC() // what other tests left
			before := torch.Stats().Live
			s := Sampling{Velocity: velocity, Solver: solver(t, SolverConfig{Method: method, Steps: 10}), Shape: []int64{2}, N: 4}
			if _, err := s.Draw(ctx); err != why || calls != 5 {
				t.Errorf("%s: %v after %d evaluations", method, err, calls)
			}
			if now := torch.Stats().Live; now > before {
				t.Errorf("%s: %d tensors more than before", method, now-before)
			}
		})
	}
}

func TestFinite(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for i, c := range []struct {
		x    []float32
		want bool
	}{{nil, true}, {[]float32{0, -math.MaxFloat32, 1e-45}, true}, {[]float32{1, nan}, false}, {[]float32{inf, 1}, false}, {[]float32{-inf}, false}} {
		if Finite(c.x) != c.want {
			t.Errorf("case %d: %v, want %v", i, c.x, c.want)
		}
	}
}

// Evaluated is given each evaluation of each batch, in its order: the velocities of
// which the samples are made.
func TestEvaluated(t *testing.T) {
	const n, steps = 40, 3
	sum := make([]float64, 2*n)
	var calls [n][]int
	s := Sampling{
		Velocity: gaussians, Solver: solver(t, SolverConfig{Method: "euler", Steps: steps}), Shape: []int64{2}, N: n, Batch: 8,
		Evaluated: func(call, first int, v []float32) {
			for i, v := range v {
				sum[2*first+i] += float64(v) / steps
				if i%2 == 0 {
					calls[first+i/2] = append(calls[first+i/2], call)
				}
			}
		},
	}
	out, err := s.Draw(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range out.X {
		if want := float64(out.X0[i]) + sum[i]; math.Abs(float64(x)-want) > 1e-5 || !slices.Equal(calls[i/2], []int{0, 1, 2}) {
			t.Errorf("number %d: %v, the velocities lead to %v; calls %v", i, x, want, calls[i/2])
		}
	}
}
