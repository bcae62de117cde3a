package trainer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flowmatch/flow"
	"flowmatch/trainer/tfevents"
)

// boarded trains in a folder up to a step, with event files if board is set, and
// gives what metrics.jsonl has then.
func boarded(t *testing.T, dir string, from *State, steps int, board bool) []Metric {
	t.Helper()
	r := planeRun(t, config(260), dir)
	defer r.Folder.Close()
	r.MaxSteps = steps
	if board {
		picture := func(step int) Picture { return Picture{step, "samples", dots(t, step), image.Pt(step, 1)} }
		b := &TensorBoard{Dir: filepath.Join(dir, TensorBoardDir), Earlier: func(after, upto int) (all []Picture) {
			for step := after/50*50 + 50; step <= upto; step += 50 {
				all = append(all, picture(step))
			}
			return all
		}}
		pictures := &curious{every: 50, f: func(step int, _ flow.Velocity) error {
			return b.Picture(picture(step))
		}}
		r.Observers = []Observer{pictures, b} // a file's last record is the scalars of a step
	}
	if _, err := r.Train(context.Background(), from); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, MetricsFile))
	if err != nil {
		t.Fatal(err)
	}
	var all []Metric
	for line := range strings.Lines(string(b)) {
		var m Metric
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

// dots is a picture that is as wide as a step's number.
func dots(t *testing.T, step int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, step, 1))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// wantPictures are those that a run of so many steps has shown.
func wantPictures(steps int) map[int]int {
	all := map[int]int{}
	for s := 50; s <= steps; s += 50 {
		all[s] = s
	}
	return all
}

