package e2e

import (
	"bytes"
	"image/gif"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/pth"
	"github.com/wangkuiyi/gotorch/weights"

	"flowmatch/datasets/npz"
	"flowmatch/trainer"
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

	refused(t, program(t, "sample", noLibtorch, "--dataset", "checkerboard", "--output-dir", once, "--format", "folder"), 2, "--format folder", "points")
	refused(t, program(t, "sample", noLibtorch, "--dataset", "checkerboard", "--output-dir", once, "--num-samples", "10000000", "--frames", "1000"), 2, "--frames", "GB")
	r := must(t, program(t, "sample", nil, "--dataset", "checkerboard", "--output-dir", once, "--num-samples", "5", "--no-figures", "--precision", "bf16", "--device", "cpu"))
	if warned := strings.Contains(r.errOut, "no bf16 instructions"); warned == trainer.HasBF16(torch.CPU) {
		t.Errorf("a warning of emulated bf16: %v", warned)
	}
	for factor, word := range map[float64]string{1e30: "euler", math.NaN(): "layers.0.weight"} { // too large to be solved with, and no numbers
		refused(t, program(t, "sample", nil, "--checkpoint", scaled(t, filepath.Join(run, "ckpt.pth"), factor), "--dataset", "checkerboard", "--hidden-dim", "32",
			"--num-samples", "5", "--no-figures", "--quiet", "--steps", "3", "--method", "euler", "--npz", filepath.Join(once, "none.npz")), 1, word, "not finite")
	}
	if _, err := os.Stat(filepath.Join(once, "none.npz")); err == nil {
		t.Error("samples that are not finite were written")
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

	refused(t, program(t, "compare", noLibtorch, "--checkpoint", filepath.Join(run, "ckpt.pth"), "--reflow-checkpoint", filepath.Join(dir, "cfm/points-ring/ckpt.pth")), 2, "checkerboard", "points-ring")
	refused(t, program(t, "train", noLibtorch, "--dataset", "moons", "--num-channels", "32"), 2, "--num-channels", "moons")
	refused(t, program(t, "train", noLibtorch, "--dataset", "digits", "--hidden-dim", "32"), 2, "--hidden-dim", "digits")
	refused(t, program(t, "train", noLibtorch, "--dataset", "digits", "--stable-targets"), 2, "--stable-targets", "digits")
	refused(t, program(t, "train", noLibtorch, "--dataset", "digits", "--recipe", "reference"), 2, "digits")
	refused(t, program(t, "sample", nil, "--checkpoint", filepath.Join(run, "ckpt.pth"), "--classes", "1"), 2, "--classes")
	refused(t, program(t, "sample", nil, "--checkpoint", filepath.Join(run, "ckpt.pth"), "--dataset", "digits"), 2, "checkerboard", "digits")
}

// Points of a user's own, far from where noise lies, in two units.
func TestPointsInAFrame(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "own.csv")
	write(t, file, []byte("length,width\n1300,41\n1500,40\n1700,43\n1500,42.5\n1410,40.2\n1580,42\n"))
	set := "points:" + file
	args := []string{"--dataset", set, "--device", "cpu", "--hidden-dim", "64", "--batch-size", "256", "--iterations", "300", "--no-figures", "--output-dir", dir}
	if r := must(t, program(t, "train", nil, args...)); !strings.Contains(r.errOut, "less (1498.3, 41.45)") {
		t.Errorf("not said where the points are laid: %s", r.errOut)
	}
	ckpt, out := filepath.Join(dir, "cfm/points-own/ckpt.pth"), filepath.Join(dir, "s.npz")
	must(t, program(t, "sample", nil, "--checkpoint", ckpt, "--num-samples", "400", "--frames", "3", "--npz", out)) // without the file's name
	s, err := npz.OpenSamples(out)
	if err != nil {
		t.Fatal(err)
	}
	var mean [2]float64
	for i, v := range s.X {
		mean[i%2] += float64(v) / 400
	}
	if math.Abs(mean[0]-1498) > 60 || math.Abs(mean[1]-41.45) > 0.6 {
		t.Errorf("the samples' middle is %v", mean)
	}
	if r := must(t, program(t, "evaluate", nil, "--dataset", set, "--output-dir", dir, "--num-samples", "100", "--measures", "sw2", "--solvers", "euler:4")); !strings.Contains(r.errOut, "as the flow takes them") {
		t.Errorf("not said what the distances are of: %s", r.errOut)
	}
	must(t, program(t, "reflow", nil, "--dataset", set, "--output-dir", dir, "--iterations", "2", "--batch-size", "16", "--no-figures"))
	must(t, program(t, "compare", nil, "--dataset", set, "--output-dir", dir, "--figure-samples", "500", "--frames", "2", "--solvers", "euler:1", "--quality-samples", "200"))
	must(t, program(t, "train", nil, append(args, "--resume")...))
	write(t, file, []byte("1300,41\n1500,40\n1900,43\n"))
	refused(t, program(t, "train", nil, append(args, "--resume", "--quiet")...), 2, "has changed", "--fresh")
}

// scaled copies a checkpoint of points, without its record and with all its weights times a factor.
func scaled(t *testing.T, path string, factor float64) string {
	t.Helper()
	f, err := pth.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	bad := &weights.Dict{}
	for name, w := range f.Tensors.All() {
		v, err := w.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		for i := range v {
			v[i] *= float32(factor)
		}
		bad.Set(name, weights.FromFloat32(v, w.Shape...))
	}
	to := filepath.Join(t.TempDir(), "scaled.pth")
	if err := pth.WriteFile(to, &weights.File{Tensors: bad}); err != nil {
		t.Fatal(err)
	}
	return to
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
