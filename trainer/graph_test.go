package trainer

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/datasets"
	"flowmatch/datasets/plane"
	"flowmatch/models"
)

// tape is a recorder without a GPU. As one, it does nothing while it records. When
// it replays, what a graph would have baked in is not there to be asked: the engine's
// configuration is another one then, and it does not know which step it is.
type tape struct {
	e       *engine
	fail    error // of recording
	records int
	replays *int
}

func (r *tape) record(generators []*torch.Generator, work func()) recorded {
	r.records++
	if r.fail != nil {
		panic(r.fail)
	}
	return &taped{r, work}
}

type taped struct {
	*tape
	work func()
}

func (t *taped) Replay() {
	*t.replays++
	c, filled := t.e.c, t.e.filled
	t.e.c.LearningRate, t.e.c.EMADecay, t.e.c.Seed, t.e.c.Iterations, t.e.c.Warmup = 7, 0.1, 1, 1, 0
	t.e.filled = math.MinInt32
	t.work()
	t.e.c, t.e.filled = c, filled
}

func (*taped) Nodes() (all, kernels int) { return 5, 3 }
func (*taped) Close()                    {}

// onDevice makes an engine one as on a GPU, without a recorder.
func onDevice(e *engine) { e.schedule = newDeviceSchedule(e.slots, e.device) }

// graphRuns are runs in which everything changes from step to step that can.
func graphRuns(t *testing.T) map[string]func() *Run {
	moons, err := plane.Open("moons")
	if err != nil {
		t.Fatal(err)
	}
	digits, err := datasets.Digits()
	if err != nil {
		t.Fatal(err)
	}
	points := func(change func(*Config)) *Run {
		c := config(150)
		c.BatchSize, c.Warmup, c.GradClip, c.EMADecay = 16, 20, 0.5, 0.9
		change(&c)
		m, err := models.NewMLP(models.MLPConfig{HiddenDim: 8}.Defaults())
		if err != nil {
			t.Fatal(err)
		}
		return &Run{Config: c, Network: m, Device: torch.CPU, Open: Data(moons)}
	}
	return map[string]func() *Run{
		"points":       func() *Run { return points(func(c *Config) { c.StableTargets = true }) },
		"accumulation": func() *Run { return points(func(c *Config) { c.Accumulate, c.StratifiedTimes = 3, true }) },
		"coupling":     func() *Run { return points(func(c *Config) { c.Coupling = "ot" }) },
		"no average":   func() *Run { return points(func(c *Config) { c.EMADecay, c.GradClip = 0, 0 }) },
		"images": func() *Run {
			c := config(18)
			c.BatchSize, c.ClassDropout, c.HorizontalFlip = 4, 0.3, true
			n := small()
			n.Dropout, n.NullClass = 0.1, true // one thread: dropout is not cut into parts
			u, err := models.NewUNet(n)
			if err != nil {
				t.Fatal(err)
			}
			return &Run{Config: c, Network: u, Device: torch.CPU, Open: Data(digits)}
		},
	}
}

// Recorded steps give the bytes that steps give which are not, a ring that runs over
// and a stop in the middle included.
func TestRecordedSteps(t *testing.T) {
	for name, open := range graphRuns(t) {
		files := map[bool][]byte{}
		replays := 0
		for _, recorded := range []bool{false, true} {
			torch.ManualSeed(3)
			dir := t.TempDir()
			r := open()
			var err error
			r.Interval = time.Hour // only the ring's end makes the run look
			if r.Folder, err = OpenFolder(dir, 2); err != nil {
				t.Fatal(err)
			}
			r.instead = func(e *engine) {
				onDevice(e)
				if recorded {
					e.recorder = &tape{e: e, replays: &replays}
				}
			}
			r.MaxSteps = r.Config.Iterations * 2 / 3
			if _, err := r.Train(context.Background(), nil); err != nil {
				t.Fatal(name, err)
			}
			from, err := ReadState(filepath.Join(dir, StateFile))
			if err != nil {
				t.Fatal(err)
			}
			r.MaxSteps = 0
			res, err := r.Train(context.Background(), from)
			if err != nil {
				t.Fatal(name, err)
			}
			if (res.GraphNodes == 5 && res.GraphKernels == 3) != recorded {
				t.Errorf("%s: %d nodes", name, res.GraphNodes)
			}
			r.Folder.Close()
			if files[recorded], err = os.ReadFile(filepath.Join(dir, StateFile)); err != nil {
				t.Fatal(err)
			}
		}
		if string(files[true]) != string(files[false]) {
			t.Errorf("%s: another state", name)
		}
		if n := open().Config.Iterations - 2*warmSteps; replays != n {
			t.Errorf("%s: %d of %d steps were replayed", name, replays, n)
		}
	}
}

