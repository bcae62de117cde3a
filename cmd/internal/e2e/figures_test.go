package e2e

import (
	"bytes"
	"encoding/json"
	"image/gif"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wangkuiyi/gotorch/pth"
)

// planeRun are flags of a short training of points with small figures.
func planeRun(set, dir string, more ...string) []string {
	return append([]string{"--dataset", set, "--device", "cpu", "--precision", "fp32", "--batch-size", "64",
		"--iterations", "20", "--figure-samples", "2000", "--output-dir", dir}, more...)
}

// figureFiles are the checkpoint and the figures of a run of points.
func figureFiles(dir, slug string) []string {
	var paths []string
	for _, f := range []string{"ckpt.pth", "losses.png", "ode_sampling_evolution_" + slug + ".png", "vector_field_and_samples_" + slug + ".gif", "likelihood_" + slug + ".png"} {
		paths = append(paths, filepath.Join(dir, slug, f))
	}
	return paths
}

// drawn fails the test unless the run has its five files, and has named all that it has, the
// checkpoint first.
func drawn(t *testing.T, r result, dir, slug string) {
	t.Helper()
	want := figureFiles(dir, slug)
	entries, err := os.ReadDir(filepath.Join(dir, slug))
	if err != nil {
		t.Fatal(err)
	}
	var got, all []string
	for _, path := range strings.Fields(r.out) {
		if filepath.Dir(path) == filepath.Join(dir, slug) {
			got = append(got, path)
		}
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !strings.HasPrefix(e.Name(), "round-") {
			all = append(all, filepath.Join(dir, slug, e.Name()))
		}
	}
	slices.Sort(all)
	if len(got) == 0 || got[0] != want[0] || !slices.Equal(slices.Sorted(slices.Values(got)), all) {
		t.Errorf("%v were printed, want %v", got, all)
	}
	for _, path := range want {
		data := read(t, path)
		switch filepath.Ext(path) {
		case ".png":
			if img, err := png.Decode(bytes.NewReader(data)); err != nil || img.Bounds().Dx() < 700 {
				t.Errorf("%s: %v", path, err)
			}
		case ".gif":
			film, err := gif.DecodeAll(bytes.NewReader(data))
			if err != nil {
				t.Errorf("%s: %v", path, err)
			} else if len(film.Image) != 101 || film.Delay[0] != 5 || len(data) > 8_000_000 {
				t.Errorf("%s: %d frames, a delay of %d, %d bytes", path, len(film.Image), film.Delay[0], len(data))
			}
		}
	}
}

// A run of points has five files: of a set, of a picture and of a list of points
// of the user's; reflow's are the same, and compare draws both.
func TestFigures(t *testing.T) {
	dir := t.TempDir()
	drawn(t, must(t, program(t, "train", nil, planeRun("moons", dir, "--hidden-dim", "32")...)), filepath.Join(dir, "cfm"), "moons")
	drawn(t, must(t, program(t, "reflow", nil, planeRun("moons", dir, "--steps", "2")...)), filepath.Join(dir, "reflow"), "moons")

	// --fresh moves nothing aside where the new run cannot start.
	r := program(t, "reflow", nil, planeRun("moons", dir, "--steps", "2", "--quiet", "--fresh", "--device", "cuda:99")...)
	refused(t, r, 1, "cuda:99")
	if _, err := os.Stat(filepath.Join(dir, "reflow/moons/state.pth")); err != nil {
		t.Errorf("the run was moved aside: %v", err)
	}

	// Nothing is left to train, but the pictures are drawn again.
	evolution := figureFiles(filepath.Join(dir, "cfm"), "moons")[2]
	before := read(t, evolution)
	if err := os.Remove(evolution); err != nil {
		t.Fatal(err)
	}
	r = must(t, program(t, "train", nil, planeRun("moons", dir, "--hidden-dim", "32", "--resume")...))
	drawn(t, r, filepath.Join(dir, "cfm"), "moons")
	if !strings.Contains(r.errOut, "nothing is left to do") || !bytes.Equal(before, read(t, evolution)) {
		t.Errorf("the same weights gave another picture: %s", r.errOut)
	}

	r = must(t, program(t, "compare", nil, "--dataset", "moons", "--output-dir", dir, "--device", "cpu", "--figure-samples", "2000",
		"--quality-samples", "500", "--frames", "5", "--solvers", "euler:1,midpoint:4,dopri5", "--json"))
	var report struct {
		Dataset string
		Floor   float64 `json:"sw2_floor"`
		Film    string
		Figure  string
		Models  []struct {
			Name, Checkpoint string
			Results          []struct {
				Method     string
				Steps, NFE int
				SW2, NLL   float64
			}
		}
	}
	if err := json.Unmarshal([]byte(r.out), &report); err != nil {
		t.Fatalf("%v: %s", err, r.out)
	}
	if report.Dataset != "moons" || len(report.Models) != 2 || !(report.Floor > 0) {
		t.Fatalf("%+v", report)
	}
	for k, kind := range []string{"cfm", "reflow"} {
		m := report.Models[k]
		if m.Checkpoint != filepath.Join(dir, kind, "moons/ckpt.pth") || len(m.Results) != 3 {
			t.Errorf("%+v", m)
			continue
		}
		for i, want := range []struct {
			method     string
			steps, nfe int
		}{{"euler", 1, 1}, {"midpoint", 4, 8}, {"dopri5", 0, m.Results[2].NFE}} {
			if e := m.Results[i]; e.Method != want.method || e.Steps != want.steps || e.NFE != want.nfe || !(e.SW2 > report.Floor) || e.NLL == 0 {
				t.Errorf("%+v, want %+v", e, want)
			}
		}
	}
	if film, err := gif.DecodeAll(bytes.NewReader(read(t, report.Film))); err != nil || len(film.Image) != 5 {
		t.Errorf("%s: %v", report.Film, err)
	}
	if report.Film != filepath.Join(dir, "comparisons/cfm_reflow_moons.gif") {
		t.Error(report.Film)
	}
	if _, err := png.Decode(bytes.NewReader(read(t, report.Figure))); err != nil {
		t.Error(err)
	}

	file := filepath.Join(t.TempDir(), "ring.csv")
	write(t, file, []byte("1,0\n0,1\n-1,0\n0,-1\n0.7,0.7\n"))
	set := "points:" + file
	drawn(t, must(t, program(t, "train", nil, planeRun(set, dir, "--hidden-dim", "16")...)), filepath.Join(dir, "cfm"), "points-ring")
	picture := filepath.Join(root, "viz/testdata/digits.png")
	drawn(t, must(t, program(t, "train", nil, planeRun("image:"+picture, dir, "--hidden-dim", "16")...)), filepath.Join(dir, "cfm"), "image-digits")
}

