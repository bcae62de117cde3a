package flow

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	torch "github.com/wangkuiyi/gotorch"
)

// Likelihood computes log densities of a model by the instantaneous change of
// variables (Chen et al. 2018, theorem 1; Lipman et al. 2023, appendix C): with
// x(1) = x solve
//
//	dx/dt = v(x, t), dl/dt = div v(x, t), l(1) = 0
//
// from t = 1 to 0; then log p(x) = log N(x(0); 0, I) + l(0).
//
// The divergence is exact, by a vector-Jacobian product for each number of a
// sample, or Hutchinson's estimate. Its probes are drawn once for a solution,
// so the field that is solved stays a function, and each has its own l, so the
// spread over the probes is that of log p.
//
// x and l are one float64 state around a float32 network. An adaptive solver
// keeps the errors of x and of l, each by itself, within its tolerances.
type Likelihood struct {
	Velocity Velocity // on a processor, several cores call it at once
	Device   torch.Device
	Solver   Solver  // its span is set here; nil: DefaultSolver
	Shape    []int64 // of one sample

	Probes   int   // 0: exact divergence; else the number of Hutchinson's probes
	Gaussian bool  // probes are normal; default: Rademacher, -1 or 1
	Seed     int64 // of the probes
	// Batch is the samples that are solved together, at most; 0: by their size. As in
	// Sampling, a processor's cores each solve a batch at a time.
	Batch int
	// Cores are the batches that a processor solves at once, at most; 0: one on each of its
	// cores. Every batch holds what its gradients need.
	Cores int

	Progress func(done, of int) // after every batch, one call at a time; may be nil
}

// LogDensities is what LogDensity gives.
type LogDensities struct {
	LogP   []float64 // nats
	StdErr []float64 // of LogP, with two probes or more; else nil
	Exact  []float64 // without an estimate, where more probes than numbers of a sample give it at no cost; else nil
	X0     []float32 // [N,Shape...], where the flow comes from
	NFE    int       // evaluations for each sample
}

