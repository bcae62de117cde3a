package trainer

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/pth"
	"github.com/wangkuiyi/gotorch/regular"
	"github.com/wangkuiyi/gotorch/safetensors"
	"github.com/wangkuiyi/gotorch/weights"
)

// smallRun trains for some steps with two states, of steps 4 and 6.
func smallRun(t *testing.T, dir string) {
	t.Helper()
	r := planeRun(t, config(12), dir)
	r.MaxSteps, r.CheckpointEvery = 6, 4
	if _, err := r.Train(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	r.Folder.Close()
}

// forge writes a state with changed tensors, and a seal that fits.
func forge(t *testing.T, path string, change func(*weights.Dict)) {
	t.Helper()
	f, err := pth.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	change(f.Tensors)
	if err := pth.WriteFile(path, f); err != nil {
		t.Fatal(err)
	}
}

// without takes a tensor out.
func without(d *weights.Dict, name string) {
	var all weights.Dict
	for n, w := range d.All() {
		if n != name {
			all.Set(n, w)
		}
	}
	*d = all
}

// after is the state of a run after steps that lost nothing.
func (l *loop) after(t *testing.T, steps int) *State {
	t.Helper()
	l.done = steps
	torch.NoGrad(func() { l.e.adamw.StepCount.FillI(float64(steps)) })
	s, err := l.e.snapshot(l.record(), make([]float32, steps), make([]float32, steps))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What a stranger's state holds is never stretched into place and never not finite.
func TestForgedStates(t *testing.T) {
	const name = "layers.2.weight" // [8,8]
	one := weights.FromFloat32([]float32{0.5}, 1, 1)
	nan := func(d *weights.Dict, part string) {
		w := d.Get(part + name)
		w.Data = append([]byte{}, w.Data...)
		w.Data[2], w.Data[3] = 0xc0, 0x7f
	}
	for what, c := range map[string]struct {
		change func(*weights.Dict)
		words  string
		whole  bool // as a state: only the network tells
	}{
		"no losses by time":                  {func(d *weights.Dict) { without(d, timeLossName) }, "no loss_by_time", false},
		"no sum of losses by time":           {func(d *weights.Dict) { without(d, timeLossSumName) }, "no loss_by_time_sum", false},
		"a sum of losses by time of 1 value": {func(d *weights.Dict) { d.Set(timeLossSumName, one) }, "loss_by_time_sum has the shape [1 1]", false},
		"average of another shape":           {func(d *weights.Dict) { d.Set(partEMA+name, one) }, "ema.layers.2.weight", false},
		"weights of another shape":           {func(d *weights.Dict) { d.Set(partModel+name, one) }, "exp_avg.layers.2.weight", false},
		"all of another shape": {func(d *weights.Dict) {
			for _, p := range []string{partModel, partEMA, partAvg, partAvgSq} {
				d.Set(p+name, one)
			}
		}, "[1 1] in the state, [8 8] in the run", true},
		"NaN in a moment": {func(d *weights.Dict) { nan(d, partAvgSq) }, "exp_avg_sq.layers.2.weight is not finite", false},
		"NaN in a weight": {func(d *weights.Dict) { nan(d, partModel) }, "model.layers.2.weight is not finite", false},
		"Inf in the loss sum": {func(d *weights.Dict) {
			d.Set(timeLossSumName, weights.FromFloat32(slices.Repeat([]float32{float32(math.Inf(1))}, 20), 2, 10))
		}, "not finite", false},
		"a stretched loss sum": {func(d *weights.Dict) {
			d.Set(timeLossSumName, weights.FromFloat32(make([]float32, 20), 20))
		}, "loss_by_time_sum has the shape [20]", false},
		"a square below 0": {func(d *weights.Dict) {
			d.Set(partAvgSq+name, weights.FromFloat32(append(make([]float32, 63), -1e-30), 8, 8))
		}, "exp_avg_sq.layers.2.weight is a mean of squares", false},
		"half a step":      {func(d *weights.Dict) { d.Set(adamwSteps, weights.FromFloat32([]float32{1.5}, []int64{}...)) }, "adamw_step is 1.5, and 6 steps", false},
		"no update":        {func(d *weights.Dict) { d.Set(adamwSteps, weights.FromFloat32([]float32{0}, []int64{}...)) }, "adamw_step is 0, and 6 steps", false},
		"steps in a row":   {func(d *weights.Dict) { d.Set(adamwSteps, weights.FromFloat32([]float32{6}, 1)) }, "adamw_step", false},
		"steps of doubles": {func(d *weights.Dict) { d.Set(adamwSteps, weights.FromFloat64([]float64{6}, []int64{}...)) }, "adamw_step", false},
		"no steps":         {func(d *weights.Dict) { without(d, adamwSteps) }, "adamw_step", false},
		"a norm below 0":   {func(d *weights.Dict) { d.Set("grad_norms", weights.FromFloat32([]float32{1, 1, -1, 1, 1, 1}, 6)) }, "step 3 has", false},
		"a loss below 0":   {func(d *weights.Dict) { d.Set("losses", weights.FromFloat32([]float32{1, 1, 1, 1, 1, -1}, 6)) }, "step 6 has", false},
		"no loss is known": {func(d *weights.Dict) {
			d.Set("losses", weights.FromFloat32(slices.Repeat([]float32{float32(math.NaN())}, 6), 6))
		}, "and 0 steps had", false},
		"another's tensor":     {func(d *weights.Dict) { d.Set("extra", one) }, "extra is nothing", false},
		"another's model":      {func(d *weights.Dict) { d.Set("model_ema.x", one) }, "model_ema.x is nothing", false},
		"moments of no weight": {func(d *weights.Dict) { d.Set(partAvgSq+"x", one) }, "model.x is not there", false},
		"steps of no number":   {func(d *weights.Dict) { d.Set(adamwSteps, weights.FromFloat32([]float32{-1}, 1)) }, "adamw_step", false},
		"more steps":           {func(d *weights.Dict) { d.Set(adamwSteps, weights.FromFloat32([]float32{7}, 1)) }, "adamw_step", false},
		"losses in a square":   {func(d *weights.Dict) { d.Set("losses", weights.FromFloat32(make([]float32, 6), 2, 3)) }, "losses of the shape [2 3]", false},
		"a weight of doubles":  {func(d *weights.Dict) { d.Set(partModel+name, weights.FromFloat64(make([]float64, 64), 8, 8)) }, "exp_avg.layers.2.weight", false},
		"a tensor too many":    {func(d *weights.Dict) { d.Set(partAvg+"x", one) }, "model.x is not there", false},
	} {
		dir := t.TempDir()
		smallRun(t, dir)
		path := filepath.Join(dir, StateFile)
		forge(t, path, c.change)
		s, err := ReadState(path)
		if c.whole {
			if err != nil {
				t.Errorf("%s: %v", what, err)
				continue
			}
			r := planeRun(t, config(12), dir)
			_, err = r.Train(context.Background(), s)
		} else if !errors.Is(err, weights.ErrDamaged) {
			t.Errorf("%s: not known as damaged: %v", what, err)
		}
		if err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v does not say %q", what, err, c.words)
		}
	}
}

// Only a damaged file is passed over. One that cannot be read now, or not listed, ends
// the matter with everything as it was.
func TestUnreadableStates(t *testing.T) {
	dir := t.TempDir()
	smallRun(t, dir)
	state, aside := filepath.Join(dir, StateFile), filepath.Join(dir, "aside")
	if err := os.Rename(state, aside); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(StateFile, state); err != nil { // in a circle: to open it fails, as a disk may
		t.Fatal(err)
	}
	if !HoldsRun(dir) {
		t.Error("the folder holds a run")
	}
	if _, _, _, err := Newest(dir); !errors.Is(err, syscall.ELOOP) || !strings.Contains(err.Error(), "nothing was changed") {
		t.Errorf("%v", err)
	}
	if _, err := OpenFolder(dir, 2); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("the folder opens: %v", err)
	}
	// A fault that comes while the run goes: the save fails, and the file stays.
	s, err := ReadState(filepath.Join(dir, PrevStateFile))
	if err != nil {
		t.Fatal(err)
	}
	f, err := lockFolder(dir, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Save(s); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("saved: %v", err)
	}
	if to, err := os.Readlink(state); err != nil || to != StateFile {
		t.Error("state.pth was changed")
	}
	if _, _, _, err := Newest(filepath.Join(dir, "none")); err == nil || !strings.Contains(err.Error(), "listed") {
		t.Errorf("a folder that cannot be listed: %v", err)
	}
}

