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
	Batch    int     // paths solved together; 0: all

	Progress func(done, of int) // after every batch; may be nil
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
	batch := s.Batch
	if batch <= 0 {
		batch = n
	}
	dim := int(torch.Numel(s.Shape))
	solver, err := flow.NewSolver(flow.SolverConfig{Method: "midpoint", Steps: straightSteps})
	if err != nil {
		return nil, err
	}
	p := &Paths{X: make([]float32, 0, n*dim)}
	for first := 0; first < n; first += batch {
		last := min(first+batch, n)
		rec := &stepStarts{of: s.Velocity}
		draw := flow.Sampling{Velocity: rec.velocity, Device: s.Device, Solver: solver, Shape: s.Shape, N: last - first, X0: make([]float32, (last-first)*dim)}
		for i := first; i < last; i++ {
			flow.Noise(draw.X0[(i-first)*dim:(i-first+1)*dim], s.Seed, int64(i))
		}
		if s.Labels != nil {
			draw.Labels = s.Labels[first:last]
		}
		out, err := draw.Draw(ctx)
		if err != nil {
			return nil, err
		}
		p.S += rec.bend(out) / float64(n*straightSteps)
		p.X = append(p.X, out.X...)
		if s.Progress != nil {
			s.Progress(last, n)
		}
	}
	return p, nil
}

// stepStarts records the velocities at the starts of midpoint steps, the first
// of each two evaluations.
type stepStarts struct {
	of    flow.Velocity
	calls int
	v     [][]float32 // [straightSteps][B*dim]
}

func (r *stepStarts) velocity(x, t, y torch.Tensor) torch.Tensor {
	v := r.of(x, t, y)
	if r.calls%2 == 0 {
		r.v = append(r.v, torch.ToSlice[float32](v))
	}
	r.calls++
	return v
}

// bend is the sum over everything of the squared differences from x1 - x0.
func (r *stepStarts) bend(out *flow.Samples) float64 {
	var sum float64
	for _, v := range r.v {
		for i := range v {
			d := float64(v[i]) - (float64(out.X[i]) - float64(out.X0[i]))
			sum += d * d
		}
	}
	return sum
}
