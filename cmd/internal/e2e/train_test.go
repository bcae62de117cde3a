package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"image/gif"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/wangkuiyi/gotorch/pth"

	"flowmatch/datasets/npz"
)

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// In float32 on the processor, 40 steps at once and 25 + 15 with a stop
// between give the same bytes.
func TestResumeIsExact(t *testing.T) {
	once, twice := t.TempDir(), t.TempDir()
	must(t, program(t, "train", nil, tiny(once)...))
	must(t, program(t, "train", nil, tiny(twice, "--max-steps", "25")...))
	r := must(t, program(t, "train", nil, tiny(twice, "--resume", "--json", "--no-figures")...))
	if !strings.Contains(r.errOut, "going on after step 25") {
		t.Errorf("%q does not say where it goes on", r.errOut)
	}
	var end struct {
		Files []string
		Steps int
		New   int `json:"new_steps"`
		Pace  [][2]float64
		Bytes int64 `json:"peak_bytes"`
	}
	if err := json.Unmarshal([]byte(r.out), &end); err != nil || end.Steps != 40 || end.New != 15 || end.Bytes < 1<<20 {
		t.Errorf("%q: %v", r.out, err)
	}
	if n := len(end.Pace); n < 2 || end.Pace[0] != [2]float64{25, 0} || end.Pace[n-1][0] != 40 {
		t.Errorf("pace %v", end.Pace)
	}
	if len(end.Files) == 0 || end.Files[0] != filepath.Join(twice, "cfm/digits/ckpt.pth") { // the others are in files_test.go
		t.Errorf("files %v", end.Files)
	}
	for _, name := range []string{"ckpt.pth", "state.pth", "metrics.jsonl"} {
		a, b := read(t, filepath.Join(once, "cfm/digits", name)), read(t, filepath.Join(twice, "cfm/digits", name))
		if !bytes.Equal(a, b) {
			t.Errorf("%s differs", name)
		}
	}
	// Already there: a note, and nothing changes.
	must(t, program(t, "train", nil, tiny(twice, "--resume")...)) // which draws what is not drawn yet
	before := times(t, filepath.Join(twice, "cfm/digits"))
	r = must(t, program(t, "train", nil, tiny(twice, "--resume")...))
	if now := times(t, filepath.Join(twice, "cfm/digits")); !strings.Contains(r.errOut, "already") || !maps.Equal(before, now) {
		t.Errorf("a finished run, which has nothing new: %q, %v, %v", r.errOut, before, now)
	}
}

func TestFolderThatHoldsARun(t *testing.T) {
	dir := t.TempDir()
	r := must(t, program(t, "train", nil, tiny(dir, "--max-steps", "3", "--resume")...))
	if !strings.Contains(r.errOut, "holds no run") {
		t.Errorf("%q", r.errOut)
	}
	run := filepath.Join(dir, "cfm/digits")
	refused(t, program(t, "train", nil, tiny(dir)...), 2, "--resume", "--fresh")
	refused(t, program(t, "train", nil, tiny(dir, "--quiet", "--resume", "--learning-rate", "0.5")...), 2, "--learning-rate 0.5", "was 0.002")
	must(t, program(t, "train", nil, tiny(dir, "--max-steps", "2", "--fresh")...))
	if _, err := os.Stat(run + ".old-1/state.pth"); err != nil {
		t.Errorf("the old run is gone: %v", err)
	}
	// A damaged state falls back to the one before, and says so.
	must(t, program(t, "train", nil, tiny(dir, "--max-steps", "4", "--resume")...))
	state := filepath.Join(run, "state.pth")
	b := read(t, state)
	b[len(b)/2] ^= 1
	write(t, state, b)
	r = must(t, program(t, "train", nil, tiny(dir, "--max-steps", "4", "--resume")...))
	if !strings.Contains(r.errOut, "passed over") || !strings.Contains(r.errOut, "going on after step 2, from state-prev.pth") {
		t.Errorf("%q", r.errOut)
	}
	// That is said with --quiet, too.
	write(t, state, b)
	r = must(t, program(t, "train", nil, tiny(dir, "--quiet", "--max-steps", "4", "--resume")...))
	if !strings.HasPrefix(r.errOut, "note: passed over: ") || strings.Count(r.errOut, "\n") != 1 {
		t.Errorf("%q", r.errOut)
	}
	// A state behind a link to what is not there may be the newest one.
	if err := errors.Join(os.Remove(state), os.Symlink("away/state.pth", state)); err != nil {
		t.Fatal(err)
	}
	prev := read(t, filepath.Join(run, "state-prev.pth"))
	refused(t, program(t, "train", nil, tiny(dir, "--quiet", "--resume")...), 1, "a link to what is not there", "nothing was changed")
	if !bytes.Equal(prev, read(t, filepath.Join(run, "state-prev.pth"))) {
		t.Error("the state before was changed")
	}
	if err := os.Remove(state); err != nil {
		t.Fatal(err)
	}
	refused(t, program(t, "train", nil, tiny(dir, "--resume-from", filepath.Join(run, "ckpt.pth"))...), 1, "the weights of a run", "--init-from")
	// With none valid it never starts at step 0 by itself.
	for _, name := range []string{"state.pth", "state-prev.pth"} {
		write(t, filepath.Join(run, name), []byte("rubbish"))
	}
	refused(t, program(t, "train", nil, tiny(dir, "--quiet", "--resume")...), 1, "none of its states")
}

