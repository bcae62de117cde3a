package flow

import (
	"context"
	"errors"
	"fmt"

	torch "github.com/wangkuiyi/gotorch"
)

// Sampling draws samples of a model.
type Sampling struct {
	Velocity Velocity
	Device   torch.Device
	Solver   Solver  // nil: DefaultSolver
	Shape    []int64 // of one sample, [C,H,W] or [2]
	N        int
	Labels   []int64   // [N] classes; nil for a model without
	Seed     int64     // of the noise; sample i has Noise(Seed, i)
	X0       []float32 // [N,Shape...] noise to start from instead; nil: by Seed
	Batch    int       // samples solved together; 0: all

	Guidance *Guidance // of the labels' classes; nil: none

	// Shown samples, in rising order, are recorded at FrameTimes.
	Shown      []int
	FrameTimes []float64

	// Observe, if set, is given the states of every batch at FrameTimes instead:
	// x: [n,Shape...] of the samples from first on. So a million samples' frames
	// need not be held at once. x is valid until it returns.
	Observe func(frame, first int, x []float32)

	Progress func(done, of int) // after every batch; may be nil
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
	dim := int64(1)
	for _, n := range s.Shape {
		dim *= n
	}
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
	batch := s.Batch
	if batch <= 0 {
		batch = s.N
	}
	shown := s.Shown
	for first := 0; first < s.N; first += batch {
		last := min(first+batch, s.N)
		n := 0
		for n < len(shown) && shown[n] < last {
			n++
		}
		at := len(s.Shown) - len(shown)
		if err := s.batch(ctx, out, first, last, shown[:n], at, dim); err != nil {
			return nil, err
		}
		shown = shown[n:]
		if s.Progress != nil {
			s.Progress(last, s.N)
		}
	}
	return out, nil
}

// batch solves samples first to last; those shown go to the frames' places
// from at on.
func (s Sampling) batch(ctx context.Context, out *Samples, first, last int, shown []int, at int, dim int64) (err error) {
	defer stopped(ctx, &err)
	torch.Scoped(func() {
		shape := append([]int64{int64(last - first)}, s.Shape...)
		x := torch.FromSlice(out.X0[int64(first)*dim:int64(last)*dim], shape...).To(s.Device)
		var y torch.Tensor
		if s.Labels != nil {
			y = torch.FromSlice(s.Labels[first:last], shape[0]).To(s.Device)
		}
		var times []float64
		if len(shown) > 0 || s.Observe != nil {
			times = s.FrameTimes
		}
		field, cost := s.Velocity.Field(y), func(float64) int { return 1 }
		if s.Guidance != nil {
			field, cost = s.Guidance.Field(s.Velocity, y), s.Guidance.Evaluations
		}
		evaluations, last := 0, 0
		counted := stoppable(ctx, func(x torch.Tensor, t float64) torch.Tensor {
			last = cost(t)
			evaluations += last
			return field(x, t)
		})
		end, calls, e := s.Solver.Solve(counted, x, times, func(o Output) error {
			all := torch.ToSlice[float32](o.X)
			if s.Observe != nil {
				s.Observe(o.Index, first, all)
				return nil
			}
			for i, n := range shown {
				copy(out.Frames[o.Index][int64(at+i)*dim:int64(at+i+1)*dim], all[int64(n-first)*dim:])
			}
			return nil
		})
		if err = e; err != nil {
			return
		}
		copy(out.X[int64(first)*dim:], torch.ToSlice[float32](end))
		if evaluations > out.NFE {
			out.NFE = evaluations
			// The frames between steps may need one at the end.
			if f, ok := s.Solver.(FixedStep); ok && calls > f.Steps*f.Method.Stages() {
				out.NFEFrames = last
			}
		}
	})
	return err
}
