package snapshots

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/png"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"syscall"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/disk"
	"github.com/wangkuiyi/gotorch/disk/disktest"

	"flowmatch/datasets"
	"flowmatch/flow"
	"flowmatch/models"
	"flowmatch/trainer"
)

var (
	digits = datasets.Info{Name: "digits", Shape: []int{1, 8, 8}, ClassNames: []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}}
	moons  = datasets.Info{Name: "moons", Shape: []int{2}}
)

func unet(classes int) models.Config {
	return models.UNetConfig{Channels: 1, Size: 8, NumChannels: 32, ChannelMult: []int{1}, NumResBlocks: 1, NumClasses: classes}.Defaults()
}

// still is a model whose samples are their noise.
func still(x, _, _ torch.Tensor) torch.Tensor { return torch.MulScalar(x, 0) }

// blank paints nothing, quickly.
type blank struct{}

func (blank) Evaluations() int { return 1 }
func (blank) Paint(context.Context, flow.Velocity, string) (image.Image, error) {
	return image.NewGray(image.Rect(0, 0, 4, 4)), nil
}

// watched is an observer in a folder of a disk in memory, with what it notes.
func watched(total, every int) (o *Observer, notes *[]string) {
	notes = new([]string)
	return &Observer{
		Run: "/run", Name: "digits", Painter: Model{Info: digits, Network: unet(10), Seed: 1}.Painter(), Total: total, Batch: 64, Every: every,
		Note: func(s string) { *notes = append(*notes, s) },
	}, notes
}

// run tells the observer of steps from one to another, as a run does.
func run(t *testing.T, o *Observer, from, to int, v flow.Velocity) {
	t.Helper()
	if err := o.Start(make([]trainer.Metric, from)); err != nil {
		t.Fatal(err)
	}
	for step := from + 1; step <= to; step++ {
		if due := o.Due() == step; !due && step%7 != 0 {
			continue
		}
		l := trainer.Look{Progress: trainer.Progress{Step: step, StepsPerSecond: 0.001}}
		l.Learnt = func(f func(flow.Velocity) error) (err error) {
			if failed := torch.Try(func() { torch.Scoped(func() { err = f(v) }) }); failed != nil {
				return failed
			}
			return err
		}
		if err := o.Look(l); err != nil {
			t.Fatal(err)
		}
	}
}

// files are the names in progress/, if it is there.
func files(m *disktest.Memory) string {
	if !there("/run/" + Dir) {
		return ""
	}
	return strings.Join(m.Names("/run/"+Dir), " ")
}

