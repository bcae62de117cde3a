package trainer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
)

// A run whose batch does not fit says which one does, and that one does, however the
// parts of a batch meet that go through the network at once.
func TestMemoryError(t *testing.T) {
	cores := torch.NumThreads()
	defer torch.SetNumThreads(int32(cores))
	for _, n := range []int32{1, 2} {
		torch.SetNumThreads(n)
		t.Run(fmt.Sprintf("%d cores", n), func(t *testing.T) { memoryError(t, n) })
	}
}

func memoryError(t *testing.T, cores int32) {
	defer torch.SetMemoryLimit(0)
	run := func(batch int) error {
		c := config(1)
		c.BatchSize = batch
		r := newRun(t, c, small(), t.TempDir())
		r.Dataset.Shape, r.Dataset.Levels = []int{1, 8, 8}, 17
		room(24 << 20)
		defer torch.SetMemoryLimit(0)
		_, err := r.Train(context.Background(), nil)
		return err
	}
	err := run(256)
	var m *MemoryError
	var te *torch.Error
	if !errors.As(err, &m) || !errors.As(err, &te) || !te.OutOfMemory {
		t.Fatalf("%v", err)
	}
	if m.Batch != 256 || m.Fits < 8 || m.Fits > 200 || m.None || !strings.Contains(m.Error(), "256 samples do not go through") {
		t.Fatalf("%+v", m)
	}
	if err := run(m.Fits); err != nil {
		t.Errorf("a batch of %d: %v", m.Fits, err)
	}
	if cores > 1 {
		return // more may fit, if not always
	}
	if err := run(m.Fits + 32); err == nil { // bisected to 256/32, as much less, cut to a multiple of 8
		t.Errorf("a batch of %d fits, too", m.Fits+32)
	}
}

// Where not one sample goes through, or all do, no number is made up.
func TestMemoryErrorWithoutANumber(t *testing.T) {
	defer torch.SetMemoryLimit(0)
	c := config(1)
	r := newRun(t, c, small(), t.TempDir())
	r.Dataset.Shape = []int{1, 8, 8}
	l := &loop{Run: r, e: newEngine(c, r.Network, torch.CPU)}
	defer l.e.close()
	failed := &torch.Error{Op: "Conv2d", Msg: "no memory", OutOfMemory: true}
	var m *MemoryError
	if err := l.explain(context.Background(), failed); !errors.As(err, &m) || m.Fits != 0 || m.None || err.Error() != "no memory" {
		t.Errorf("all go through: %v", err)
	}
	room(1 << 10)
	if err := l.explain(context.Background(), failed); !errors.As(err, &m) || !m.None || !strings.Contains(err.Error(), "not even one sample") {
		t.Errorf("none goes through: %v", err)
	}
	torch.SetMemoryLimit(0)
	other := errors.New("disk full")
	if err := l.explain(context.Background(), other); err != other {
		t.Errorf("another error became %v", err)
	}
}

// room leaves so many bytes for tensors. What earlier runs have left, and would make
// more of it while this one goes, goes first.
func room(bytes int64) {
	torch.FinishGC()
	torch.EmptyCache()
	torch.SetMemoryLimit(torch.Stats().BytesUsed + bytes)
}