// shownPictures are the widths of the pictures that a reader of the event files sees.
func shownPictures(t *testing.T, dir string) map[int]int {
	t.Helper()
	out := map[int]int{}
	names, err := tfevents.Files(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		err := tfevents.Read(filepath.Join(dir, name), func(e tfevents.Event) {
			for s := range out {
				if e.Start && s >= int(e.Step) {
					delete(out, s)
				}
			}
			for _, p := range e.Pictures {
				if _, twice := out[int(e.Step)]; twice || p.Tag != "samples" {
					t.Errorf("step %d: %s, is there before: %v", e.Step, p.Tag, twice)
				}
				if img, err := png.Decode(bytes.NewReader(p.PNG)); err != nil || img.Bounds().Dx() != p.Width {
					t.Errorf("step %d: %v", e.Step, err)
				}
				out[int(e.Step)] = p.Width
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// shown is what a reader of the event files sees, as their format has it: what is
// taken back is gone, and a damaged record ends its file.
func shown(t *testing.T, dir string) map[string]map[int]float64 {
	t.Helper()
	out := map[string]map[int]float64{}
	names, err := tfevents.Files(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		err := tfevents.Read(filepath.Join(dir, name), func(e tfevents.Event) {
			for _, steps := range out {
				for s := range steps {
					if e.Start && s >= int(e.Step) {
						delete(steps, s)
					}
				}
			}
			for _, s := range e.Scalars {
				if out[s.Tag] == nil {
					out[s.Tag] = map[int]float64{}
				}
				if _, twice := out[s.Tag][int(e.Step)]; twice {
					t.Errorf("step %d is there twice", e.Step)
				}
				out[s.Tag][int(e.Step)] = float64(s.Value)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// same compares what is shown with metrics.jsonl.
func same(t *testing.T, got map[string]map[int]float64, want []Metric) {
	t.Helper()
	n := 0
	for _, m := range want {
		all := map[string]*float64{"loss": m.Loss, "grad_norm": m.GradNorm, "learning_rate": &m.Rate}
		for i, v := range m.LossByTime {
			all[fmt.Sprintf("loss_by_time/0.%d", i)] = v
		}
		for tag, v := range all {
			n++
			if g, ok := got[tag][m.Step]; !ok || v == nil || math.Abs(g-*v) > 1e-6*math.Abs(*v) {
				t.Fatalf("%s of step %d is %v, want %v", tag, m.Step, g, v)
			}
		}
	}
	for _, steps := range got {
		n -= len(steps)
	}
	if n != 0 {
		t.Errorf("%d scalars too few", n)
	}
}

// Whatever a run went through, its event files show each step once, with what
// metrics.jsonl says of it.
func TestTensorBoard(t *testing.T) {
	dir := t.TempDir()
	board := filepath.Join(dir, TensorBoardDir)
	resume := func() *State {
		t.Helper()
		s, _, _, err := Newest(dir)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	boarded(t, dir, nil, 90, false)
	metrics := boarded(t, dir, resume(), 130, true)
	same(t, shown(t, board), metrics) // the steps before are in no file yet
	at130 := resume()
	boarded(t, dir, at130, 160, true)
	metrics = boarded(t, dir, at130, 150, true)
	same(t, shown(t, board), metrics) // done again, and not as far
	boarded(t, dir, resume(), 180, false)

	// A kill tears the last record of the last file: its step is written anew.
	names, err := tfevents.Files(board)
	if err != nil || len(names) != 3 {
		t.Fatalf("%v: %v", names, err)
	}
	last := filepath.Join(board, names[2])
	st, err := os.Stat(last)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(last, st.Size()-5); err != nil {
		t.Fatal(err)
	}
	metrics = boarded(t, dir, resume(), 260, true)
	same(t, shown(t, board), metrics)
	if got, want := shownPictures(t, board), wantPictures(260); !maps.Equal(got, want) {
		t.Errorf("pictures %v, want %v", got, want)
	}

	t.Run("read by TensorBoard", func(t *testing.T) {
		scalars, pictures := readByTensorBoard(t, board)
		same(t, scalars, metrics)
		if want := wantPictures(260); !maps.Equal(pictures, want) {
			t.Errorf("pictures %v, want %v", pictures, want)
		}
	})
}

// readByTensorBoard is what the package tensorboard sees: the scalars, and the widths of
// the pictures.
func readByTensorBoard(t *testing.T, dir string) (scalars map[string]map[int]float64, pictures map[int]int) {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err == nil {
		err = exec.Command(python, "-c", "import tensorboard").Run()
	}
	if err != nil {
		t.Skip("python3 has no package tensorboard")
	}
	const script = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
a = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "tensors": 0, "images": 0})
a.Reload()
print(json.dumps({
    "scalars": {tag: [(e.step, e.value) for e in a.Scalars(tag)] for tag in a.Tags()["scalars"]},
    "pictures": [(e.step, e.width) for e in a.Images("samples")],
}))`
	out, err := exec.Command(python, "-c", script, dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Scalars  map[string][][2]float64
		Pictures [][2]int
	}
	if err := json.Unmarshal(out, &read); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	all := map[string]map[int]float64{}
	for tag, events := range read.Scalars {
		all[tag] = map[int]float64{}
		for _, e := range events {
			if _, twice := all[tag][int(e[0])]; twice {
				t.Errorf("%s: step %v is there twice", tag, e[0])
			}
			all[tag][int(e[0])] = e[1]
		}
	}
	pictures = map[int]int{}
	for _, p := range read.Pictures {
		pictures[p[0]] = p[1]
	}
	return all, pictures
}

// What was not finite is told as such, and a tenth without a time not at all.
func TestScalars(t *testing.T) {
	one := 1.0
	m := Metric{Step: 100, GradNorm: &one, Rate: 0.5, LossByTime: []*float64{nil, &one}}
	got := m.scalars()
	tags := []string{}
	for _, s := range got {
		tags = append(tags, s.Tag)
	}
	if !slices.Equal(tags, []string{"loss", "grad_norm", "learning_rate", "loss_by_time/0.1"}) || got[0].Value == got[0].Value || got[1].Value != 1 {
		t.Errorf("%v", got)
	}
}

// After a record that may be torn nothing is written.
func TestTensorBoardFails(t *testing.T) {
	b := &TensorBoard{Dir: t.TempDir()}
	if err := b.Start(nil); err != nil {
		t.Fatal(err)
	}
	good := b.f.(*os.File)
	defer good.Close()
	before, err := good.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if b.f, err = os.Open(good.Name()); err != nil { // cannot be written to
		t.Fatal(err)
	}
	look := Look{Steps: []Metric{{Step: 1}}}
	if err := b.Look(look); err == nil || !strings.Contains(err.Error(), "TensorBoard") {
		t.Errorf("a failed write is told as %v", err)
	}
	b.f.Close()
	b.f = good
	if err := b.Look(look); err == nil {
		t.Error("the file goes on after a failed write")
	}
	if after, err := good.Stat(); err != nil || after.Size() != before.Size() {
		t.Errorf("%v bytes, want %v: %v", after.Size(), before.Size(), err)
	}
	if err := (&TensorBoard{Dir: filepath.Join(good.Name(), "x")}).Start(nil); err == nil {
		t.Error("a file was taken for a folder")
	}
}
