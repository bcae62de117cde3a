package trainer

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
)

// A run without a folder learns the same weights, and writes nothing.
func TestRunInMemory(t *testing.T) {
	dir, empty := t.TempDir(), t.TempDir()
	r := planeRun(t, config(20), dir)
	if _, err := r.Train(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	want, err := ReadCheckpoint(filepath.Join(dir, CheckpointFile))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(empty)
	r = planeRun(t, config(20), t.TempDir())
	r.Folder, r.CheckpointEvery = nil, 7
	res, err := r.Train(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, w := range want.Tensors.All() {
		if got := res.Checkpoint.Tensors.Get(name); got == nil || !slices.Equal(got.Data, w.Data) {
			t.Errorf("%s differs", name)
		}
	}
	if entries, err := os.ReadDir(empty); err != nil || len(entries) > 0 {
		t.Errorf("%v, %v", entries, err)
	}
	if r.Network.IsTraining() {
		t.Error("the network is left in training: its dropout would act in samples")
	}
	if _, err := res.Checkpoint.Velocity(r.Network.Config(), torch.CPU); err != nil {
		t.Error(err)
	}
}

// What a run lacks is told, and not a crash.
func TestRunOfNothing(t *testing.T) {
	if _, err := new(Run).Train(context.Background(), nil); err == nil {
		t.Error("a run of nothing")
	}
	r := Run{Config: Config{Iterations: 3}.Defaults()}
	if _, err := r.Train(context.Background(), nil); err == nil || !strings.Contains(err.Error(), "Network") {
		t.Errorf("%v", err)
	}
	if c := (Config{Iterations: 3}).Defaults(); c.Check() != nil || !reflect.DeepEqual(c, c.Defaults()) {
		t.Errorf("%+v", c)
	}
	whole := planeRun(t, config(3), t.TempDir())
	r = Run{Config: Config{Iterations: 3}, Network: whole.Network, Open: whole.Open}
	if res, err := r.Train(context.Background(), nil); err != nil || !reflect.DeepEqual(res.Checkpoint.Record.Training.Configuration, r.Config.Defaults()) {
		t.Errorf("what the configuration leaves out is not filled in: %+v, %v", res.Checkpoint, err)
	}
	if c := config(3); !reflect.DeepEqual(c.Defaults(), c) {
		t.Error("defaults change what is set")
	}
}