func content(t *testing.T, path string) []byte {
	t.Helper()
	f, _, err := disk.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Pictures have the names of their steps, and one that goes on goes on with them: from
// the same noise, after those that stay.
func TestObserver(t *testing.T) {
	m := disktest.NewMemory("/run")
	defer disk.Use(m)()
	o, notes := watched(1600, 0)
	run(t, o, 0, 900, still)
	if got, want := files(m), "000160.png 000320.png 000480.png 000640.png 000800.png"; got != want {
		t.Fatalf("%s, want %s", got, want)
	}
	first := content(t, "/run/progress/000320.png")
	other := content(t, "/run/progress/000480.png")
	if bytes.Equal(first, other) {
		t.Error("the titles of two steps are the same")
	}
	o, more := watched(1600, 0)
	run(t, o, 500, 500, still)
	if got, want := files(m), "000160.png 000320.png 000480.png"; got != want {
		t.Errorf("after going on from step 500: %s, want %s", got, want)
	}
	run(t, o, 300, 330, still)
	if got, want := files(m), "000160.png 000320.png"; got != want {
		t.Errorf("after going on from step 300: %s, want %s", got, want)
	}
	if !bytes.Equal(first, content(t, "/run/progress/000320.png")) {
		t.Error("the same step of the same model is another picture")
	}
	if len(*notes)+len(*more) > 0 {
		t.Errorf("notes: %q, %q", *notes, *more)
	}
}

// What is in the folder and none of the run's pictures is left alone.
func TestObserverTouchesNothingElse(t *testing.T) {
	m := disktest.NewMemory("/run")
	defer disk.Use(m)()
	if err := disk.Mkdir("/run/progress"); err != nil {
		t.Fatal(err)
	}
	names := []string{"0000100.png", "12.png", "000010.gif", "mine.png", "x000010.png"}
	for _, name := range names {
		f, err := disk.Create("/run/progress/" + name)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	o, notes := watched(10, 5)
	run(t, o, 0, 10, still)
	slices.Sort(names)
	want := append([]string{"000005.png", "000010.png"}, names...)
	slices.Sort(want)
	if got := files(m); got != strings.Join(want, " ") || len(*notes) > 0 {
		t.Errorf("%s, notes %q", got, *notes)
	}
}

// Each operation of the disk fails once, or from then on: the run goes on, one note says
// so, and a file is whole or not there.
func TestObserverOnBadDisks(t *testing.T) {
	base := disktest.NewMemory("/run")
	tried := 0
	for failing, op := range disktest.EveryFault(base) {
		m := base.Clone()
		failing.FS = m
		restore := disk.Use(failing)
		o, notes := watched(30, 10)
		o.Painter = blank{}
		run(t, o, 0, 30, still)
		film, filmErr := o.Film()
		disk.Use(m)
		what := fmt.Sprintf("%s %s: %v", op.Name, op.Path, failing.Err)
		if failing.At == 0 {
			if len(*notes) > 0 || filmErr != nil || film != "/run/progress.gif" {
				t.Fatalf("%q, %s, %v", *notes, film, filmErr)
			}
			restore()
			continue
		}
		tried++
		if len(*notes) > 1 {
			t.Errorf("%s: %q", what, *notes)
		}
		for _, n := range *notes {
			if !strings.Contains(n, "the run goes on") || !strings.Contains(n, failing.Err.Error()) {
				t.Errorf("%s: %q", what, n)
			}
		}
		for _, name := range m.Names("/run/progress") {
			if strings.HasSuffix(name, ".png") {
				if _, err := png.Decode(bytes.NewReader(content(t, "/run/progress/"+name))); err != nil {
					t.Errorf("%s: %s: %v", what, name, err)
				}
			}
		}
		for _, name := range m.Names("/run") {
			if name == FilmFile {
				if _, err := gif.DecodeAll(bytes.NewReader(content(t, "/run/"+name))); err != nil {
					t.Errorf("%s: %s: %v", what, name, err)
				}
			}
		}
		restore()
	}
	if tried < 10 {
		t.Errorf("only %d faults", tried)
	}
}

// A folder that is another run's by now is left as it is, with one note.
func TestObserverInAnothersFolder(t *testing.T) {
	m := disktest.NewMemory("/run")
	defer disk.Use(m)()
	o, notes := watched(1600, 0)
	o.Painter = blank{}
	lost := false
	o.Held = func() error {
		if lost {
			return errors.New("the folder is another run's")
		}
		return nil
	}
	run(t, o, 0, 500, still)
	before := files(m)
	lost = true
	run(t, o, 500, 1600, still)
	if got := files(m); before == "" || got != before {
		t.Errorf("there were %q, and now %q", before, got)
	}
	if len(*notes) != 1 || !strings.Contains((*notes)[0], "another run's") {
		t.Errorf("notes %q", *notes)
	}
	if path, err := o.Film(); path != "" || err == nil || !strings.Contains(err.Error(), "another run's") {
		t.Errorf("film %q, %v", path, err)
	}
}

// A full disk is a note, and once there is room there are pictures again.
func TestObserverOnAFullDisk(t *testing.T) {
	m := disktest.NewMemory("/run")
	defer disk.Use(m)()
	o, notes := watched(40, 10)
	if err := o.Start(nil); err != nil {
		t.Fatal(err)
	}
	m.Room = m.Used() + 100
	run(t, o, 0, 20, still)
	if len(*notes) != 1 || !strings.Contains((*notes)[0], syscall.ENOSPC.Error()) {
		t.Errorf("%q", *notes)
	}
	m.Room = -1
	run(t, o, 20, 40, still)
	if got := files(m); got != "000030.png 000040.png" {
		t.Errorf("%s", got)
	}
}

// What goes wrong with a picture's samples is no reason to end a run either; of a run
// that is asked to stop, and of one that diverges, nothing is said.
func TestObserverOfBadModels(t *testing.T) {
	stop, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("enough"))
	for _, c := range []struct {
		name  string
		v     flow.Velocity
		ctx   context.Context
		notes int
	}{
		{"out of memory", func(_, _, _ torch.Tensor) torch.Tensor {
			panic(&torch.Error{Op: "conv", Msg: "out of memory", OutOfMemory: true})
		}, nil, 1},
		{"diverged", func(x, _, _ torch.Tensor) torch.Tensor { return torch.MulScalar(x, math.Inf(1)) }, nil, 0},
		{"stopped", still, stop, 0},
	} {
		m := disktest.NewMemory("/run")
		restore := disk.Use(m)
		o, notes := watched(20, 10)
		o.Context = c.ctx
		run(t, o, 0, 20, c.v)
		if len(*notes) != c.notes || files(m) != "" {
			t.Errorf("%s: %q, %s", c.name, *notes, files(m))
		}
		restore()
	}
}

// The film has the pictures in order, however many sessions drew them; damaged ones are
// left out.
func TestFilm(t *testing.T) {
	m := disktest.NewMemory("/run")
	defer disk.Use(m)()
	o, _ := watched(40, 10)
	run(t, o, 0, 10, still)
	if film, err := o.Film(); film != "" || err != nil {
		t.Errorf("a film of one picture: %s, %v", film, err)
	}
	run(t, o, 10, 40, still)
	if err := disk.Remove("/run/progress/000030.png"); err != nil {
		t.Fatal(err)
	}
	f, err := disk.Create("/run/progress/000030.png")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(content(t, "/run/progress/000010.png")[:20]); err != nil {
		t.Fatal(err)
	}
	f.Close()
	film, err := o.Film()
	if err != nil || film != "/run/progress.gif" {
		t.Fatalf("%s, %v", film, err)
	}
	g, err := gif.DecodeAll(bytes.NewReader(content(t, film)))
	if err != nil || len(g.Image) != 3 || g.Delay[0] != 50 || g.Delay[2] != 200 {
		t.Errorf("%v", err)
	}
	if got := thinned([]int{1, 2, 3, 4, 5, 6, 7}, 3); !slices.Equal(got, []int{1, 4, 7}) {
		t.Errorf("%v", got)
	}
}

// TensorBoard gets each picture, and those of before that its files lack.
func TestBoard(t *testing.T) {
	dir := t.TempDir()
	o, _ := watched(40, 10)
	o.Run = dir
	run(t, o, 0, 20, still)
	board := &trainer.TensorBoard{Dir: dir + "/tensorboard", Earlier: o.Earlier}
	o.Board = board
	if err := board.Start(make([]trainer.Metric, 20)); err != nil {
		t.Fatal(err)
	}
	run(t, o, 20, 40, still)
	if err := board.Close(); err != nil {
		t.Fatal(err)
	}
	got := shown(t, board.Dir)
	if want := map[int64]int{10: 605, 20: 605, 30: 605, 40: 605}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// The pictures are what their sets call for, and no dearer than they say.
func TestPainters(t *testing.T) {
	for _, c := range []struct {
		name        string
		m           Model
		evaluations int
		size        image.Point // 0: not looked at
	}{
		{"digits", Model{Info: digits, Network: unet(10)}, 400, image.Pt(605, 299)},
		{"two classes", Model{Info: datasets.Info{Name: "folder:x", Shape: []int{1, 8, 8}, ClassNames: []string{"cat", "dog"}}, Network: unet(2)}, 160, image.Point{}},
		{"a hundred classes", Model{Info: datasets.Info{Shape: []int{1, 8, 8}}, Network: unet(100)}, 400, image.Point{}},
		{"no classes", Model{Info: digits, Network: unet(0)}, 360, image.Point{}},
		{"one step", Model{Info: digits, Network: unet(10), OneStep: true}, 40, image.Point{}},
		{"a long run of points", Model{Info: moons, Network: models.MLPConfig{}.Defaults(), Trained: 7500 * 1024}, 23040, image.Point{}},
		{"a short run of points", Model{Info: moons, Network: models.MLPConfig{}.Defaults(), Trained: 600 * 512}, 10000, image.Pt(466, 466)},
	} {
		p := c.m.Painter()
		evaluated := 0
		page, err := p.Paint(context.Background(), func(x, t, y torch.Tensor) torch.Tensor {
			evaluated += int(x.Shape()[0])
			return still(x, t, y)
		}, "title")
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if p.Evaluations() != c.evaluations || evaluated != c.evaluations {
			t.Errorf("%s: %d evaluations, said %d, want %d", c.name, evaluated, p.Evaluations(), c.evaluations)
		}
		if size := page.Bounds().Size(); c.size != (image.Point{}) && size != c.size {
			t.Errorf("%s: %v", c.name, size)
		}
	}
}