// A stop while pictures are drawn leaves the checkpoint, and the same command
// with --resume draws them.
func TestInterruptedFigures(t *testing.T) {
	dir := t.TempDir()
	cmd := command(t, dir, "train", nil, planeRun("moons", dir, "--hidden-dim", "64", "--figure-samples", "20000000")...)
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ckpt := filepath.Join(dir, "cfm/moons/ckpt.pth")
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(dir, "cfm/moons/losses.png")); err == nil {
			break // after it come the samples
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != 143 {
		t.Errorf("status %d: %s", got, errOut.String())
	}
	if !strings.Contains(errOut.String(), "with --resume draws them") {
		t.Errorf("%s", errOut.String())
	}
	if _, err := pth.Read(ckpt); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "cfm/moons/*moons*")); len(left) != 0 {
		t.Errorf("%v are there", left)
	}
	drawn(t, must(t, program(t, "train", nil, planeRun("moons", dir, "--hidden-dim", "64", "--resume")...)), filepath.Join(dir, "cfm"), "moons")
}

func TestFigureFlags(t *testing.T) {
	refused(t, program(t, "train", noLibtorch, "--dataset", "moons", "--figure-samples", "1"), 2, "--figure-samples 1")
	refused(t, program(t, "train", noLibtorch, "--dataset", "moons", "--figure-samples", "10", "--no-figures"), 2, "--no-figures")
	refused(t, program(t, "train", noLibtorch, "--dataset", "digits", "--figure-samples", "10"), 2, "--figure-samples", "digits")
	refused(t, program(t, "compare", noLibtorch), 2, "--dataset")
	refused(t, program(t, "compare", noLibtorch, "--dataset", "mons"), 2, "moons")
	refused(t, program(t, "compare", noLibtorch, "--dataset", "moons", "--solvers", "euler"), 2, "--solvers")
	refused(t, program(t, "compare", noLibtorch, "--dataset", "moons", "--solvers", "dopri5:3"), 2, "dopri5")
	refused(t, program(t, "compare", noLibtorch, "--dataset", "moons", "--method", "dopri5", "--steps", "3"), 2, "--steps", "--rtol")
	refused(t, program(t, "compare", noLibtorch, "--dataset", "moons", "--frames", "1"), 2, "--frames 1")
	refused(t, program(t, "compare", noLibtorch, "--dataset", "moons", "--grid-size", "0"), 2, "--grid-size 0")
	refused(t, program(t, "compare", noLibtorch, "--dataset", "moons", "--fps", "60"), 2, "--fps 60")
	refused(t, program(t, "compare", noLibtorch, "--dataset", "moons", "--precision", "bf16"), 2, "bf16")

	dir := t.TempDir()
	refused(t, program(t, "compare", noLibtorch, "--dataset", "moons", "--output-dir", dir), 1, "cfm/moons/ckpt.pth", "train --dataset moons")
	r := must(t, program(t, "train", nil, planeRun("moons", dir, "--hidden-dim", "16", "--figure-samples=2", "--max-steps", "3")...))
	drawn(t, r, filepath.Join(dir, "cfm"), "moons") // two samples are enough
	refused(t, program(t, "compare", noLibtorch, "--dataset", "moons", "--output-dir", dir), 1, "reflow/moons/ckpt.pth", "reflow --pairs 100000 --dataset moons", "--reflow-checkpoint")
}

// Images: samples of both models in few steps.
func TestCompareImages(t *testing.T) {
	dir := t.TempDir()
	must(t, program(t, "train", nil, tiny(dir, "--max-steps", "3", "--no-figures")...))
	ckpt := filepath.Join(dir, "cfm/digits/ckpt.pth")
	r := must(t, program(t, "compare", nil, "--dataset", "digits", "--output-dir", dir, "--device", "cpu", "--steps", "3",
		"--checkpoint", ckpt, "--reflow-checkpoint", ckpt))
	path := filepath.Join(dir, "comparisons/cfm_reflow_digits.png")
	if strings.TrimSpace(r.out) != path {
		t.Errorf("%q", r.out)
	}
	img, err := png.Decode(bytes.NewReader(read(t, path)))
	if err != nil {
		t.Fatal(err)
	}
	if b := img.Bounds(); b.Dy() < 8*8*4 {
		t.Errorf("%v has no room for eight rows", b)
	}
	refused(t, program(t, "compare", nil, "--dataset", "digits", "--output-dir", dir, "--checkpoint", ckpt, "--reflow-checkpoint", ckpt, "--figure-samples", "100"), 2, "--figure-samples", "digits")
}
