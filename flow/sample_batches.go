package flow

import (
	"context"
	"sort"
	"sync"

	torch "github.com/wangkuiyi/gotorch"
)

// batches is where the batches start, and N. On a processor one is a quarter of
// the samples left at most, down to a sixteenth of Batch, so that the cores are done
// at about the same time.
func (s Sampling) batches() []int {
	most := s.Batch
	if most <= 0 {
		most = max(1, s.N)
	}
	starts := []int{0}
	for first := 0; first < s.N; starts = append(starts, first) {
		size := most
		if !s.Device.IsCUDA() && s.Batch > 0 {
			size = min(most, max((s.N-first)/4, most/16, 1))
		}
		first = min(first+size, s.N)
	}
	return starts
}

// drawing is a draw on its way, which cores share.
type drawing struct {
	Sampling
	out    *Samples
	dim    int64
	starts []int // of the batches, and N

	mu     sync.Mutex
	next   int // batch
	solved int // samples
}

// run solves all batches. On a processor each core takes the next one when it has
// done one: they meet at the end alone, where cores that share a batch wait for
// each other in every operation.
func (d *drawing) run(ctx context.Context) error {
	cores := 1
	if !d.Device.IsCUDA() {
		cores = min(torch.NumThreads(), len(d.starts)-1)
	}
	if cores <= 1 {
		return d.work(ctx)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	errs := make([]error, cores)
	torch.Parallel(cores, func(i int) {
		ended := false
		defer func() {
			if !ended { // by a panic, which the others are not to work on for
				stop(nil)
			}
		}()
		if errs[i] = d.work(ctx); errs[i] != nil {
			stop(errs[i])
		}
		ended = true
	})
	for _, err := range errs {
		if err != nil {
			return context.Cause(ctx) // the first of them
		}
	}
	return nil
}

// work solves batches until none is left.
func (d *drawing) work(ctx context.Context) error {
	for {
		d.mu.Lock()
		k := d.next
		d.next++
		d.mu.Unlock()
		if k >= len(d.starts)-1 {
			return nil
		}
		if err := d.batch(ctx, d.starts[k], d.starts[k+1]); err != nil {
			return err
		}
		d.mu.Lock()
		d.solved += d.starts[k+1] - d.starts[k]
		if d.Progress != nil {
			d.Progress(d.solved, d.N)
		}
		d.mu.Unlock()
	}
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
		evaluations, latest := 0, 0
		counted := stoppable(ctx, func(x torch.Tensor, t float64) torch.Tensor {
			latest = cost(t)
			evaluations += latest
			return field(x, t)
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
