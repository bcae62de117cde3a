package trainer

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/datasets/plane"
	"flowmatch/models"
)

func TestTimeLoss(t *testing.T) {
	nan := float32(math.NaN())
	torch.Scoped(func() {
		l := newTimeLoss(torch.CPU, 2*TimeWindow)
		defer l.Close()
		v := torch.FromSlice([]float32{1, 1, 3, 1, 0, 0, nan, 0}, 4, 2)
		u := torch.FromSlice([]float32{0, 0, 1, 1, 0, 1, 0, 0}, 4, 2)
		l.Batch(v, u, torch.FromSlice([]float32{0, 0.05, 0.999, 0.5}, 4))
		l.Batch(v, u, torch.FromSlice([]float32{0.31, 0.32, 0.1, 0.5}, 4))
		l.Step(TimeWindow)
		l.Read()
		// The means of each row's squares are 1, 2, 1/2 and no number.
		want := map[int]float32{0: 1.5, 9: 0.5, 3: 1.5, 1: 0.5}
		for i, got := range l.history {
			w, ok := want[i]
			if ok != (got == w) || !ok && !math.IsNaN(float64(got)) {
				t.Errorf("bin %d: %v, want %v", i, got, w)
			}
		}
		l.Step(TimeWindow)
		l.Step(TimeWindow)
		l.Read()
		l.Read()
		if len(l.history) != 3*TimeBins || !math.IsNaN(float64(l.history[TimeBins])) {
			t.Errorf("the sums were not begun anew: %v", l.history[TimeBins:])
		}
	})
	// Losses that are each finite, and whose sum is not.
	torch.Scoped(func() {
		l := newTimeLoss(torch.CPU, TimeWindow)
		defer l.Close()
		zeros := torch.Zeros([]int64{2, 1}, torch.Options{})
		for range TimeWindow {
			l.Batch(torch.FromSlice([]float32{1.5e19, 2}, 2, 1), zeros, torch.FromSlice([]float32{0.55, 0.55}, 2))
		}
		if got := torch.ToSlice[float32](l.sum); got[5] != 4*TimeWindow || got[TimeBins+5] != TimeWindow {
			t.Errorf("the sum is %v of %v losses, want that of those that can be summed", got[5], got[TimeBins+5])
		}
	})
	l := &timeLoss{history: make([]float32, 2*TimeBins)}
	at := func(step int) []*float64 {
		m := Metric{Step: step}
		l.Annotate(&m)
		return m.LossByTime
	}
	if got := at(200); len(got) != TimeBins || got[0] == nil {
		t.Errorf("step 200 ends the second window: %v", got)
	}
	for _, step := range []int{0, 150, 300} {
		if got := at(step); got != nil {
			t.Errorf("step %d ends no window that is known: %v", step, got)
		}
	}
}