// A run that diverges ends with 3, however short it is.
func TestShortRunDiverges(t *testing.T) {
	for _, steps := range []string{"3", "20"} {
		refused(t, program(t, "train", nil, "--dataset", "moons", "--device", "cpu", "--hidden-dim", "16", "--batch-size", "16", "--iterations", steps,
			"--learning-rate", "1e6", "--warmup", "0", "--schedule", "constant", "--no-figures", "--quiet"), 3, "diverged", "--learning-rate")
	}
}

// A signal saves, says how to go on, and gives the documented status.
func TestInterrupt(t *testing.T) {
	for s, status := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
		dir := t.TempDir()
		cmd := command(t, dir, "train", nil, tiny(dir, "--iterations", "100000", "--json")...)
		var out, results bytes.Buffer
		cmd.Stdout, cmd.Stderr = &results, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		untilSteps(t, cmd, filepath.Join(dir, "cfm/digits"), 1)
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		if got := cmd.ProcessState.ExitCode(); got != status {
			t.Errorf("%v: status %d, want %d: %s", s, got, status, out.String())
		}
		if !strings.Contains(out.String(), "--resume goes on") {
			t.Errorf("%v: %q does not say how to go on", s, out.String())
		}
		if _, err := pth.Read(filepath.Join(dir, "cfm/digits/state.pth")); err != nil {
			t.Errorf("%v: %v", s, err)
		}
		var end struct{ Steps int }
		if err := json.Unmarshal(results.Bytes(), &end); err != nil || end.Steps < 1 {
			t.Errorf("%v: %q: %v", s, results.String(), err)
		}
	}
}

