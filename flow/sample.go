package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"

	torch "github.com/wangkuiyi/gotorch"
)

// Sampling draws samples of a model.
type Sampling struct {
	Velocity Velocity // on a processor, several cores call it at once
	Device   torch.Device
	Solver   Solver  // nil: DefaultSolver
	Shape    []int64 // of one sample, [C,H,W] or [2]
	N        int
	Labels   []int64   // [N] classes; nil for a model without
	Seed     int64     // of the noise; sample i has Noise(Seed, i)
	X0       []float32 // [N,Shape...] noise to start from instead; nil: by Seed
	// Batch is the samples that are solved together, at most; 0: all of them. A
	// processor's cores each solve a batch at a time, so that small ones, which
	// stay in a core's cache, are solved fastest. What the batches are, and so the
	// samples, depends on Batch and N alone and not on the number of cores.
	Batch int

	Guidance *Guidance // of the labels' classes; nil: none

	// Shown samples, in rising order, are recorded at FrameTimes.
	Shown      []int
	FrameTimes []float64

	// Observe, if set, is given the states of every batch at FrameTimes instead:
	// x: [n,Shape...] of the samples from first on, one call at a time but the
	// batches in no order. So a million samples' frames need not be held at once.
	// x is valid until it returns.
	Observe func(frame, first int, x []float32)

	// Evaluated, if set, is given the velocities of every evaluation, of which call counts
	// those of a batch: v: [n,Shape...] of the samples from first on. Cores call it at
	// once. v is valid until it returns.
	Evaluated func(call, first int, v []float32)

	Progress func(done, of int) // after every batch, one call at a time; may be nil
}

// Samples is what Draw gives.
type Samples struct {
	X, X0  []float32   // [N,Shape...], as the solver left them
	Frames [][]float32 // at FrameTimes, of the Shown samples: [len(Shown),Shape...]
	NFE    int         // evaluations for each sample, both of guidance counted
	// NFEFrames are those of NFE that only the frames needed.
	NFEFrames int
}

// Draw solves from noise to samples. It ends early, with ctx's cause, between
// steps. It panics with *torch.Error where a tensor operation fails.
func (s Sampling) Draw(ctx context.Context) (*Samples, error) {
	switch {
	case s.Velocity == nil:
		return nil, errors.New("flow: samples of no Velocity")
	case len(s.Shape) == 0:
		return nil, errors.New("flow: samples of no Shape: [2] of points, [C,H,W] of images")
	case s.Solver == nil:
		s.Solver = DefaultSolver()
	}
	dim := torch.Numel(s.Shape)
	if s.X0 != nil && int64(len(s.X0)) != int64(s.N)*dim || s.Labels != nil && len(s.Labels) != s.N {
		return nil, fmt.Errorf("flow: %d samples of %v need noise and labels of that number", s.N, s.Shape)
	}
	if s.Guidance != nil {
		if s.Labels == nil {
			return nil, fmt.Errorf("flow: guidance without labels")
		}
		if err := s.Guidance.Check(); err != nil {
			return nil, err
		}
	}
	out := &Samples{X: make([]float32, int64(s.N)*dim), X0: s.X0}
	if out.X0 == nil {
		out.X0 = make([]float32, len(out.X))
		for i := range s.N {
			Noise(out.X0[int64(i)*dim:int64(i+1)*dim], s.Seed, int64(i))
		}
	}
	for range s.FrameTimes {
		if s.Observe != nil {
			break
		}
		out.Frames = append(out.Frames, make([]float32, int64(len(s.Shown))*dim))
	}
	d := &drawing{Sampling: s, out: out, dim: dim}
	if err := d.run(ctx); err != nil {
		return nil, err
	}
	return out, nil
}

// Finite tells whether all numbers of samples are: those of damaged weights, or of a
// solver that ran away, are not.
func Finite(x []float32) bool {
	return !slices.ContainsFunc(x, func(v float32) bool { return v-v != 0 }) // Inf - Inf and NaN are NaN
}