// Damaged states are kept, each under a name of its own.
func TestDamagedStatesAreKept(t *testing.T) {
	dir := t.TempDir()
	smallRun(t, dir)
	for i, want := range []string{"state.pth.damaged", "state.pth.damaged-2", "state.pth.damaged-3"} {
		content := strings.Repeat("x", i+1)
		if err := os.WriteFile(filepath.Join(dir, StateFile), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		s, name, passed, err := Newest(dir)
		if err != nil || s.Step() != 4 || name != PrevStateFile || len(passed) != 1 {
			t.Fatalf("%s, %v, %v", name, passed, err)
		}
		f, err := OpenFolder(dir, 2)
		if err != nil {
			t.Fatal(err)
		}
		names, err := f.KeepDamaged(passed)
		f.Close()
		if err != nil || len(names) != 1 || names[0] != want {
			t.Errorf("kept as %v, %v, want %s", names, err, want)
		}
		if b, err := os.ReadFile(filepath.Join(dir, want)); err != nil || string(b) != content {
			t.Errorf("%s: %q, %v", want, b, err)
		}
	}
}

// Pipes and folders in the place of a run's files are refused before anything is
// written, without waiting; the whole folder can still be moved aside.
func TestRunOfOtherThanFiles(t *testing.T) {
	for _, name := range []string{StateFile, PrevStateFile, CheckpointFile, MetricsFile} {
		dir := filepath.Join(t.TempDir(), "run")
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(filepath.Join(dir, name), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenFolder(dir, 2); !errors.Is(err, regular.ErrNotRegular) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := ReadState(filepath.Join(dir, name)); !errors.Is(err, regular.ErrNotRegular) {
			t.Errorf("%s is read: %v", name, err)
		}
		if to, err := MoveAside(dir); err != nil || to != dir+".old-1" {
			t.Errorf("%s: moved to %s, %v", name, to, err)
		}
	}
}

// Pairs are checked: forged ones are drawn anew, unreadable ones are an error.
func TestForgedPairs(t *testing.T) {
	calls := 0
	p := &Pairs{Teacher: driftTeacher(t, 3, &calls), Config: ReflowConfig{Pairs: 6, Round: 1}, Seed: 1, Dir: t.TempDir(), PerFile: 6}
	var notes []string
	load := func() error {
		notes = nil
		return p.Load(context.Background(), func(int, int) {}, func(s string) { notes = append(notes, s) })
	}
	if err := load(); err != nil || notes != nil {
		t.Fatal(err, notes)
	}
	path := p.file(0)
	good, err := safetensors.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	dim := len(p.x1) / 6
	nan := make([]float32, 6*dim)
	nan[3] = float32(math.NaN())
	shape := append([]int64{6}, p.Teacher.Shape...)
	for what, c := range map[string]struct {
		name  string
		to    *weights.Tensor
		words string
	}{
		"not finite":    {"x1", weights.FromFloat32(nan, shape...), "not finite"},
		"another shape": {"x1", weights.FromFloat32(make([]float32, 6), 6), "6 pairs of"},
		"doubles":       {"x1", weights.FromFloat64(make([]float64, 6*dim), shape...), "6 pairs of"},
		"no such class": {"y", weights.FromInt64([]int64{0, 1, 2, 0, 1, 10}), "pair 5 has class 10"},
		"another class": {"y", weights.FromInt64([]int64{0, 1, 1, 0, 1, 2}), "pair 2 has class 1"},
		"few classes":   {"y", weights.FromInt64([]int64{0, 1}), "classes of 6 pairs"},
	} {
		d := &weights.Dict{}
		for name, w := range good.Tensors.All() {
			d.Set(name, w)
		}
		d.Set(c.name, c.to)
		if err := safetensors.WriteFile(path, &weights.File{Tensors: d, Record: good.Record}); err != nil {
			t.Fatal(err)
		}
		if err := load(); err != nil || len(notes) != 1 || !strings.Contains(notes[0], c.words) {
			t.Errorf("%s: %v, notes %q", what, err, notes)
		}
		if now, err := safetensors.Read(path); err != nil || !now.Tensors.Get("x1").Equal(good.Tensors.Get("x1")) {
			t.Errorf("%s: not drawn anew, %v", what, err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	lost := errors.New("another run's folder")
	p.Held = func() error { return lost }
	if err := load(); !errors.Is(err, lost) {
		t.Errorf("pairs in another's folder: %v", err)
	}
	if _, err := os.Lstat(path); err == nil {
		t.Error("they were written there")
	}
	p.Held = nil
	if err := os.Symlink(filepath.Base(path), path); err != nil {
		t.Fatal(err)
	}
	if err := load(); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("unreadable pairs: %v", err)
	}
}
