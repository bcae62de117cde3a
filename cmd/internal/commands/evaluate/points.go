package evaluate

import (
	"context"

	"flowmatch/cmd/internal/measures"
	"flowmatch/datasets/plane"
)

// Of points of the plane.
const (
	nllPoints = 4000
)

// points measures a model of points.
func (e *evaluation) points(ctx context.Context, set *plane.Set) error {
	if h, ok := set.Entropy(); ok {
		e.out.set(&e.out.Entropy, "entropy", h)
	}
	p := e.plannedPoints()
	if err := e.tell(ctx, p); err != nil {
		return err
	}
	if e.chosen["sw2"] {
		if err := e.slicedW2(ctx, set, p.samples); err != nil {
			return err
		}
	}
	if e.chosen["straightness"] {
		if _, err := e.straightness(ctx, p.paths, nil); err != nil {
			return err
		}
	}
	return e.logLikelihoods(ctx, set)
}

// slicedW2 compares samples of every solver with points of the set, and these
// with others.
func (e *evaluation) slicedW2(ctx context.Context, set *plane.Set, n int) error {
	e.out.counts["results"] = n
	distance := measures.DistanceTo(set, n, e.f.cmd.Seed)
	floor, err := distance.Floor()
	if err != nil {
		return err
	}
	e.out.set(&e.out.SW2Floor, "sw2_floor", floor)
	for _, s := range e.solvers {
		r := entry{Method: s.Method, Steps: s.Steps}
		if r.Precision, err = e.precision(s); err != nil {
			return err
		}
		x, err := e.samples(ctx, s, n, nil)
		if err != nil {
			if err := e.unsolved("sw2 of "+r.name(), err); err != nil {
				return err
			}
			e.out.Results = append(e.out.Results, r)
			continue
		}
		r.NFE = x.NFE
		d, err := distance.Of(x.X)
		if err != nil {
			return err
		}
		e.out.set(&r.SW2, "sw2 of "+r.name(), d)
		e.out.Results = append(e.out.Results, r)
	}
	return nil
}
