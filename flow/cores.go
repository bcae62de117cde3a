package flow

import (
	"context"
	"sync"
	"sync/atomic"

	torch "github.com/wangkuiyi/gotorch"
)

// startsOf is where the batches of n samples start, and n. most: samples of a batch;
// 0: all. On a processor one is a quarter of the samples left at most, down to an eighth
// of most, and the last two are halves, so that the cores are done at about the same time:
// smaller ones take longer for a sample.
func startsOf(n, most int, d torch.Device) []int {
	whole := most <= 0 || d.IsCUDA()
	if most <= 0 {
		most = max(1, n)
	}
	least := (most + 7) / 8
	starts := []int{0}
	add := func(size int) { starts = append(starts, min(starts[len(starts)-1]+size, n)) }
	for left := n; left > 0; left = n - starts[len(starts)-1] {
		switch {
		case whole:
			add(most)
		case left == 1:
			add(1)
		case left < 2*least:
			add((left + 1) / 2)
			add(left)
		default:
			add(min(most, max(left/4, least)))
		}
	}
	return starts
}

// onCores solves the batches that start where starts says, from first to last each. On
// a processor each core takes the next one when it has done one: they meet at the end
// alone, where cores that share a batch wait for each other in every operation. So
// solve is called by several at once, and the batches are in no order. The first error
// ends all. most: batches at once; 0: as many as there are cores.
func onCores(ctx context.Context, d torch.Device, starts []int, most int, solve func(ctx context.Context, first, last int) error) error {
	var next atomic.Int64
	work := func(ctx context.Context) error {
		for {
			k := int(next.Add(1)) - 1
			if k >= len(starts)-1 {
				return nil
			}
			if err := solve(ctx, starts[k], starts[k+1]); err != nil {
				return err
			}
		}
	}
	cores := 1
	if !d.IsCUDA() {
		cores = min(torch.NumThreads(), len(starts)-1)
	}
	if most > 0 {
		cores = min(cores, most)
	}
	if cores <= 1 {
		return work(ctx)
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
		if errs[i] = work(ctx); errs[i] != nil {
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

// tally counts the samples that are done and tells of them, one call at a time.
type tally struct {
	tell func(done, of int) // nil: nobody
	of   int

	mu   sync.Mutex
	done int
}

func (t *tally) add(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done += n
	if t.tell != nil {
		t.tell(t.done, t.of)
	}
}
