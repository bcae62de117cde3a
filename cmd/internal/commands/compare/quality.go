package compare

import (
	"context"
	"fmt"
	"io"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/measures"
	"flowmatch/cmd/internal/terminal"
	"flowmatch/datasets/plane"
	"flowmatch/flow"
	"flowmatch/flow/metrics"
)

// quality measures two models of points by several solvers.
type quality struct {
	set        *plane.Set
	names      [2]string // of the models
	velocities [2]flow.Velocity
	device     torch.Device
	batch      int // samples solved together
	solvers    []cli.NamedSolver
	n          int // samples; a fifth as many points for the likelihood
	seed       int64

	stderr io.Writer
	quiet  bool
}

// measure takes all measures.
func (q *quality) measure(ctx context.Context) (*report, error) {
	distance := measures.DistanceTo(q.set, q.n, q.seed)
	fresh := measures.LikelihoodPoints(q.set, q.n/5, q.seed)
	r := &report{Dataset: q.set.Name, Samples: q.n, Points: q.n / 5}
	floor, err := distance.Floor()
	if err != nil {
		return nil, err
	}
	r.SW2Floor = cli.Finite(floor)
	if h, ok := q.set.Entropy(); ok {
		r.Entropy = cli.Finite(h)
	}
	bar := terminal.New(q.stderr, q.quiet, "quality", 1)
	defer bar.Done()
	done, all := 0, len(q.velocities)*len(q.solvers)*(q.n+q.n/5)
	for k, v := range q.velocities {
		r.Models[k].Name = q.names[k]
		for _, s := range q.solvers {
			e := entry{Method: s.Method, Steps: s.Steps}
			told := func(n, _ int) { bar.Set(done+n, all, q.names[k]+", "+e.name()) }
			draw := flow.Sampling{
				Velocity: v, Device: q.device, Solver: s, Shape: []int64{2}, N: q.n, Seed: q.seed, Batch: q.batch, Progress: told,
			}
			if x, err := draw.Draw(ctx); flow.Unsolved(err) {
				e.unsolved = append(e.unsolved, fmt.Sprintf("sw2 of %s by %s: %s", q.names[k], e.name(), cli.Text(err)))
			} else if err != nil {
				return nil, fmt.Errorf("%s by %s: %w", q.names[k], e.name(), err)
			} else {
				d, err := distance.Of(x.X)
				if err != nil {
					return nil, err
				}
				e.NFE, e.SW2 = x.NFE, cli.Finite(d)
			}
			done += q.n
			l := flow.Likelihood{Velocity: v, Device: q.device, Solver: s, Shape: []int64{2}, Batch: q.batch / 2, Progress: told}
			if l, err = measures.WithinMemory(ctx, l, fresh, nil); err != nil {
				return nil, fmt.Errorf("%s by %s: %w", q.names[k], e.name(), err)
			}
			if p, err := l.LogDensity(ctx, fresh, nil); flow.Unsolved(err) {
				e.unsolved = append(e.unsolved, fmt.Sprintf("nll of %s by %s: %s", q.names[k], e.name(), cli.Text(err)))
			} else if err != nil {
				return nil, fmt.Errorf("%s by %s: %w", q.names[k], e.name(), err)
			} else {
				mean, stderr := metrics.Mean(p.LogP)
				e.NLLNFE, e.NLL, e.NLLStderr = p.NFE, cli.Finite(-mean), cli.Finite(stderr)
			}
			done += q.n / 5
			r.Models[k].Results = append(r.Models[k].Results, e)
		}
	}
	return r, nil
}
