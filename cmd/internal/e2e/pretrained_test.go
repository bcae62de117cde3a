package e2e

import (
	"bytes"
	"image/gif"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A picture without anything trained, in a folder that has nothing.
func TestPretrained(t *testing.T) {
	dir := t.TempDir()
	must(t, programIn(t, dir, "sample", nil, "--pretrained", "digits", "--classes", "3", "--samples-per-class", "16", "--steps", "2", "--frames", "3"))
	run := filepath.Join(dir, "outputs/pretrained/digits")
	if _, err := os.Stat(filepath.Join(dir, "outputs/cfm")); !os.IsNotExist(err) {
		t.Errorf("a model of the program's own draws among the user's: %v", err)
	}
	img, err := png.Decode(bytes.NewReader(read(t, filepath.Join(run, "final_samples.png"))))
	if err != nil {
		t.Fatal(err)
	}
	// What was asked for is shown: a block of 4 x 4 and a title above it.
	if b := img.Bounds(); b.Dx() < 4*100 || b.Dy() < b.Dx() || b.Dy() > b.Dx()+60 {
		t.Errorf("16 samples of a class make a picture of %v", b)
	}
	if film, err := gif.DecodeAll(bytes.NewReader(read(t, filepath.Join(run, "trajectory.gif")))); err != nil || len(film.Image) != 3 {
		t.Errorf("trajectory.gif: %v", err)
	}
	r := must(t, programIn(t, dir, "compare", nil, "--pretrained", "checkerboard", "--solvers", "euler:1", "--quality-samples", "200",
		"--figure-samples", "400", "--frames", "2", "--steps", "2"))
	const begin = "comparing checkerboard, in the program (flow matching, after 7,500 steps) with checkerboard-reflow, in the program (rectified, after 2,000 steps); pictures go to outputs/pretrained/checkerboard/\n"
	if !strings.HasPrefix(r.errOut, begin) {
		t.Errorf("it does not begin with what is compared: %s", r.errOut)
	}
	for _, name := range []string{".gif", "_paths.png", "_quality.png"} {
		if _, err := os.Stat(filepath.Join(dir, "outputs/pretrained/checkerboard/cfm_reflow_checkerboard"+name)); err != nil {
			t.Error(err)
		}
	}
	refused(t, programIn(t, dir, "sample", nil, "--pretrained", "digit"), 2, "--pretrained", "checkerboard or digits")
	refused(t, programIn(t, dir, "sample", nil, "--pretrained", "digits", "--dataset", "digits"), 2, "--pretrained", "--dataset")
	refused(t, programIn(t, dir, "compare", nil, "--pretrained", "digits"), 2, "--pretrained digits", "checkerboard")
}