// The main job: train, sample, look at the files.
func TestTrainAndSample(t *testing.T) {
	dir := t.TempDir()
	trained := must(t, program(t, "train", nil, tiny(dir, "--progress-every", "15")...))
	run := filepath.Join(dir, "cfm/digits")
	for _, name := range []string{"progress/000015.png", "progress/000030.png"} {
		if _, err := png.Decode(bytes.NewReader(read(t, filepath.Join(run, name)))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if film, err := gif.DecodeAll(bytes.NewReader(read(t, filepath.Join(run, "progress.gif")))); err != nil || len(film.Image) != 2 || !strings.Contains(trained.out, filepath.Join(run, "progress.gif")) {
		t.Errorf("progress.gif: %v, %s", err, trained.out)
	}
	if img, err := png.Decode(bytes.NewReader(read(t, filepath.Join(run, "losses.png")))); err != nil || img.Bounds().Dx() < 500 {
		t.Errorf("losses.png: %v", err)
	}
	var first, last struct {
		Step int
		Loss float64
	}
	lines := bytes.Split(bytes.TrimSpace(read(t, filepath.Join(run, "metrics.jsonl"))), []byte("\n"))
	if len(lines) != 40 || json.Unmarshal(lines[0], &first) != nil || json.Unmarshal(lines[39], &last) != nil {
		t.Fatalf("metrics.jsonl has %d lines", len(lines))
	}
	if first.Step != 1 || last.Step != 40 || !(last.Loss < first.Loss) {
		t.Errorf("metrics go from %v to %v", first, last)
	}

	out := filepath.Join(dir, "s.npz")
	r := must(t, program(t, "sample", nil, "--dataset", "digits", "--output-dir", dir, "--classes", "3,7", "--samples-per-class", "4",
		"--method", "rk4", "--steps", "3", "--frames", "7", "--npz", out, "--format", "folder"))
	if !strings.Contains(r.errOut, "NFE 13") { // 3 steps of 4, one more for the frames
		t.Errorf("%q", r.errOut)
	}
	s, err := npz.OpenSamples(out)
	if err != nil {
		t.Fatal(err)
	}
	if s.Len() != 8 || len(s.X) != 8*64 || len(s.X0) != 8*64 || s.Y[0] != 3 || s.Y[3] != 3 || s.Y[4] != 7 {
		t.Errorf("%d samples, classes %v", s.Len(), s.Y)
	}
	film, err := gif.DecodeAll(bytes.NewReader(read(t, filepath.Join(run, "trajectory.gif"))))
	if err != nil || len(film.Image) != 7 {
		t.Errorf("trajectory.gif: %v", err)
	}
	if _, err := png.Decode(bytes.NewReader(read(t, filepath.Join(run, "final_samples.png")))); err != nil {
		t.Error(err)
	}
	if files, _ := filepath.Glob(filepath.Join(run, "samples/*-class-*.png")); len(files) != 8 {
		t.Errorf("samples/ has %d pictures", len(files))
	}
	// No older samples among the new ones.
	folder := []string{"--dataset", "digits", "--output-dir", dir, "--steps", "1", "--no-figures", "--samples-per-class", "1", "--classes", "5", "--format", "folder"}
	refused(t, program(t, "sample", nil, folder...), 2, "samples", "not empty", "--force")
	refused(t, program(t, "sample", nil, "--dataset", "digits", "--force"), 2, "--force", "--format folder")
	write(t, filepath.Join(run, "samples/notes.txt"), []byte("mine"))
	write(t, filepath.Join(run, "samples/.00003-class-7.png.tmp-ABC234"), nil)
	if r := must(t, program(t, "sample", nil, append(folder, "--force")...)); !strings.Contains(r.errOut, "1 file that sample did not write") {
		t.Errorf("%q does not say what stays", r.errOut)
	}
	var names []string
	entries, _ := os.ReadDir(filepath.Join(run, "samples"))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := "00000-class-5.png notes.txt"; strings.Join(names, " ") != want {
		t.Errorf("samples/ holds %v, want %s", names, want)
	}

	// Whatever the batch size, the same noise to the bit and the same samples
	// within 1e-4; from that noise, again the same.
	for name, args := range map[string][]string{
		"batch size": {"--classes", "3,7", "--samples-per-class", "4", "--batch-size", "3"},
		"init":       {"--init", out},
	} {
		again := filepath.Join(dir, "again.npz")
		must(t, program(t, "sample", nil, append([]string{"--dataset", "digits", "--output-dir", dir, "--no-figures",
			"--method", "rk4", "--steps", "3", "--npz", again}, args...)...))
		b, err := npz.OpenSamples(again)
		if err != nil {
			t.Fatal(err)
		}
		for i := range s.X {
			if d := s.X[i] - b.X[i]; s.X0[i] != b.X0[i] || d > 1e-4 || d < -1e-4 {
				t.Fatalf("%s: element %d: %v from %v, before %v from %v", name, i, b.X[i], b.X0[i], s.X[i], s.X0[i])
			}
		}
	}

	ckpt := filepath.Join(run, "ckpt.pth")
	refused(t, program(t, "sample", nil, "--checkpoint", ckpt, "--classes", "10"), 2, "--classes 10", "0 to 9")
	refused(t, program(t, "sample", nil, "--checkpoint", ckpt, "--num-channels", "64"), 2, "record")
	refused(t, program(t, "sample", nil, "--checkpoint", ckpt, "--dataset", "mnist"), 2, "mnist")

	// There and back again through safetensors.
	st, back := filepath.Join(dir, "m.safetensors"), filepath.Join(dir, "back.pth")
	must(t, program(t, "convert", nil, ckpt, st))
	must(t, program(t, "convert", nil, st, back))
	if !bytes.Equal(read(t, ckpt), read(t, back)) {
		t.Error("the way through safetensors changed ckpt.pth")
	}
	if r := must(t, program(t, "convert", nil, "--list", st)); !strings.Contains(r.out, "label_emb.weight") {
		t.Errorf("%q", r.out)
	}

	damaged := filepath.Join(dir, "damaged.pth")
	write(t, damaged, read(t, ckpt)[:1000])
	refused(t, program(t, "sample", nil, "--checkpoint", damaged), 1, "damaged.pth")
	refused(t, program(t, "sample", nil, "--checkpoint", filepath.Join(dir, "none.pth")), 1, "none.pth")
	refused(t, program(t, "sample", nil, "--dataset", "mnist", "--output-dir", dir), 1, "train --dataset mnist")
}

// Real data where there is some: three steps on the 60,000 images.
func TestMNIST(t *testing.T) {
	data := os.Getenv("FLOWMATCH_TEST_DATA")
	if data == "" {
		t.Skip("FLOWMATCH_TEST_DATA does not name a folder with mnist/")
	}
	dir := t.TempDir()
	r := must(t, program(t, "train", nil, "--dataset", "mnist", "--data-dir", data, "--device", "cpu", "--output-dir", dir,
		"--num-channels", "32", "--num-res-blocks", "1", "--attention-resolutions", "none", "--batch-size", "16", "--max-steps", "3"))
	if !strings.Contains(r.errOut, "60,000 images of 1x28x28") {
		t.Errorf("%q", r.errOut)
	}
	must(t, program(t, "sample", nil, "--dataset", "mnist", "--output-dir", dir, "--classes", "3", "--samples-per-class", "4", "--steps", "2"))
}

// Small files in MNIST's format, compressed, are read the same way.
func TestMNISTFormat(t *testing.T) {
	data := t.TempDir()
	dir := filepath.Join(data, "mnist")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	pixels, labels := make([]byte, 64*784), make([]byte, 64)
	for i := range pixels {
		pixels[i] = byte(i)
	}
	for i := range labels {
		labels[i] = byte(i % 10)
	}
	gzipped(t, filepath.Join(dir, "train-images-idx3-ubyte.gz"), idx(0x803, []uint32{64, 28, 28}, pixels))
	gzipped(t, filepath.Join(dir, "train-labels-idx1-ubyte.gz"), idx(0x801, []uint32{64}, labels))
	r := must(t, program(t, "train", nil, "--dataset", "mnist", "--data-dir", data, "--device", "cpu", "--output-dir", t.TempDir(),
		"--num-channels", "32", "--num-res-blocks", "1", "--channel-mult", "1,1,1", "--attention-resolutions", "none", "--batch-size", "8", "--epochs", "1"))
	if !strings.Contains(r.errOut, "8 steps in") {
		t.Errorf("%q", r.errOut)
	}
}

func TestDoctor(t *testing.T) {
	r := must(t, built(t, t.TempDir(), "doctor", nil, "--json"))
	var all []struct {
		Name string
		OK   bool
	}
	if err := json.Unmarshal([]byte(r.out), &all); err != nil || len(all) < 6 {
		t.Fatalf("%v: %s", err, r.out)
	}
	r = built(t, t.TempDir(), "doctor", []string{"LIBTORCH=/nonexistent"})
	if r.status != 1 || !strings.Contains(r.out, "/nonexistent") {
		t.Errorf("without libtorch: %+v", r)
	}
	r = must(t, built(t, t.TempDir(), "doctor", nil, "--device", "cpu", "--threads", "1", "--data-dir", t.TempDir()))
	for _, want := range []string{"threads: 1", "ready: checkerboard", "not asked for"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("%q is missing from %q", want, r.out)
		}
	}
	if quiet := must(t, built(t, t.TempDir(), "doctor", nil, "--device", "cpu", "--quiet")); strings.Contains(quiet.out, "ok ") {
		t.Errorf("--quiet prints what is right: %q", quiet.out)
	}
}

// times are those of the last change of what is in a folder, but for its lock.
func times(t *testing.T, dir string) map[string]int64 {
	t.Helper()
	all := map[string]int64{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		in, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(e.Name(), ".") {
			all[e.Name()] = in.ModTime().UnixNano()
		}
	}
	return all
}
