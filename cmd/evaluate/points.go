package main

import (
	"context"

	"flowmatch/datasets"
	"flowmatch/flow/metrics"
)

// Of points of the plane.
const (
	pointSamples = 20_000
	projections  = 128
	nllPoints    = 4000
)

// points measures a model of points.
func (e *evaluation) points(ctx context.Context, set *datasets.Set2D) error {
	if h, ok := set.Entropy(); ok {
		e.out.set(&e.out.Entropy, "entropy", h)
	}
	if e.taken["sw2"] {
		if err := e.slicedW2(ctx, set); err != nil {
			return err
		}
	}
	if e.taken["straightness"] {
		if _, err := e.straightness(ctx, straightPaths, nil); err != nil {
			return err
		}
	}
	return e.logLikelihoods(ctx, set)
}

// slicedW2 compares samples of every solver with points of the set, and these
// with others.
func (e *evaluation) slicedW2(ctx context.Context, set *datasets.Set2D) error {
	n := e.f.numSamples
	if n == 0 {
		n = pointSamples
	}
	e.out.counts["results"] = n
	data := make([]float32, 2*n)
	set.Sample(data, e.seed(drawData), 0)
	distance := func(x []float32) (float64, error) {
		return metrics.SlicedW2(x, data, 2, projections, e.seed(drawProjections))
	}
	more := make([]float32, 2*n)
	set.Sample(more, e.seed(drawMoreData), 0)
	floor, err := distance(more)
	if err != nil {
		return err
	}
	e.out.set(&e.out.SW2Floor, "sw2_floor", floor)
	for _, s := range e.solvers {
		x, err := e.samples(ctx, s, n, nil)
		if err != nil {
			return err
		}
		r := entry{Method: s.Method, Steps: s.Steps, NFE: x.NFE}
		d, err := distance(x.X)
		if err != nil {
			return err
		}
		e.out.set(&r.SW2, "sw2 of "+r.name(), d)
		e.out.Results = append(e.out.Results, r)
	}
	return nil
}
