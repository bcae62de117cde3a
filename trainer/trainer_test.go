package trainer

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/datasets"
	"flowmatch/models"
)

func small() models.UNetConfig {
	return models.UNetConfig{Channels: 1, Size: 8, NumChannels: 32, ChannelMult: []int{1, 1}, NumResBlocks: 1, NumClasses: 10}.Defaults()
}

func config(steps int) Config {
	return Config{Recipe: "default", Iterations: steps, BatchSize: 8, LearningRate: 1e-3, Warmup: 5, Schedule: "cosine", WeightDecay: 0.01,
		EMADecay: 0.99, GradClip: 1, Accumulate: 1, Precision: "fp32", Seed: 1}
}

// newRun is a small run on digits in a folder of its own.
func newRun(t *testing.T, c Config, n models.UNetConfig, dir string) *Run {
	t.Helper()
	images, err := datasets.Digits()
	if err != nil {
		t.Fatal(err)
	}
	torch.ManualSeed(c.Seed)
	u, err := models.NewUNet(n)
	if err != nil {
		t.Fatal(err)
	}
	f, err := OpenFolder(dir, 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return &Run{Config: c, Network: u, Dataset: DatasetRecord{Name: "digits"}, Folder: f, Device: torch.CPU,
		Open: Data(images)}
}

// 12 steps at once and 5 + 7 give the same files, with everything that draws
// random numbers or counts switched on.
func TestResume(t *testing.T) {
	c := config(12)
	c.Accumulate, c.ClassDropout, c.HorizontalFlip, c.SigmaMin = 2, 0.3, true, 0.01
	n := small()
	n.Dropout, n.NullClass = 0.1, true
	once, twice := t.TempDir(), t.TempDir()
	if _, err := newRun(t, c, n, once).Train(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	r := newRun(t, c, n, twice)
	r.MaxSteps = 5
	if _, err := r.Train(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	r.Folder.Close()
	s, _, _, err := Newest(twice)
	if err != nil || s.Step() != 5 {
		t.Fatal(err)
	}
	res, err := newRun(t, c, n, twice).Train(context.Background(), s)
	if err != nil || res.Steps != 12 || res.New != 7 {
		t.Fatalf("%+v, %v", res, err)
	}
	sameFiles(t, once, twice)
}

// sameFiles compares the files of two runs.
func sameFiles(t *testing.T, once, twice string) {
	t.Helper()
	for _, name := range []string{StateFile, CheckpointFile, MetricsFile} {
		a, err := os.ReadFile(filepath.Join(once, name))
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(twice, name))
		if err != nil || string(a) != string(b) {
			t.Errorf("%s differs, %v", name, err)
		}
	}
}

// Gradients of two halves of a batch add up to the whole's.
func TestInterrupted(t *testing.T) {
	r := newRun(t, config(1000), small(), t.TempDir())
	stop := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	r.Interval = time.Nanosecond
	r.Observers = []Observer{Watch(func(l Look) {
		if l.Step == 3 {
			cancel(stop)
		}
	})}
	_, err := r.Train(ctx, nil)
	var i *InterruptedError
	if !errors.As(err, &i) || i.Step != 3 || !errors.Is(err, stop) {
		t.Fatalf("%v", err)
	}
	if s, _, _, err := Newest(r.Folder.Dir); err != nil || s.Step() != 3 {
		t.Errorf("saved: %v", err)
	}
}

// poisoned gives data that is not finite from a batch on.
type poisoned struct {
	Source
	n, from int
}

func (p *poisoned) Batch() (Batch, error) {
	b, err := p.Source.Batch()
	if p.n++; p.n > p.from {
		b.X1.FillI(math.NaN())
	}
	return b, err
}

// Steps with anything not finite update nothing; a run of them ends the run,
// with finite files.
func TestDiverged(t *testing.T) {
	r := newRun(t, config(1000), small(), t.TempDir())
	open := r.Open
	r.Open = func(c Config, d torch.Device, start int) (Source, error) {
		s, err := open(c, d, start)
		return &poisoned{Source: s, from: 4}, err
	}
	notes := 0
	r.Note = func(string) { notes++ }
	res, err := r.Train(context.Background(), nil)
	var d *DivergedError
	if !errors.As(err, &d) || d.Step != 5 {
		t.Fatalf("%v", err)
	}
	if res.Skipped < patience || notes == 0 {
		t.Errorf("%d skipped, %d notes", res.Skipped, notes)
	}
	s, _, _, err := Newest(r.Folder.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, w := range s.file.Tensors.All() {
		if name != "losses" && name != "grad_norms" && !w.Finite() {
			t.Errorf("%s is not finite", name)
		}
	}
	if n, _ := s.file.Tensors.Get("adamw_step").Float32s(); n[0] != 4 {
		t.Errorf("%v updates were counted, want 4", n)
	}
}

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	f, err := OpenFolder(dir, 4)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFolder(dir, 2); !errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) {
		t.Errorf("a second process got in: %v", err)
	}
	if HoldsRun(dir) {
		t.Error("an empty folder holds no run")
	}
	r := newRun(t, config(6), small(), t.TempDir())
	e := newEngine(r.Config, r.Network, torch.CPU)
	defer e.close()
	l := loop{Run: r, e: e}
	l.observe()
	for step := range 6 {
		if err := f.Save(l.after(t, step)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := numbered(dir); err != nil || len(got) != 2 || got[0] != 2 || got[1] != 3 {
		t.Errorf("kept states %v, want 2 and 3 beside state-prev (4) and state (5)", got)
	}
	if s, name, _, err := Newest(dir); err != nil || s.Step() != 5 || name != StateFile {
		t.Errorf("newest: %v", err)
	}
	if err := os.Truncate(filepath.Join(dir, StateFile), 100); err != nil {
		t.Fatal(err)
	}
	if s, name, skipped, err := Newest(dir); err != nil || s.Step() != 4 || name != PrevStateFile || len(skipped) != 1 {
		t.Errorf("after damage: %v, %v", skipped, err)
	}
	f.Close()
	to, err := MoveAside(dir)
	if err != nil || to != dir+".old-1" {
		t.Errorf("moved to %s, %v", to, err)
	}
}

// What a killed process left half written goes; nothing else does.
func TestFolderSweeps(t *testing.T) {
	dir := t.TempDir()
	rubbish := []string{"." + nextState + ".tmp-123", nextState, nextPrev, "." + CheckpointFile + ".tmp-9", "." + MetricsFile + ".tmp-1"}
	keep := []string{StateFile, PrevStateFile, CheckpointFile, MetricsFile, "state-7.pth", "mine.txt"}
	for _, name := range append(rubbish, keep...) {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	f, err := OpenFolder(dir, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, name := range rubbish {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s is still there", name)
		}
	}
	for _, name := range keep {
		if _, err := os.Lstat(filepath.Join(dir, name)); err != nil {
			t.Errorf("%s is gone", name)
		}
	}
}

func TestConfigCheck(t *testing.T) {
	if err := config(1).Check(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Config){
		"steps": func(c *Config) { c.Iterations = 0 }, "batch": func(c *Config) { c.BatchSize = 0 },
		"rate": func(c *Config) { c.LearningRate = math.NaN() }, "schedule": func(c *Config) { c.Schedule = "" },
		"decay": func(c *Config) { c.EMADecay = 1 }, "clip": func(c *Config) { c.GradClip = math.Inf(1) },
		"sigma": func(c *Config) { c.SigmaMin = -1 }, "dropout": func(c *Config) { c.ClassDropout = 1 },
		"precision": func(c *Config) { c.Precision = "auto" }, "accumulate": func(c *Config) { c.Accumulate = 0 },
		"warmup": func(c *Config) { c.Warmup = -1 }, "weights": func(c *Config) { c.WeightDecay = -1 },
	} {
		c := config(1)
		change(&c)
		if c.Check() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	now := config(1)
	now.BatchSize = 9
	if d := Differences(now, config(1)); len(d) != 1 || d[0] != (Difference{"batch_size", "9", "8"}) {
		t.Errorf("%v", d)
	}
}
