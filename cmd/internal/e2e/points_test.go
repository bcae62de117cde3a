package e2e

import (
	"bytes"
	"image/gif"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"flowmatch/datasets/npz"
)

// Points of the plane: train on a set and on a file, resume, sample.
func TestPoints(t *testing.T) {
	once, twice := t.TempDir(), t.TempDir()
	args := func(dir string, more ...string) []string {
		return append([]string{"--dataset", "checkerboard", "--device", "cpu", "--precision", "fp32", "--hidden-dim", "32",
			"--batch-size", "64", "--iterations", "40", "--no-figures", "--output-dir", dir}, more...)
	}
	must(t, program(t, "train", nil, args(once)...))
	must(t, program(t, "train", nil, args(twice, "--max-steps", "25")...))
	must(t, program(t, "train", nil, args(twice, "--resume")...))
	run := filepath.Join(once, "cfm/checkerboard")
	if !bytes.Equal(read(t, filepath.Join(run, "ckpt.pth")), read(t, filepath.Join(twice, "cfm/checkerboard/ckpt.pth"))) {
		t.Error("25 + 15 steps gave other weights than 40")
	}
	out := filepath.Join(once, "s.npz")
	must(t, program(t, "sample", nil, "--dataset", "checkerboard", "--output-dir", once, "--num-samples", "500", "--frames", "5", "--npz", out))
	s, err := npz.OpenSamples(out)
	if err != nil || s.Len() != 500 || len(s.X) != 1000 || s.Y != nil {
		t.Errorf("samples: %v", err)
	}
	if _, err := png.Decode(bytes.NewReader(read(t, filepath.Join(run, "final_samples.png")))); err != nil {
		t.Error(err)
	}
	if film, err := gif.DecodeAll(bytes.NewReader(read(t, filepath.Join(run, "trajectory.gif")))); err != nil || len(film.Image) != 5 {
		t.Errorf("trajectory.gif: %v", err)
	}

	file := filepath.Join(t.TempDir(), "ring.csv")
	if err := os.WriteFile(file, []byte("1,0\n0,1\n-1,0\n0,-1\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	must(t, program(t, "train", nil, "--dataset", "points:"+file, "--hidden-dim", "16", "--batch-size", "16", "--iterations", "5", "--no-figures", "--output-dir", dir))
	if _, err := os.Stat(filepath.Join(dir, "cfm/points-ring/ckpt.pth")); err != nil {
		t.Error(err)
	}

	refused(t, program(t, "train", noLibtorch, "--dataset", "moons", "--num-channels", "32"), 2, "--num-channels", "moons")
	refused(t, program(t, "train", noLibtorch, "--dataset", "digits", "--hidden-dim", "32"), 2, "--hidden-dim", "digits")
	refused(t, program(t, "train", noLibtorch, "--dataset", "digits", "--stable-targets"), 2, "--stable-targets", "digits")
	refused(t, program(t, "train", noLibtorch, "--dataset", "digits", "--recipe", "reference"), 2, "digits")
	refused(t, program(t, "sample", nil, "--checkpoint", filepath.Join(run, "ckpt.pth"), "--classes", "1"), 2, "--classes")
	refused(t, program(t, "sample", nil, "--checkpoint", filepath.Join(run, "ckpt.pth"), "--dataset", "digits"), 2, "checkerboard", "digits")
}

// CIFAR-10 from its own files, where there are some.
func TestCIFAR(t *testing.T) {
	data := os.Getenv("FLOWMATCH_TEST_DATA")
	if data == "" {
		t.Skip("FLOWMATCH_TEST_DATA does not name a folder with cifar-10-batches-bin/")
	}
	dir := t.TempDir()
	must(t, program(t, "train", nil, "--dataset", "cifar10", "--data-dir", data, "--device", "cpu", "--output-dir", dir,
		"--num-channels", "32", "--num-res-blocks", "1", "--attention-resolutions", "none", "--batch-size", "8", "--max-steps", "2"))
	must(t, program(t, "sample", nil, "--dataset", "cifar10", "--output-dir", dir, "--classes", "0", "--samples-per-class", "2", "--steps", "2", "--frames", "3"))
}