// planeRun trains a small MLP on points.
func planeRun(t *testing.T, c Config, dir string) *Run {
	t.Helper()
	set, err := plane.Open("moons")
	if err != nil {
		t.Fatal(err)
	}
	torch.ManualSeed(c.Seed)
	n := models.MLPConfig{HiddenDim: 8}.Defaults()
	m, err := models.NewMLP(n)
	if err != nil {
		t.Fatal(err)
	}
	f, err := OpenFolder(dir, 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return &Run{Config: c, Network: m, Dataset: DatasetRecord{Name: "moons"}, Folder: f, Device: torch.CPU,
		Open: Data(set)}
}

// A finished run's metrics and weights are whole again, whatever has become of them.
func TestFinish(t *testing.T) {
	dir := t.TempDir()
	r := planeRun(t, config(230), dir)
	if _, err := r.Train(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	s, _, _, err := Newest(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{MetricsFile, CheckpointFile} {
		path := filepath.Join(dir, name)
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, want[:len(want)/2], 0o666); err != nil {
			t.Fatal(err)
		}
		if err := r.Folder.Finish(s); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != string(want) {
			t.Errorf("%s is another: %d bytes, want %d; %v", name, len(got), len(want), err)
		}
	}
}

// Stopped within a window and gone on with, a run gives the same files.
func TestTimeLossResume(t *testing.T) {
	c := config(230)
	once, twice := t.TempDir(), t.TempDir()
	res, err := planeRun(t, c, once).Train(context.Background(), nil)
	if err != nil || len(res.TimeLosses) != 2*TimeBins {
		t.Fatalf("%d values, %v", len(res.TimeLosses), err)
	}
	// The mean over the times is the mean of the losses, but for the unequal
	// number of times in the bins.
	var byTime, losses float64
	for _, v := range res.TimeLosses[:TimeBins] {
		byTime += float64(v) / TimeBins
	}
	for _, v := range res.Losses[:TimeWindow] {
		losses += float64(v) / TimeWindow
	}
	if math.Abs(byTime/losses-1) > 0.1 {
		t.Errorf("loss by time %v, of all steps %v", byTime, losses)
	}
	r := planeRun(t, c, twice)
	r.MaxSteps = 150
	if _, err := r.Train(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	r.Folder.Close()
	s, _, _, err := Newest(twice)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := planeRun(t, c, twice).Train(context.Background(), s); err != nil {
		t.Fatal(err)
	}
	sameFiles(t, once, twice)
}

// The times' distribution: with p = 2 a quarter of them lie below 1 - (3/4)^2,
// where uniform ones have 7/16.
func TestTimePower(t *testing.T) {
	c := config(100)
	c.BatchSize, c.LearningRate = 512, 1e-9
	count := func(power float64) float64 {
		c.TimePower = power
		r := planeRun(t, c, t.TempDir())
		seen := &timesSeen{MLP: r.Network.(*models.MLP)}
		r.Network = seen
		if _, err := r.Train(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		low := 0
		for _, v := range seen.times {
			if v < 7./16 {
				low++
			}
		}
		return float64(low) / float64(len(seen.times))
	}
	// Five standard errors of 51,200 draws are 0.011.
	if f := count(0); math.Abs(f-7./16) > 0.011 {
		t.Errorf("uniform: %v below 7/16", f)
	}
	if f := count(2); math.Abs(f-0.25) > 0.011 {
		t.Errorf("power 2: %v below 7/16, want 1/4", f)
	}
}

// Stratified times: one in each part of [0,1), in every batch.
func TestStratifiedTimes(t *testing.T) {
	c := config(20)
	c.StratifiedTimes = true
	r := planeRun(t, c, t.TempDir())
	seen := &timesSeen{MLP: r.Network.(*models.MLP)}
	r.Network = seen
	if _, err := r.Train(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	for i, v := range seen.times {
		if part := int(v * float32(c.BatchSize)); part != i%c.BatchSize {
			t.Fatalf("time %d of a batch of %d is %v", i%c.BatchSize, c.BatchSize, v)
		}
	}
	if seen.times[0] == seen.times[c.BatchSize] {
		t.Error("two batches have the same times")
	}
}

// Stable targets: the loss falls by most of what single targets vary by.
func TestStableTargets(t *testing.T) {
	c := config(300)
	c.BatchSize = 256
	end := func() (mean float64) {
		res, err := planeRun(t, c, t.TempDir()).Train(context.Background(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range res.Losses[200:] {
			mean += float64(l) / 100
		}
		return mean
	}
	plain := end()
	c.StableTargets = true
	if stable := end(); !(stable < plain/2) {
		t.Errorf("loss %v, with single targets %v", stable, plain)
	}
}

// timesSeen notes the times that a network is evaluated at.
type timesSeen struct {
	*models.MLP
	times []float32
}

func (s *timesSeen) Velocity(x, t, y torch.Tensor) torch.Tensor {
	s.times = append(s.times, torch.ToSlice[float32](t)...)
	return s.MLP.Velocity(x, t, y)
}
