package trainer

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/disk"
	"github.com/wangkuiyi/gotorch/regular"
)

// A run that another process is at is not moved aside.
func TestMoveAsideBusy(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	f, err := OpenFolder(dir, 2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := MoveAside(dir); !errors.Is(err, ErrBusy) {
		t.Errorf("moved, or %v", err)
	}
	f.Close()
	to, err := MoveAside(dir)
	if err != nil || to != dir+".old-1" {
		t.Errorf("%s, %v", to, err)
	}
}

// Gone on with past a damaged state.pth, the first save keeps the good state
// that it went on from.
func TestDamagedStateIsNotKept(t *testing.T) {
	dir := t.TempDir()
	c := config(12)
	r := planeRun(t, c, dir)
	r.MaxSteps, r.CheckpointEvery = 8, 4
	if _, err := r.Train(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	r.Folder.Close()
	if err := os.WriteFile(filepath.Join(dir, StateFile), []byte("damaged"), 0o666); err != nil {
		t.Fatal(err)
	}
	s, name, _, err := Newest(dir)
	if err != nil || name != PrevStateFile || s.Step() != 4 {
		t.Fatalf("%s, %v", name, err)
	}
	r = planeRun(t, c, dir)
	r.MaxSteps = 5
	if _, err := r.Train(context.Background(), s); err != nil {
		t.Fatal(err)
	}
	for name, step := range map[string]int{StateFile: 5, PrevStateFile: 4} {
		if s, err := ReadState(filepath.Join(dir, name)); err != nil || s.Step() != step {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A divergence that is noticed when a checkpoint is due leaves files too.
func TestDivergedAtACheckpoint(t *testing.T) {
	c := config(1000)
	r := planeRun(t, c, t.TempDir())
	r.CheckpointEvery = 40
	r.Interval = 1 << 40
	open := r.Open
	r.Open = func(c Config, d torch.Device, start int) (Source, error) {
		s, err := open(c, d, start)
		return &poisoned{Source: s, from: 2}, err
	}
	var d *DivergedError
	if _, err := r.Train(context.Background(), nil); !errors.As(err, &d) {
		t.Fatalf("%v", err)
	}
	if s, _, _, err := Newest(r.Folder.Dir); err != nil || s.Step() != 40 {
		t.Errorf("no state: %v", err)
	}
}

// A short run without one update has not trained anything, and is none that ended
// well.
func TestNoUpdateAtAll(t *testing.T) {
	r := planeRun(t, config(8), t.TempDir())
	open := r.Open
	r.Open = func(c Config, d torch.Device, start int) (Source, error) {
		s, err := open(c, d, start)
		return &poisoned{Source: s}, err
	}
	var d *DivergedError
	if _, err := r.Train(context.Background(), nil); !errors.As(err, &d) || d.Step != 1 {
		t.Errorf("%v", err)
	}
}

// Another run's pairs are never drawn anew in its place.
func TestBorrowedPairs(t *testing.T) {
	calls := 0
	p := &Pairs{Teacher: driftTeacher(t, 0, &calls), Config: ReflowConfig{Pairs: 10, Round: 1}, Seed: 1, Dir: t.TempDir(), PerFile: 8}
	load := func() error { return p.Load(context.Background(), func(int, int) {}, func(string) {}) }
	if err := load(); err != nil {
		t.Fatal(err)
	}
	p.Borrowed = true
	if err := load(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(p.Dir, "00001.safetensors")
	if err := os.WriteFile(name, []byte("damaged"), 0o666); err != nil {
		t.Fatal(err)
	}
	var borrowed *BorrowedError
	if err := load(); !errors.As(err, &borrowed) || borrowed.Pairs != 10 || !strings.Contains(err.Error(), "00001") {
		t.Errorf("%v", err)
	}
	if b, _ := os.ReadFile(name); string(b) != "damaged" {
		t.Error("the file was written")
	}
}

// A pipe that comes to be in the place of a file of the run while it goes is an error at
// once, which names it; the state is saved before the weights alone.
func TestPipeInTheRunsPlace(t *testing.T) {
	dir := t.TempDir()
	smallRun(t, dir)
	s, err := ReadState(filepath.Join(dir, PrevStateFile))
	if err != nil {
		t.Fatal(err)
	}
	for name, write := range map[string]func(f *Folder) error{
		CheckpointFile: func(f *Folder) error { return f.Save(s) },
		nextState:      func(f *Folder) error { return f.Save(s) },
		MetricsFile:    func(f *Folder) error { return f.Finish(s) },
	} {
		f := &Folder{Dir: dir, Keep: 2}
		path := f.path(name)
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(path, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := write(f); !errors.Is(err, regular.ErrNotRegular) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
		if now, err := ReadState(f.path(StateFile)); err != nil || name == CheckpointFile && now.Step() != s.Step() {
			t.Errorf("%s: the state: %v", name, err)
		}
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "appended")
	if err := syscall.Mkfifo(path, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := disk.Append(path); !errors.Is(err, regular.ErrNotRegular) && !errors.Is(err, syscall.ENXIO) {
		t.Errorf("a pipe is appended to: %v", err)
	}
}
