package trainer

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/disk"
	"github.com/wangkuiyi/gotorch/disk/disktest"
	"github.com/wangkuiyi/gotorch/faulttest"

	"flowmatch/datasets"
	"flowmatch/datasets/plane"
	"flowmatch/models"
)

// exactSteps are the steps of the runs here: the learning rate's warm-up and that of the average are over by then, and
// epochs begin and end in between.
const exactSteps = 50

// fewDigits are the first n of the digits.
func fewDigits(t *testing.T, n int) *datasets.Images {
	digits, err := datasets.Digits()
	if err != nil {
		t.Fatal(err)
	}
	few := *digits
	few.Pixels, few.Labels = few.Pixels[:n*64], few.Labels[:n]
	return &few
}

// exactRuns are runs of all kinds, each made anew by its function.
func exactRuns(t *testing.T) map[string]func() *Run {
	few := fewDigits(t, 37) // an epoch of 18 batches of 2
	moons, err := plane.Open("moons")
	if err != nil {
		t.Fatal(err)
	}
	points := func(c Config, open Opener) *Run {
		m, err := models.NewMLP(models.MLPConfig{HiddenDim: 8}.Defaults())
		if err != nil {
			t.Fatal(err)
		}
		return &Run{Config: c, Network: m, Device: torch.CPU, Open: open}
	}
	images := func(c Config) *Run {
		n := small()
		n.Dropout, n.NullClass = 0.1, true
		u, err := models.NewUNet(n)
		if err != nil {
			t.Fatal(err)
		}
		c.ClassDropout, c.HorizontalFlip = 0.3, true
		return &Run{Config: c, Network: u, Device: torch.CPU, Open: Data(few)}
	}
	stored := func(distill bool) func() *Run {
		return func() *Run {
			c := config(exactSteps)
			c.BatchSize = 8
			c.Reflow = &ReflowConfig{Teacher: "t", Solver: "s", Pairs: 60, Round: 1, Distill: distill}
			calls := 0
			p := &Pairs{Teacher: driftTeacher(t, 0, &calls), Config: *c.Reflow, Seed: c.Seed, Dir: "/pairs", PerFile: 32}
			if err := p.Load(context.Background(), func(int, int) {}, func(string) {}); err != nil {
				t.Fatal(err)
			}
			return points(c, func(c Config, _ torch.Device, start int) (Source, error) { return p.Source(c, start) })
		}
	}
	change := func(f func(*Config)) Config {
		c := config(exactSteps)
		f(&c)
		return c
	}
	return map[string]func() *Run{
		"points":       func() *Run { return points(config(exactSteps), Data(moons)) },
		"accumulation": func() *Run { return points(change(func(c *Config) { c.Accumulate = 3 }), Data(moons)) },
		"average": func() *Run {
			return points(change(func(c *Config) { c.EMADecay, c.Warmup, c.GradClip = 0.8, 20, 0.5 }), Data(moons))
		},
		"coupling": func() *Run {
			return points(change(func(c *Config) { c.Coupling, c.StratifiedTimes, c.TimePower = "ot", true, 2 }), Data(moons))
		},
		"images":              func() *Run { return images(change(func(c *Config) { c.BatchSize = 2 })) },
		"images, accumulated": func() *Run { return images(change(func(c *Config) { c.BatchSize, c.Accumulate = 2, 2 })) },
		"reflow":              stored(false),
		"distillation":        stored(true),
	}
}

// trained trains a run's new network in a folder, in a process that has drawn other random numbers before.
func trained(t *testing.T, r *Run, dir string, from *State, steps, every int) {
	t.Helper()
	r.Folder, r.MaxSteps, r.CheckpointEvery = &Folder{Dir: dir, Keep: exactSteps + 5}, steps, every
	if _, err := r.Train(context.Background(), from); err != nil {
		t.Fatal(err)
	}
}

// Equal runs give equal files, bit for bit: twice over, and stopped after each of their steps and gone on with. What is
// compared is the whole state (weights, average, moments, every loss and norm), ckpt.pth and metrics.jsonl.
func TestExact(t *testing.T) {
	threads := torch.NumThreads()
	torch.SetNumThreads(1)
	defer torch.SetNumThreads(int32(threads))
	torch.ManualSeed(1)
	tried := 0
	for name, open := range exactRuns(t) {
		if name == "images, accumulated" && !faulttest.Long() || name == "images" && testing.Short() {
			continue // each takes some seconds
		}
		m := disktest.NewMemory("/once", "/twice", "/stopped")
		restore := disk.Use(m)
		fresh := func() *Run { // with the same first weights
			torch.ManualSeed(7)
			r := open()
			torch.ManualSeed(int64(tried)) // nothing may depend on this
			return r
		}
		trained(t, fresh(), "/once", nil, 0, 1)
		trained(t, fresh(), "/twice", nil, 0, 0)
		sameRuns(t, m, name+", twice", "/once", "/twice")
		// Every process does a step, and finds what the one before has saved.
		for k := 1; k <= exactSteps; k++ {
			var from *State
			if k > 1 {
				var err error
				if from, _, _, err = Newest("/stopped"); err != nil {
					t.Fatal(err)
				}
			}
			trained(t, fresh(), "/stopped", from, k, 0)
			want := fmt.Sprintf("/once/state-%d.pth", k)
			if k == exactSteps {
				want = "/once/" + StateFile
			} else if k == exactSteps-1 {
				want = "/once/" + PrevStateFile
			}
			a, err := m.ReadFile(want)
			if err != nil {
				t.Fatal(err)
			}
			if b, err := m.ReadFile("/stopped/" + StateFile); err != nil || !bytes.Equal(a, b) {
				t.Errorf("%s: stopped after each step, it is another run at step %d, %v", name, k, err)
				break
			}
		}
		sameRuns(t, m, name+", stopped", "/once", "/stopped")
		// From some of the steps, or all of them where there is time, it goes to the end.
		for k := 1; k < exactSteps; k++ {
			if !faulttest.Long() && k != 13 {
				continue
			}
			dir := fmt.Sprintf("/from-%d", k)
			if err := m.Mkdir(dir); err != nil {
				t.Fatal(err)
			}
			at := fmt.Sprintf("/once/state-%d.pth", k)
			if k == exactSteps-1 {
				at = "/once/" + PrevStateFile
			}
			from, err := ReadState(at)
			if err != nil {
				t.Fatal(err)
			}
			trained(t, fresh(), dir, from, 0, 0)
			sameRuns(t, m, fmt.Sprintf("%s, from step %d on", name, k), "/once", dir)
		}
		tried += exactSteps
		restore()
	}
	faulttest.Report(t, "6", tried)
}

// sameRuns compares the files of two runs.
func sameRuns(t *testing.T, m *disktest.Memory, what, once, again string) {
	t.Helper()
	for _, name := range []string{StateFile, CheckpointFile, MetricsFile} {
		a, err := m.ReadFile(once + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := m.ReadFile(again + "/" + name); err != nil || !bytes.Equal(a, b) {
			t.Errorf("%s: %s differs, %v", what, name, err)
		}
	}
}
