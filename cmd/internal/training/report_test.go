package training

import (
	"testing"
	"time"

	"flowmatch/trainer"
)

func TestDetail(t *testing.T) {
	p := trainer.Progress{Loss: 0.12345, StepsPerSecond: 12.4, Left: 90 * time.Second}
	for _, c := range []struct {
		name    string
		waiting float64
		gpu     int64
		want    string
	}{
		{"a processor", 0.004, 0, "loss 0.1235  12 steps/s  1 min 30 s left"},
		{"a processor that waits", 0.25, 0, "loss 0.1235  12 steps/s  1 min 30 s left  25% waiting for data"},
		{"a GPU", 0, 5_400_000_000, "loss 0.1235  12 steps/s  1 min 30 s left  GPU 5.4 GB"},
		{"a GPU that waits", 0.031, 900_000_000, "loss 0.1235  12 steps/s  1 min 30 s left  GPU 900 MB  3% waiting for data"},
	} {
		p.Waiting = c.waiting
		if got := detail(p, c.gpu, "waiting for data"); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
