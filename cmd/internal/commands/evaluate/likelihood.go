package evaluate

import (
	"context"
	"fmt"

	"flowmatch/cmd/internal/measures"
	"flowmatch/cmd/internal/terminal"
	"flowmatch/datasets"
	"flowmatch/datasets/plane"
	"flowmatch/flow"
	"flowmatch/flow/metrics"
)

// bitsImages are the test images whose likelihood is taken.
const bitsImages = 256

// midpoint20 is the solver of nll and bits_per_dim.
var midpoint20 = flow.SolverConfig{Method: "midpoint", Steps: 20}

// logLikelihoods measures nll and nll_exact, on the same fresh points.
func (e *evaluation) logLikelihoods(ctx context.Context, set *plane.Set) error {
	x := measures.LikelihoodPoints(set, nllPoints, e.f.cmd.Seed)
	e.out.counts["nll"] = nllPoints
	if e.chosen["nll"] {
		logP, err := e.logDensity(ctx, "nll", midpoint20, x, nil, 0)
		if err != nil {
			return err
		}
		mean, stderr := metrics.Mean(logP)
		e.out.set(&e.out.NLL, "nll", -mean)
		e.out.set(&e.out.NLLStderr, "nll_stderr", stderr)
	}
	if e.chosen["nll_exact"] {
		logP, err := e.logDensity(ctx, "nll_exact", flow.SolverConfig{Method: "dopri5", RTol: 1e-5, ATol: 1e-5}, x, nil, 0)
		if err != nil {
			return e.unsolved("nll_exact", err)
		}
		mean, _ := metrics.Mean(logP)
		e.out.set(&e.out.NLLExact, "nll_exact", -mean)
	}
	return nil
}

// logDensity is that of x: [N,Shape...] under the model; probes: 0 is the exact
// divergence.
func (e *evaluation) logDensity(ctx context.Context, what string, c flow.SolverConfig, x []float32, labels []int64, probes int) ([]float64, error) {
	solver, err := flow.NewSolver(c)
	if err != nil {
		return nil, err
	}
	progress, done := e.task(what)
	defer done()
	l := flow.Likelihood{
		Velocity: e.velocity, Device: e.device, Solver: solver, Shape: e.file.Dims(), Probes: probes, Seed: measures.Probes.Seed(e.f.cmd.Seed),
		Batch: e.gradientBatch(), Progress: progress,
	}
	if l, err = measures.WithinMemory(ctx, l, x, labels); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	d, err := l.LogDensity(ctx, x, labels)
	if err != nil && !flow.Unsolved(err) { // which the report names
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if err != nil {
		return nil, err
	}
	return d.LogP, nil
}

// gradientBatch is smaller than batch: every layer's output is kept for the
// gradient. What all cores hold of theirs measures.WithinMemory bounds.
func (e *evaluation) gradientBatch() int {
	if e.f.batchSize > 0 {
		return e.f.batchSize
	}
	return max(1, min(8192, (64<<20)/e.file.PerSample)/16)
}

// bitsPerDim measures it on n test images from all over the set.
func (e *evaluation) bitsPerDim(ctx context.Context, test *datasets.Images, n int) error {
	d := test.Dim()
	x := make([]float32, n*d)
	var labels []int64
	for i := range n {
		from := i * test.Len() / n
		metrics.Dequantise(x[i*d:(i+1)*d], test.Pixels[from*d:(from+1)*d], test.Levels, measures.Likelihood.Seed(e.f.cmd.Seed), int64(from))
		if e.file.Classes > 0 {
			labels = append(labels, int64(test.Labels[from]))
		}
	}
	logP, err := e.logDensity(ctx, "bits per dimension of "+terminal.Counted(n, "image"), midpoint20, x, labels, 1)
	if err != nil {
		return err
	}
	e.out.counts["bits_per_dim"] = n
	bits, stderr := metrics.BitsPerDim(logP, d, test.Levels)
	e.out.set(&e.out.BitsPerDim, "bits_per_dim", bits)
	e.out.set(&e.out.BitsPerDimStderr, "bits_per_dim_stderr", stderr)
	return nil
}
