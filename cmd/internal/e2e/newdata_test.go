package e2e

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flowmatch/trainer"
)

// shaded is a small picture by which a file is known again.
func shaded(t *testing.T, shade int) []byte {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, 8, 8))
	for k := range 64 {
		img.Set(k%8, k/8, color.NRGBA{uint8(shade), uint8(4 * k), uint8(255 - shade), 255})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// layPictures makes a folder of pictures, given by class/name and shade.
func layPictures(t *testing.T, dir string, pictures map[string]int) {
	t.Helper()
	for name, shade := range pictures {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), shaded(t, shade))
	}
}

// A run goes on with the pictures that it began with, and with others only if that is
// asked for; what has changed is named, and recorded.
func TestNewData(t *testing.T) {
	one, two, out := filepath.Join(t.TempDir(), "few"), filepath.Join(t.TempDir(), "few"), t.TempDir()
	pictures := map[string]int{}
	for i := range 4 {
		pictures[fmt.Sprintf("a/%d.png", i)] = 10 * i
		pictures[fmt.Sprintf("b/%d.png", i)] = 100 + 10*i
	}
	layPictures(t, one, pictures)
	layPictures(t, two, pictures) // the same elsewhere
	run := func(dir string, steps int, more ...string) result {
		return program(t, "train", nil, append([]string{"--dataset", "folder:" + dir, "--image-size", "8", "--device", "cpu", "--precision", "fp32", "--num-channels", "32",
			"--num-res-blocks", "1", "--channel-mult", "1", "--attention-resolutions", "none", "--batch-size", "4", "--epochs", "10", "--max-steps", fmt.Sprint(steps),
			"--no-figures", "--output-dir", out}, more...)...)
	}
	must(t, run(one, 2))
	must(t, run(two, 3, "--resume"))

	// The list of the files is missing, or something else: that is said, and what lay there is kept.
	list := filepath.Join(out, "cfm/folder-few/data.sha256")
	whole := read(t, list)
	if err := os.Remove(list); err != nil {
		t.Fatal(err)
	}
	if r := must(t, run(two, 3, "--resume")); strings.Count(r.errOut, "data.sha256, the list of the set's files, was missing: it is written anew") != 1 || !bytes.Equal(whole, read(t, list)) {
		t.Errorf("a missing list: %s", r.errOut)
	}
	for i, garbage := range []string{"garbage\n", strings.Repeat("0", 64) + "  a/0.png\n"} {
		write(t, list, []byte(garbage))
		kept := []string{"data.sha256.damaged", "data.sha256.damaged-2"}[i]
		r := must(t, run(two, 3, "--resume"))
		if !strings.Contains(r.errOut, "it is kept as "+kept+", and written anew") || string(read(t, filepath.Join(filepath.Dir(list), kept))) != garbage || !bytes.Equal(whole, read(t, list)) {
			t.Errorf("%q: %s", garbage, r.errOut)
		}
	}
	if r := must(t, run(two, 3, "--resume")); strings.Contains(r.errOut, "data.sha256") {
		t.Errorf("a list as it was: %s", r.errOut)
	}

	// Nothing is changed before all is checked: a damaged state keeps its name where the list cannot be read, or where what
	// is asked for is refused.
	newest := filepath.Join(out, "cfm/folder-few/state.pth")
	good := read(t, newest)
	write(t, newest, []byte("damaged"))
	if err := os.Remove(list); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("data.sha256", list); err != nil {
		t.Fatal(err)
	}
	refused(t, run(two, 3, "--resume", "--quiet"), 1, "data.sha256")
	if err := os.Remove(list); err != nil {
		t.Fatal(err)
	}
	write(t, list, whole)
	refused(t, run(two, 3, "--resume", "--quiet", "--learning-rate", "0.5"), 2, "--learning-rate 0.5")
	if got := read(t, newest); string(got) != "damaged" {
		t.Error("the damaged state was moved")
	}
	write(t, newest, good)

	// A picture added: the plan of 10 epochs would be longer, and is not blamed.
	write(t, filepath.Join(two, "a/4.png"), shaded(t, 77))
	write(t, filepath.Join(two, "a/5.png"), shaded(t, 78))
	write(t, filepath.Join(two, "a/6.png"), shaded(t, 79))
	write(t, filepath.Join(two, "a/7.png"), shaded(t, 80))
	refused(t, run(two, 4, "--resume", "--quiet"), 2, "not what the run was trained on: 4 added (a/4.png, a/5.png, and 2 more)", "--fresh", "--new-data")
	// A class renamed, a picture replaced, one gone.
	renamed := filepath.Join(t.TempDir(), "few")
	changed := map[string]int{"a/0.png": 1, "a/1.png": 10, "a/2.png": 20, "c/0.png": 100, "c/1.png": 110, "c/2.png": 120, "c/3.png": 130}
	layPictures(t, renamed, changed)
	refused(t, run(renamed, 4, "--resume", "--quiet"), 2, "1 gone (a/3.png), 1 replaced (a/0.png), 4 renamed (b/0.png is now c/0.png,", "it has the classes c instead of b")
	// Only with --resume, and not into other classes.
	refused(t, run(two, 4, "--new-data"), 2, "--new-data goes with --resume")
	more := filepath.Join(t.TempDir(), "few")
	layPictures(t, more, map[string]int{"a/0.png": 0, "a/1.png": 1, "b/0.png": 2, "c/0.png": 3})
	refused(t, run(more, 4, "--resume", "--new-data", "--quiet"), 2, "2 classes", "3 now", "--fresh")
	r := run(more, 4, "--resume", "--quiet")
	refused(t, r, 2, "it has the classes c too", "--fresh")
	if strings.Contains(r.errOut, "--new-data") {
		t.Errorf("advice that leads nowhere: %s", r.errOut)
	}

	r = must(t, run(two, 4, "--resume", "--new-data"))
	if !strings.Contains(r.errOut, "going on with other data than before: 4 added") || !strings.Contains(r.errOut, "the planned length stays 20 steps") {
		t.Errorf("%s", r.errOut)
	}
	state, err := trainer.ReadState(filepath.Join(out, "cfm/folder-few/state.pth"))
	if err != nil {
		t.Fatal(err)
	}
	before := state.Record.Dataset.Before
	if len(before) != 1 || before[0].Steps != 3 || before[0].Data == state.Record.Dataset.Data || len(before[0].Data) != 64 {
		t.Errorf("the record has %+v", before)
	}
	// From now on these are the run's data, and the plan stays.
	must(t, run(two, 5, "--resume", "--quiet"))
	refused(t, run(one, 6, "--resume", "--quiet"), 2, "4 gone (a/4.png, a/5.png, and 2 more)")

	// evaluate says so once, and sample needs no data.
	r = must(t, program(t, "evaluate", nil, "--dataset", "folder:"+one, "--output-dir", out, "--device", "cpu", "--solvers", "euler:1", "--num-samples", "4", "--measures", "as_asked"))
	if strings.Count(r.errOut, "is not what the model was trained on: 4 gone (a/4.png") != 1 {
		t.Errorf("%s", r.errOut)
	}
	r = must(t, program(t, "evaluate", nil, "--dataset", "folder:"+two, "--output-dir", out, "--device", "cpu", "--solvers", "euler:1", "--num-samples", "4", "--measures", "as_asked"))
	if strings.Contains(r.errOut, "not what the model") {
		t.Errorf("%s", r.errOut)
	}
	must(t, program(t, "sample", nil, "--dataset", "folder:/gone/few", "--output-dir", out, "--device", "cpu", "--samples-per-class", "1", "--steps", "1", "--no-figures", "--npz", filepath.Join(out, "x.npz")))
}
