package trainer

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flowmatch/trainer/tfevents"

	torch "github.com/wangkuiyi/gotorch"
)

func TestDivergence(t *testing.T) {
	nan := float32(math.NaN())
	repeat := func(v float32, n int) []float32 {
		out := make([]float32, n)
		for i := range out {
			out[i] = v
		}
		return out
	}
	join := func(parts ...[]float32) (all []float32) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	for name, c := range map[string]struct {
		losses []float32
		least  float32
		during int // first of the bad steps by verdict, 0 for none
		end    int // the same at the end
		peak   int // step of the highest loss, where an explosion is told of that has passed
	}{
		"good":                        {losses: join(repeat(2, 20), repeat(1, 300))},
		"a bad step":                  {losses: join(repeat(2, 20), []float32{nan}, repeat(2, 20))},
		"a bad last step":             {losses: join(repeat(2, 20), []float32{nan}), end: 21},
		"29 bad":                      {losses: join(repeat(2, 20), repeat(nan, 29)), end: 21},
		"30 bad":                      {losses: join(repeat(2, 20), repeat(nan, 30)), during: 21, end: 21},
		"all bad":                     {losses: repeat(nan, 5), end: 1},
		"explodes at once":            {losses: []float32{2, 30, 1e6, 1e9}, end: 2},
		"explodes at once, long":      {losses: join([]float32{2}, repeat(1e9, 60)), end: 2},
		"explodes at once, for good":  {losses: join([]float32{2}, repeat(1e9, 200)), during: 2, end: 2},
		"explodes at once, and falls": {losses: join([]float32{0.7, 126, 4700, 3e5, 1e6}, repeat(90, 30), repeat(0.6, 300)), peak: 5},
		"a spike":                     {losses: join(repeat(2, 50), []float32{1e5}, repeat(2, 100)), peak: 51},
		"a bad batch":                 {losses: join(repeat(2, 50), []float32{60}, repeat(2, 100))},
		"a small first batch":         {losses: join([]float32{0.01}, repeat(0.7, 300))},
		"a small first batch, short":  {losses: []float32{0.01, 0.7, 2, 0.5, 1.2}},
		"a student's teacher":         {losses: join([]float32{0.001}, repeat(0.05, 300)), least: 1},
		"100 high":                    {losses: join(repeat(2, 50), repeat(21, 100)), during: 51, end: 51},
		"99 high":                     {losses: join(repeat(2, 50), repeat(21, 99), repeat(2, 10)), peak: 51},
		"9 high, at the end":          {losses: join(repeat(2, 50), repeat(19, 9))},
		"many times, but not tenfold": {losses: join(repeat(2, 50), repeat(19, 200))},
		"high, then not finite":       {losses: join(repeat(2, 50), repeat(1e8, 30), repeat(nan, 30)), during: 81, end: 81},
		"falls, then explodes":        {losses: join(repeat(20, 30), repeat(1, 300), repeat(15, 20)), end: 331},
		"a student that loses some":   {losses: join(repeat(0.004, 40), repeat(0.09, 200)), least: 1},
		"a student that explodes":     {losses: join(repeat(0.004, 40), repeat(50, 200)), least: 1, during: 41, end: 41},
		"falls a lot and stays":       {losses: join(repeat(1e6, 3), repeat(1, 300))},
	} {
		d := &divergence{least: c.least}
		during := 0
		for i, v := range c.losses {
			d.add(i+1, v, v)
			var e *DivergedError
			if errors.As(d.verdict(), &e) && during == 0 {
				during = e.Step
			}
		}
		end := 0
		var e *DivergedError
		if errors.As(d.atEnd(c.losses), &e) {
			end = e.Step
		}
		if during != c.during || end != c.end {
			t.Errorf("%s: diverged since %d and at the end %d, want %d and %d", name, during, end, c.during, c.end)
		}
		peak := 0
		if e := d.exploded(); e != nil && end == 0 {
			peak = e.Step
		}
		if peak != c.peak {
			t.Errorf("%s: exploded at %d, want %d", name, peak, c.peak)
		}
	}
}

// steered gives data that is scaled or not finite from a batch on.
type steered struct {
	Source
	n      int
	change func(batch int) float64 // 1: as it is
}

func (p *steered) Batch() (Batch, error) {
	b, err := p.Source.Batch()
	if p.n++; err == nil && p.change(p.n) != 1 {
		b.X1.FillI(p.change(p.n))
	}
	return b, err
}

func steer(r *Run, change func(batch int) float64) {
	open := r.Open
	r.Open = func(c Config, d torch.Device, start int) (Source, error) {
		s, err := open(c, d, start)
		return &steered{Source: s, n: start, change: change}, err
	}
}

