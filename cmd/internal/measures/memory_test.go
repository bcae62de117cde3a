package measures

import (
	"sync/atomic"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/flow"
)

func TestAtOnce(t *testing.T) {
	const mb, gb = 1 << 20, 1 << 30
	for _, c := range []struct {
		name             string
		batch, cores     int
		base, each, room int64
		samples, batches int
	}{
		{"there is room for all", 8, 16, 0, 10 * mb, 16 * gb, 8, 16},
		{"64 cores with 400 MB each, and 8 GB", 8, 64, 0, 50 * mb, 8 * gb, 8, 20},
		{"one batch at a time", 8, 64, 0, 50 * mb, 500 * mb, 8, 1},
		{"smaller batches", 8, 64, 0, 50 * mb, 220 * mb, 4, 1},
		{"less than a sample", 8, 64, 10 * mb, 50 * mb, mb, 1, 1},
		{"what a batch holds by itself", 10, 4, 100 * mb, 10 * mb, 450 * mb, 10, 2},
		{"nothing was held", 8, 4, 0, 0, gb, 8, 4},
	} {
		if s, b := atOnce(c.batch, c.cores, c.base, c.each, c.room); s != c.samples || b != c.batches {
			t.Errorf("%s: %d batches of %d, want %d of %d", c.name, b, s, c.batches, c.samples)
		}
	}
}

// What is held is what the network's layers hold of the samples, and no more batches are
// solved at once than Cores says.
func TestWithinMemory(t *testing.T) {
	cores := torch.NumThreads()
	torch.SetNumThreads(4)
	defer torch.SetNumThreads(int32(cores))
	const wide = 1 << 16
	var now, most atomic.Int64
	l := flow.Likelihood{Shape: []int64{2}, Probes: 1, Batch: 3, Velocity: func(x, _, _ torch.Tensor) torch.Tensor {
		for n := now.Add(1); n > most.Load(); {
			most.CompareAndSwap(most.Load(), n)
		}
		defer now.Add(-1)
		h := torch.Sigmoid(torch.MM(x, torch.Full([]int64{2, wide}, 0.1, false))) // its outputs are kept for the gradient
		return torch.MM(h, torch.Full([]int64{wide, 2}, 0.1, false))
	}}
	x := make([]float32, 2*24)
	one, err := held(t.Context(), l, x[:2], nil)
	if err != nil {
		t.Fatal(err)
	}
	four, err := held(t.Context(), l, x[:16], nil)
	if err != nil {
		t.Fatal(err)
	}
	if each := (four - one) / 3; each < 4*wide || each > 4*4*wide {
		t.Errorf("a sample holds %d bytes: a layer of it has %d", each, 4*wide)
	}
	within, err := WithinMemory(t.Context(), l, x, nil)
	if err != nil || within.Batch != 3 || within.Cores != 4 {
		t.Errorf("a small one: %d batches of %d, %v", within.Cores, within.Batch, err)
	}
	within.Cores = 1
	most.Store(0)
	if _, err := within.LogDensity(t.Context(), x, nil); err != nil || most.Load() != 1 {
		t.Errorf("%d at once, %v", most.Load(), err)
	}
}
