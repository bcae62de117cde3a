package metrics

import (
	"context"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/flow"
)

// straightSteps is the number of midpoint steps of the paths.
const straightSteps = 20

// Straightness measures how far a model's own paths are from straight lines.
type Straightness struct {
	Velocity flow.Velocity
	Device   torch.Device
	Shape    []int64 // of one sample, [C,H,W] or [2]
	N        int     // paths; 0: 1,000
	Labels   []int64 // [N] classes; nil for a model without
	Seed     int64   // path i starts at flow.Noise(Seed, i)
	Batch    int     // paths solved together, as flow.Sampling.Batch; 0: all

	Progress func(done, of int) // after every batch, one call at a time; may be nil
}

// Paths are what was measured.
type Paths struct {
	// S is the mean over paths and step starts of |v(x_t,t) - (x1-x0)|^2, summed
	// over dimensions.
	S float64
	X []float32 // [N,Shape...] the ends of the paths
}

// Measure solves the paths by 20 midpoint steps. Errors are those of
// [flow.Sampling.Draw].
func (s Straightness) Measure(ctx context.Context) (*Paths, error) {
	n := s.N
	if n == 0 {
		n = 1000
	}
	solver, err := flow.NewSolver(flow.SolverConfig{Method: "midpoint", Steps: straightSteps})
	if err != nil {
		return nil, err
	}
	v := newStepStarts(n, int(torch.Numel(s.Shape)))
	out, err := flow.Sampling{
		Velocity: s.Velocity, Device: s.Device, Solver: solver, Shape: s.Shape, N: n, Labels: s.Labels, Seed: s.Seed,
		Batch: s.Batch, Evaluated: v.add, Progress: s.Progress,
	}.Draw(ctx)
	if err != nil {
		return nil, err
	}
	return &Paths{S: v.bend(out) / float64(n*straightSteps), X: out.X}, nil
}

// stepStarts are the velocities at the starts of midpoint steps, the first of each two
// evaluations. Of each number of a path their sum is kept, and that of their squares:
// with d = x1 - x0,
//
//	sum_i (v_i - d)^2 = sum_i v_i^2 - d (2 sum_i v_i - straightSteps d)
//
// which float64 has room for, where the differences of float32 numbers are small.
type stepStarts struct {
	dim          int       // numbers of a path
	sum, squares []float64 // [N*dim]
}

func newStepStarts(n, dim int) *stepStarts {
	return &stepStarts{dim, make([]float64, n*dim), make([]float64, n*dim)}
}

// add is the Evaluated of a draw.
func (s *stepStarts) add(call, first int, v []float32) {
	if call%2 != 0 {
		return
	}
	sum, squares := s.sum[first*s.dim:][:len(v)], s.squares[first*s.dim:][:len(v)]
	for i, v := range v {
		sum[i] += float64(v)
		squares[i] += float64(v) * float64(v)
	}
}

// bend is the sum over everything of the squared differences from x1 - x0.
func (s *stepStarts) bend(out *flow.Samples) float64 {
	var all float64
	for i, x := range out.X {
		d := float64(x) - float64(out.X0[i])
		all += max(0, s.squares[i]-d*(2*s.sum[i]-straightSteps*d)) // below by rounding alone
	}
	return all
}