func newestStep(t *testing.T, dir string) int {
	t.Helper()
	s, _, _, err := Newest(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s.Step()
}

// However often states are saved, at divergence the newest one is from before it, and
// the one before that is kept too.
func TestDivergenceLeavesGoodStates(t *testing.T) {
	for _, every := range []int{1, 4, 7} {
		for name, bad := range map[string]float64{"not finite": math.NaN(), "finite": 1e3} {
			r := planeRun(t, config(400), t.TempDir())
			r.CheckpointEvery, r.Interval = every, time.Hour
			steer(r, func(batch int) float64 {
				if batch > 60 {
					return bad
				}
				return 1
			})
			var notes []string
			r.Note = func(s string) { notes = append(notes, s) }
			var d *DivergedError
			if _, err := r.Train(context.Background(), nil); !errors.As(err, &d) || d.Step != 61 {
				t.Errorf("%s, every %d: %v", name, every, err)
				continue
			}
			want := 60 / every * every
			if want == 60 { // the state whose next step was bad
				want -= every
				if kept, err := ReadState(r.Folder.path(divergedState)); err != nil || kept.Step() != 60 {
					t.Errorf("%s, every %d: %s: %v", name, every, divergedState, err)
				}
			}
			if got := newestStep(t, r.Folder.Dir); got != want {
				t.Errorf("%s, every %d: the newest state is of step %d, want %d; notes %v", name, every, got, want, notes)
			}
			if ck, err := ReadCheckpoint(r.Folder.path(CheckpointFile)); err != nil || ck.Record.Training.Step != want {
				t.Errorf("%s, every %d: ckpt.pth is not of that state: %v", name, every, err)
			}
		}
	}
}

// A run that explodes on its way, and goes through, tells of it.
func TestExplosionIsTold(t *testing.T) {
	r := planeRun(t, config(120), t.TempDir())
	steer(r, func(batch int) float64 {
		if batch > 60 && batch <= 65 {
			return 1e4
		}
		return 1
	})
	res, err := r.Train(context.Background(), nil)
	if err != nil || res.Exploded == nil || res.Exploded.Step < 61 || res.Exploded.Step > 65 || res.Exploded.Loss < 1e6 || res.Exploded.Usual > 10 {
		t.Errorf("%+v, %v", res.Exploded, err)
	}
	calm, err := planeRun(t, config(120), t.TempDir()).Train(context.Background(), nil)
	if err != nil || calm.Exploded != nil {
		t.Errorf("a run like any other: %+v, %v", calm.Exploded, err)
	}
}

// A run that diverges before its first save says that it has diverged, and no more; its state, if its weights can be
// kept, is whole.
func TestDivergenceIsAllThatIsTold(t *testing.T) {
	for _, rate := range []float64{1e3, 1e6, 1e9, 1e12, 1e15, 1e18, 1e20, 1e25, 1e30, 1e35, 1e38} {
		for _, precision := range []string{"fp32", "bf16"} {
			c := config(200)
			c.LearningRate, c.Warmup, c.GradClip, c.Schedule, c.Precision = rate, 0, 0, "constant", precision
			r := planeRun(t, c, t.TempDir())
			_, err := r.Train(context.Background(), nil)
			var d *DivergedError
			if !errors.As(err, &d) || err.Error() != d.Error() {
				t.Errorf("%s, rate %g: %v; want a divergence alone", precision, rate, err)
			}
			if _, _, _, err := Newest(r.Folder.Dir); err != nil && rate < 1e38 { // which gives infinite weights
				t.Errorf("%s, rate %g: %v", precision, rate, err)
			}
		}
	}
}

// A short run that diverges has diverged, whatever its length.
func TestShortRunDiverges(t *testing.T) {
	for _, steps := range []int{1, 2, 5, 20, 29} {
		c := config(steps)
		c.LearningRate, c.Warmup, c.GradClip, c.Schedule = 1e5, 0, 0, "constant"
		r := planeRun(t, c, t.TempDir())
		_, err := r.Train(context.Background(), nil)
		var d *DivergedError
		if !errors.As(err, &d) {
			t.Errorf("%d steps at an absurd rate: %v", steps, err)
		}
	}
	// A good step is a good run, and the same one as the first of several.
	one, two := config(3), config(3)
	a, b := planeRun(t, one, t.TempDir()), planeRun(t, two, t.TempDir())
	a.MaxSteps = 1
	if _, err := a.Train(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	s, _, _, err := Newest(a.Folder.Dir)
	if err != nil {
		t.Fatal(err)
	}
	a.MaxSteps = 0
	if _, err := a.Train(context.Background(), s); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Train(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	if x, y := mustRead(t, a.Folder.path(StateFile)), mustRead(t, b.Folder.path(StateFile)); !bytes.Equal(x, y) {
		t.Error("a run that was looked at after its first step is another")
	}
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A stop among steps that are no updates keeps the state before them, and says so.
func TestInterruptedWhileDiverging(t *testing.T) {
	r := planeRun(t, config(400), t.TempDir())
	r.CheckpointEvery, r.Interval = 20, time.Nanosecond
	steer(r, func(batch int) float64 {
		if batch > 30 {
			return math.Inf(1)
		}
		return 1
	})
	ctx, cancel := context.WithCancel(context.Background())
	r.Observers = []Observer{Watch(func(k Look) {
		if k.Step == 35 {
			cancel()
		}
	})}
	var i *InterruptedError
	if _, err := r.Train(ctx, nil); !errors.As(err, &i) || i.Step != 35 || i.Bad != 5 || strings.Contains(err.Error(), "everything is saved") {
		t.Errorf("%v", err)
	}
	if got := newestStep(t, r.Folder.Dir); got != 20 {
		t.Errorf("the newest state is of step %d, want 20", got)
	}
}

// A save that fails does not end the run. When there is room again, states and metrics
// are whole.
func TestSavesThatFail(t *testing.T) {
	train := func(fail, again int) (*Run, []string, error) {
		r := planeRun(t, config(40), t.TempDir())
		r.CheckpointEvery, r.Interval = 5, time.Nanosecond
		var notes []string
		r.Note = func(s string) { notes = append(notes, s) }
		blocked := r.Folder.path("." + nextState + ".blocked")
		r.Observers = []Observer{Watch(func(k Look) {
			// A folder in the new state's place: nothing can be written there.
			switch k.Step {
			case fail:
				if err := os.MkdirAll(filepath.Join(r.Folder.path(nextState), "x"), 0o777); err != nil {
					t.Error(err)
				}
			case again:
				if err := os.Rename(r.Folder.path(nextState), blocked); err != nil {
					t.Error(err)
				}
			}
		})}
		_, err := r.Train(context.Background(), nil)
		return r, notes, err
	}
	r, notes, err := train(7, 18)
	if err != nil || len(notes) != 2 || !strings.Contains(notes[0], "step 10") || !strings.Contains(notes[0], "the run goes on") || !strings.Contains(notes[0], nextState) {
		t.Errorf("%v, notes %q", err, notes)
	}
	if got := newestStep(t, r.Folder.Dir); got != 40 {
		t.Errorf("the newest state is of step %d", got)
	}
	r, _, err = train(7, 1000)
	if err == nil {
		t.Error("the last save failed, and the run ended well")
	}
	if got := newestStep(t, r.Folder.Dir); got != 5 {
		t.Errorf("the newest state is of step %d", got)
	}
}

// metrics.jsonl and the files of TensorBoard are whole after a time without room.
func TestObserversAreMended(t *testing.T) {
	r := planeRun(t, config(40), t.TempDir())
	r.CheckpointEvery, r.Interval = 10, time.Nanosecond
	var notes []string
	r.Note = func(s string) { notes = append(notes, s) }
	var log *metricsLog
	board := &TensorBoard{Dir: r.Folder.path(TensorBoardDir)}
	r.Observers = []Observer{Watch(func(k Look) {
		if k.Step == 13 { // nothing can be written from here on
			_, _ = log.f.Close(), board.f.Close()
		}
	}), board}
	l := &loop{Run: r, start: time.Now(), lastSave: time.Now()}
	if err := l.open(nil); err != nil {
		t.Fatal(err)
	}
	for _, o := range l.observers {
		if m, ok := o.(*metricsLog); ok {
			log = m
		}
	}
	if err := l.run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(r.Folder.path(MetricsFile))
	if err != nil || strings.Count(string(b), "\n") != 40 || !strings.Contains(string(b), `{"step":40,`) {
		t.Errorf("%d lines, %v", strings.Count(string(b), "\n"), err)
	}
	if last, err := tfevents.Last(board.Dir); err != nil || last != 40 {
		t.Errorf("TensorBoard sees %d steps, %v", last, err)
	}
	if len(notes) != 2 || !strings.Contains(notes[0]+notes[1], "metrics") || !strings.Contains(notes[0]+notes[1], "TensorBoard") {
		t.Errorf("notes %q", notes)
	}
}

// Where the states would not fit, a note says so before the first step.
func TestSpaceIsNoted(t *testing.T) {
	defer func(f func(string) (int64, bool)) { freeSpace = f }(freeSpace)
	dir := t.TempDir()
	c := config(4)
	for _, again := range []bool{false, true} { // a run that goes on has two of the three already
		const parameters = 3*8 + 8 + 2*(8*8+8) + 8*2 + 2 // of an MLP of 8 hidden features
		need := int64(13 * 4 * parameters)               // three states of four copies, and ckpt.pth
		r := planeRun(t, c, dir)
		var from *State
		if again {
			s, _, _, err := Newest(dir)
			if err != nil {
				t.Fatal(err)
			}
			from = s
			need = 0
		}
		for free, noted := range map[int64]bool{need: false, need - 1: need > 0} {
			freeSpace = func(string) (int64, bool) { return max(0, free), true }
			notes := 0
			l := &loop{Run: r, start: time.Now()}
			r.Note = func(string) { notes++ }
			if err := l.open(from); err != nil {
				t.Fatal(err)
			}
			if err := l.close(); err != nil {
				t.Fatal(err)
			}
			if (notes == 1) != noted {
				t.Errorf("%d bytes free of %d: %d notes", free, need, notes)
			}
		}
		r.MaxSteps, r.CheckpointEvery = 2, 1
		if _, err := r.Train(context.Background(), from); err != nil && !again {
			t.Fatal(err)
		}
		r.Folder.Close()
	}
}