// LogDensity gives the log densities of samples x: [N,Shape...], of the classes
// labels: [N] where the model has classes. It ends early, with ctx's cause,
// between evaluations. It panics with *torch.Error where a tensor operation
// fails.
func (l Likelihood) LogDensity(ctx context.Context, x []float32, labels []int64) (*LogDensities, error) {
	dim := int(torch.Numel(l.Shape))
	switch {
	case dim < 1:
		return nil, fmt.Errorf("flow: samples of %v have no density", l.Shape)
	case l.Velocity == nil:
		return nil, errors.New("flow: a density of no Velocity")
	}
	if l.Solver == nil {
		l.Solver = DefaultSolver()
	}
	n := len(x) / dim
	if len(x)%dim != 0 || labels != nil && len(labels) != n {
		return nil, fmt.Errorf("flow: %d numbers and %d labels are no samples of %v", len(x), len(labels), l.Shape)
	}
	out := &LogDensities{LogP: make([]float64, n), X0: make([]float32, n*dim)}
	if l.Probes > 1 {
		out.StdErr = make([]float64, n)
	}
	if l.Probes > dim {
		out.Exact = make([]float64, n)
	}
	batch := l.Batch
	if batch <= 0 {
		batch = max(8, min(2048, 1<<16/dim))
	}
	var nfes sync.Mutex
	solved := tally{tell: l.Progress, of: n}
	err := onCores(ctx, l.Device, startsOf(n, batch, l.Device), l.Cores, func(ctx context.Context, first, last int) error {
		var y []int64
		if labels != nil {
			y = labels[first:last]
		}
		nfe, err := l.batch(ctx, out, x[first*dim:last*dim], y, first)
		if err != nil {
			return err
		}
		nfes.Lock()
		out.NFE = max(out.NFE, nfe)
		nfes.Unlock()
		solved.add(last - first)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// batch solves for the samples x: [B,Shape...], numbers first to first+B, in nfe
// evaluations.
func (l Likelihood) batch(ctx context.Context, out *LogDensities, x []float32, labels []int64, first int) (nfe int, err error) {
	defer stopped(ctx, &err)
	torch.Scoped(func() {
		var y torch.Tensor
		if labels != nil {
			y = torch.FromSlice(labels, int64(len(labels))).To(l.Device)
		}
		shape := append([]int64{-1}, l.Shape...)
		dim := int64(len(out.X0) / len(out.LogP))
		b := int64(len(x)) / dim
		start := torch.FromSlice(x, b, dim).To(l.Device, torch.Double)

		field := stoppable(ctx, l.Velocity.Field(y))
		width := int64(1)
		div := func(x torch.Tensor, t float64) (v, div torch.Tensor) { return divergence(field, x, t) }
		if l.Probes > 0 {
			width = int64(l.Probes)
			probes := l.probes(first, int(b), int(dim))
			estimate := hutchinson
			if out.Exact != nil {
				estimate = exactAndHutchinson
				width++
			}
			div = func(x torch.Tensor, t float64) (v, div torch.Tensor) { return estimate(field, x, t, probes) }
		}

		solver := l.Solver.Between(1, 0)
		if a, ok := solver.(Adaptive); ok {
			a.parts = []int64{dim, width}
			solver = a
		}
		// The state is [B,D+W]: the sample and its l, one for each probe, with the
		// exact one last.
		z := torch.Cat([]torch.Tensor{start, torch.Zeros([]int64{b, width}, torch.Options{Device: l.Device, Dtype: torch.Double})}, 1)
		var end torch.Tensor
		end, nfe, err = solver.Solve(func(z torch.Tensor, t float64) torch.Tensor {
			v, d := div(torch.Reshape(torch.Narrow(z, 1, 0, dim), shape).CastTo(torch.Float), t)
			return torch.Cat([]torch.Tensor{v.View(b, dim), d}, 1).CastTo(torch.Double)
		}, z, nil, nil)
		if err != nil {
			return
		}
		out.collect(torch.ToSlice[float64](end), first, int(dim), int(width))
	})
	return nfe, err
}

// collect turns end states, [B,D+width], into log densities.
func (out *LogDensities) collect(z []float64, first, dim, width int) {
	for i := range len(z) / (dim + width) {
		row, probes := z[i*(dim+width):][:dim+width], width
		logN := -0.5 * float64(dim) * math.Log(2*math.Pi)
		for k, v := range row[:dim] {
			out.X0[(first+i)*dim+k] = float32(v)
			logN -= 0.5 * v * v
		}
		if out.Exact != nil {
			probes = width - 1
			out.Exact[first+i] = logN + row[dim+probes]
			row = row[:dim+probes]
		}
		mean, m2 := 0.0, 0.0
		for k, v := range row[dim:] {
			d := v - mean
			mean += d / float64(k+1)
			m2 += d * (v - mean)
		}
		out.LogP[first+i] = logN + mean
		if out.StdErr != nil {
			out.StdErr[first+i] = math.Sqrt(m2 / float64(probes-1) / float64(probes))
		}
	}
}

// drawProbe sets the probes' numbers apart from those of samples.
const drawProbe = 0x70726f6265

// probes are those of samples first to first+b: [P,B,D]. A sample's depend on
// the seed and its number alone.
func (l Likelihood) probes(first, b, dim int) torch.Tensor {
	all := make([]float32, l.Probes*b*dim)
	for p := range l.Probes {
		seed := int64(Mix(uint64(l.Seed), drawProbe, uint64(p)))
		for i := range b {
			e := all[(p*b+i)*dim:][:dim]
			Noise(e, seed, int64(first+i))
			if l.Gaussian {
				continue
			}
			for k, v := range e {
				e[k] = 1
				if v < 0 {
					e[k] = -1
				}
			}
		}
	}
	return torch.FromSlice(all, int64(l.Probes), int64(b), int64(dim)).To(l.Device)
}
