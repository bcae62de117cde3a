package trainer

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/flow"
)

// A checkpoint's velocity is asked for the times of its path's span alone, and a
// path that is not known is no other.
func TestPathOfACheckpoint(t *testing.T) {
	c := config(20)
	c.Path, c.StableTargets, c.StratifiedTimes = "vp", true, true
	r := planeRun(t, c, t.TempDir())
	if _, err := r.Train(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	ck, err := ReadCheckpoint(r.Folder.path(CheckpointFile))
	if err != nil {
		t.Fatal(err)
	}
	n := r.Network.Config()
	v, err := ck.Velocity(n, torch.CPU)
	if err != nil {
		t.Fatal(err)
	}
	net, err := ck.Network(n, torch.CPU)
	if err != nil {
		t.Fatal(err)
	}
	_, end := flow.VPPath{}.Span()
	at := func(v flow.Velocity, time float64) []float32 {
		return torch.ToSlice[float32](v(torch.FromSlice([]float32{1, 2}, 1, 2), torch.FullWith([]int64{1}, time, torch.Options{}), torch.Tensor{}))
	}
	torch.Scoped(func() {
		for asked, learnt := range map[float64]float64{0: 0, 0.5: 0.5, end: end, 1: end} {
			if got, want := at(v, asked), at(net.Velocity, learnt); !slices.Equal(got, want) {
				t.Errorf("at %v: %v, want %v", asked, got, want)
			}
		}
		if slices.Equal(at(net.Velocity, end), at(net.Velocity, 1)) {
			t.Error("the network does not depend on the time, so this shows nothing")
		}
	})
	ck.Record.Training.Configuration.Path = "geodesic"
	if _, err := ck.Velocity(n, torch.CPU); err == nil || !strings.Contains(err.Error(), "geodesic") || !strings.Contains(err.Error(), ck.Path) {
		t.Errorf("%v", err)
	}
	if b, _ := json.Marshal(config(1)); strings.Contains(string(b), "path") {
		t.Errorf("the default's record names a path: %s", b)
	}
}
