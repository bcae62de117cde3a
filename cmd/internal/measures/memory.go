package measures

import (
	"context"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/freememory"

	"flowmatch/flow"
)

// WithinMemory bounds the batches that a processor's cores solve at once, so that what all of
// them hold for their gradients, every layer's outputs, is within half of the memory that is
// free. An evaluation of the first of the samples x: [N,Shape...] with labels: [N] tells how
// much that is.
func WithinMemory(ctx context.Context, l flow.Likelihood, x []float32, labels []int64) (flow.Likelihood, error) {
	dim := int(torch.Numel(l.Shape))
	n := min(l.Batch, len(x)/max(1, dim))
	free := freememory.Bytes()
	if l.Device.IsCUDA() || n < 1 || free == 0 {
		return l, nil
	}
	one, err := held(ctx, l, x[:dim], labels)
	if err != nil {
		return l, err
	}
	perSample := one
	if few := min(n, len(x)/dim/2, 4); few > 1 {
		all, err := held(ctx, l, x[:2*few*dim], labels)
		if err != nil {
			return l, err
		}
		perSample = max(0, all-one) / int64(few-1)
	}
	room := (free + torch.Stats().BytesCached) / 2
	l.Batch, l.Cores = atOnce(n, torch.NumThreads(), max(0, one-perSample), perSample, room)
	return l, nil
}

// held is the most that an evaluation of a batch holds, of one sample or half of those given.
func held(ctx context.Context, l flow.Likelihood, x []float32, labels []int64) (int64, error) {
	euler, _ := flow.FixedStepMethod("euler")
	n := len(x) / int(torch.Numel(l.Shape))
	if labels != nil {
		labels = labels[:n]
	}
	l.Solver, l.Batch, l.Cores, l.Progress = flow.FixedStep{Method: euler, Steps: 1}, 8*n, 1, nil // two halves
	torch.ResetPeak()
	before := torch.Stats().BytesUsed
	_, err := l.LogDensity(ctx, x, labels)
	return torch.Stats().BytesPeak - before, err
}

// atOnce is how many batches of how many samples, at most batch, fit into room: fewer cores
// before smaller batches, which are other batches to an adaptive solver. A batch holds base
// and each for a sample; one sample is always solved.
func atOnce(batch, cores int, base, each, room int64) (samples, batches int) {
	if base+int64(batch)*each > room {
		batch = int(max(1, min(int64(batch), (room-base)/max(1, each))))
	}
	return batch, int(max(1, min(int64(cores), room/max(1, base+int64(batch)*each))))
}