// Steps that find on the device what they are otherwise told do the same, to the
// rounding of a learning rate to float32.
func TestResidentSteps(t *testing.T) {
	var trained [2][]float32
	for i, change := range []func(*engine){nil, onDevice} {
		torch.ManualSeed(3)
		r := graphRuns(t)["points"]()
		r.instead = change
		res, err := r.Train(context.Background(), nil)
		if err != nil {
			t.Fatal(err)
		}
		trained[i] = res.Losses
		ckpt := res.Checkpoint.Tensors
		for _, w := range ckpt.All() {
			values, err := w.Float32s()
			if err != nil {
				t.Fatal(err)
			}
			trained[i] = append(trained[i], values...)
		}
	}
	for i, want := range trained[0] {
		if got := trained[1][i]; math.Abs(float64(got-want)) > 1e-4*math.Max(1, math.Abs(float64(want))) {
			t.Fatalf("number %d is %v, not %v", i, got, want)
		}
	}
}

// A step that is not finite is left out by a recorded step, too, and noted in its
// place of the ring.
func TestRecordedStepLeavesOut(t *testing.T) {
	r := graphRuns(t)["points"]()
	replays := 0
	r.instead = func(e *engine) {
		onDevice(e)
		e.recorder = &tape{e: e, replays: &replays}
	}
	open, calls := r.Open, 0
	r.Open = func(c Config, d torch.Device, start int) (Source, error) {
		src, err := open(c, d, start)
		return &spoiled{src, &calls, 40}, err
	}
	res, err := r.Train(context.Background(), nil)
	if err != nil || res.Skipped != 1 || len(res.Losses) != 150 {
		t.Fatalf("%d skipped, %v", res.Skipped, err)
	}
	for i, l := range res.Losses {
		if bad := math.IsNaN(float64(l)); bad != (i == 39) {
			t.Errorf("step %d: loss %v", i+1, l)
		}
	}
}

// spoiled is data of which one batch is not finite.
type spoiled struct {
	Source
	calls *int
	at    int
}

func (s *spoiled) Batch() (Batch, error) {
	b, err := s.Source.Batch()
	if *s.calls++; *s.calls == s.at {
		b.X1.FillI(math.NaN())
	}
	return b, err
}

// Where recording fails the run goes on without, says so once, and is the same.
func TestRecordingThatFails(t *testing.T) {
	losses := map[bool][]float32{}
	for _, fails := range []bool{false, true} {
		torch.ManualSeed(3)
		r := graphRuns(t)["accumulation"]()
		replays := 0
		rec := &tape{replays: &replays, fail: &torch.Error{Op: "Capture", Msg: "no memory", OutOfMemory: true}}
		r.instead = func(e *engine) {
			onDevice(e)
			if fails {
				rec.e, e.recorder = e, rec
			}
		}
		var notes []string
		r.Note = func(s string) { notes = append(notes, s) }
		res, err := r.Train(context.Background(), nil)
		if err != nil {
			t.Fatal(err)
		}
		losses[fails] = res.Losses
		if fails && (rec.records != 1 || len(notes) != 1 || !strings.Contains(notes[0], "no memory") || strings.Contains(notes[0], "\n")) {
			t.Errorf("recorded %d times: %q", rec.records, notes)
		}
	}
	for i, want := range losses[false] {
		if losses[true][i] != want {
			t.Fatalf("step %d: loss %v, not %v", i+1, losses[true][i], want)
		}
	}
}

// A network's own random numbers come from one generator: they cannot be those of
// several batches in one recorded step.
func TestNotRecordable(t *testing.T) {
	r := graphRuns(t)["images"]()
	r.Config.Accumulate, r.Config.Iterations = 2, warmSteps+2
	rec := &tape{}
	r.instead = func(e *engine) { e.recorder = rec }
	if _, err := r.Train(context.Background(), nil); err != nil || rec.records > 0 {
		t.Errorf("recorded %d times, %v", rec.records, err)
	}
}

// Data that end, or that have another shape, end the run with its steps saved.
func TestRecordedStepWithoutData(t *testing.T) {
	over := errors.New("the data are over")
	for _, change := range []func(Batch) (Batch, error){
		func(b Batch) (Batch, error) { return b, over },
		func(b Batch) (Batch, error) { return Batch{X1: torch.Narrow(b.X1, 0, 0, 3)}, nil },
	} {
		r := graphRuns(t)["points"]()
		replays, calls := 0, 0
		r.instead = func(e *engine) {
			onDevice(e)
			e.recorder = &tape{e: e, replays: &replays}
		}
		open := r.Open
		r.Open = func(c Config, d torch.Device, start int) (Source, error) {
			src, err := open(c, d, start)
			return &altered{src, &calls, 30, change}, err
		}
		dir := t.TempDir()
		var err error
		if r.Folder, err = OpenFolder(dir, 2); err != nil {
			t.Fatal(err)
		}
		_, err = r.Train(context.Background(), nil)
		r.Folder.Close()
		if err == nil || !errors.Is(err, over) && !strings.Contains(err.Error(), "step 30") {
			t.Errorf("%v", err)
		}
		if s, err := ReadState(filepath.Join(dir, StateFile)); err != nil || s.Step() != 29 {
			t.Errorf("%v: the state is not that of step 29", err)
		}
	}
}

// altered is data that change at a batch.
type altered struct {
	Source
	calls  *int
	at     int
	change func(Batch) (Batch, error)
}

func (s *altered) Batch() (Batch, error) {
	b, err := s.Source.Batch()
	if *s.calls++; *s.calls >= s.at && err == nil {
		return s.change(b)
	}
	return b, err
}
