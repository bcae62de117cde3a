package trainer

import (
	"context"
	"errors"
	"strings"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
)

// A run whose batch does not fit says which one does, and that one does.
func TestMemoryError(t *testing.T) {
	defer torch.SetMemoryLimit(0)
	run := func(batch int) error {
		c := config(1)
		c.BatchSize = batch
		r := newRun(t, c, small(), t.TempDir())
		r.Dataset.Shape = []int{1, 8, 8}
		torch.EmptyCache()
		torch.ResetPeak()
		torch.SetMemoryLimit(torch.Stats().BytesUsed + 24<<20)
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
	if err := l.explain(context.Background(), failed); !errors.As(err, &m) || m.Fits != 0 || m.None || err.Error() != "Conv2d: no memory" {
		t.Errorf("all go through: %v", err)
	}
	torch.EmptyCache()
	torch.SetMemoryLimit(torch.Stats().BytesUsed + 1<<10)
	if err := l.explain(context.Background(), failed); !errors.As(err, &m) || !m.None || !strings.Contains(err.Error(), "not even one sample") {
		t.Errorf("none goes through: %v", err)
	}
	torch.SetMemoryLimit(0)
	other := errors.New("disk full")
	if err := l.explain(context.Background(), other); err != other {
		t.Errorf("another error became %v", err)
	}
}
