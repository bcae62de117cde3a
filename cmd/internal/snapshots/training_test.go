package snapshots

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/datasets"
	"flowmatch/trainer"
	"flowmatch/trainer/tfevents"
)

// runOf trains a small network on digits in a folder, with pictures if every is not 0,
// up to a step.
func runOf(t *testing.T, dir string, steps, every int, from *trainer.State) {
	t.Helper()
	set, err := datasets.Digits()
	if err != nil {
		t.Fatal(err)
	}
	torch.ManualSeed(1)
	config := unet(10)
	net, err := config.Build()
	if err != nil {
		t.Fatal(err)
	}
	folder, err := trainer.OpenFolder(dir, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	r := trainer.Run{
		Config:  trainer.Config{Iterations: 6, BatchSize: 8, LearningRate: 0.01, Schedule: "cosine", EMADecay: 0.5, GradClip: 1, Seed: 1},
		Network: net, Open: trainer.Data(set), Device: torch.CPU, Folder: folder, MaxSteps: steps,
	}
	if every > 0 {
		o := &Observer{Run: dir, Name: "digits", Total: steps, Batch: 8, Every: every,
			Painter: Model{Info: set.Info, Network: config, Device: torch.CPU, Seed: 1}.Painter(), Note: func(s string) { t.Error(s) }}
		r.Observers = []trainer.Observer{o}
	}
	if _, err := r.Train(context.Background(), from); err != nil {
		t.Fatal(err)
	}
}

// A training with pictures ends in the bytes of one without, and one that goes on draws
// the pictures of one that was not stopped.
func TestPicturesChangeNothing(t *testing.T) {
	plain, whole, parts := t.TempDir(), t.TempDir(), t.TempDir()
	runOf(t, plain, 6, 0, nil)
	runOf(t, whole, 6, 2, nil)
	runOf(t, parts, 3, 2, nil)
	s, _, _, err := trainer.Newest(parts)
	if err != nil {
		t.Fatal(err)
	}
	runOf(t, parts, 6, 2, s)
	same := func(name string, a, b string) {
		t.Helper()
		x, err := os.ReadFile(filepath.Join(a, name))
		if err != nil {
			t.Fatal(err)
		}
		y, err := os.ReadFile(filepath.Join(b, name))
		if err != nil || !bytes.Equal(x, y) {
			t.Errorf("%s differs, %v", name, err)
		}
	}
	for _, name := range []string{trainer.StateFile, trainer.CheckpointFile, trainer.MetricsFile} {
		same(name, plain, whole)
		same(name, plain, parts)
	}
	for _, name := range []string{"000002.png", "000004.png", "000006.png"} {
		same(filepath.Join(Dir, name), whole, parts)
	}
}

// shown are the widths of the pictures in event files, by step.
func shown(t *testing.T, dir string) map[int64]int {
	t.Helper()
	names, err := tfevents.Files(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[int64]int{}
	for _, name := range names {
		err := tfevents.Read(filepath.Join(dir, name), func(e tfevents.Event) {
			for _, p := range e.Pictures {
				all[e.Step] = p.Width
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}
