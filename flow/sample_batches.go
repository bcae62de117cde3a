package flow

import (
	"context"
	"sort"
	"sync"

	torch "github.com/wangkuiyi/gotorch"
)

// drawing is a draw on its way, which cores share.
type drawing struct {
	Sampling
	out *Samples
	dim int64

	mu sync.Mutex
}

// run solves all batches.
func (d *drawing) run(ctx context.Context) error {
	solved := tally{tell: d.Progress, of: d.N}
	return onCores(ctx, d.Device, startsOf(d.N, d.Batch, d.Device), 0, func(ctx context.Context, first, last int) error {
		if err := d.batch(ctx, first, last); err != nil {
			return err
		}
		solved.add(last - first)
		return nil
	})
}

// batch solves samples first to last.
func (d *drawing) batch(ctx context.Context, first, last int) (err error) {
	defer stopped(ctx, &err)
	dim, out := d.dim, d.out
	at := sort.SearchInts(d.Shown, first) // the batch's first place among the samples shown
	shown := d.Shown[at:sort.SearchInts(d.Shown, last)]
	torch.Scoped(func() {
		shape := append([]int64{int64(last - first)}, d.Shape...)
		x := torch.FromSlice(out.X0[int64(first)*dim:int64(last)*dim], shape...).To(d.Device)
		var y torch.Tensor
		if d.Labels != nil {
			y = torch.FromSlice(d.Labels[first:last], shape[0]).To(d.Device)
		}
		var times []float64
		if len(shown) > 0 || d.Observe != nil {
			times = d.FrameTimes
		}
		field, cost := d.Velocity.Field(y), func(float64) int { return 1 }
		if d.Guidance != nil {
			field, cost = d.Guidance.Field(d.Velocity, y), d.Guidance.Evaluations
		}
		evaluations, latest, call := 0, 0, 0
		counted := stoppable(ctx, func(x torch.Tensor, t float64) torch.Tensor {
			latest = cost(t)
			evaluations += latest
			v := field(x, t)
			if d.Evaluated != nil {
				d.Evaluated(call, first, torch.ToSlice[float32](v))
			}
			call++
			return v
		})
		end, calls, e := d.Solver.Solve(counted, x, times, func(o Output) error {
			all := torch.ToSlice[float32](o.X)
			if d.Observe != nil {
				d.mu.Lock()
				defer d.mu.Unlock()
				d.Observe(o.Index, first, all)
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
		d.mu.Lock()
		defer d.mu.Unlock()
		if evaluations > out.NFE {
			out.NFE = evaluations
			// The frames between steps may need one at the end.
			if f, ok := d.Solver.(FixedStep); ok && calls > f.Steps*f.Method.Stages() {
				out.NFEFrames = latest
			}
		}
	})
	return err
}
