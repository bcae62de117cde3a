package trainer

import (
	"context"
	"math"
	"reflect"
	"testing"
)

func TestSchedule(t *testing.T) {
	c := Config{LearningRate: 2, Warmup: 4, Schedule: "cosine", Iterations: 14, EMADecay: 0.9}
	for k, want := range map[int]float64{0: 0.5, 3: 2, 4: 2, 9: 1, 14: 0} {
		if got := c.Rate(k); math.Abs(got-want) > 1e-12 {
			t.Errorf("rate of step %d is %v, want %v", k, got, want)
		}
	}
	c.Schedule = "constant"
	if got := c.Rate(13); got != 2 {
		t.Errorf("constant rate %v", got)
	}
	// (1+n)/(10+n) after n updates, at most the decay.
	for k, want := range map[int]float64{0: 2. / 11, 8: 10. / 19, 1000: 0.9} {
		if got := c.Decay(k); math.Abs(got-want) > 1e-12 {
			t.Errorf("decay after step %d is %v, want %v", k, got, want)
		}
	}
}

// Past its planned end a cosine begins again over the added steps, with a tenth of them
// as warm-up at most.
func TestRateOfLongerRun(t *testing.T) {
	c := Config{LearningRate: 2, Warmup: 4, Schedule: "cosine", Iterations: 14}
	longer := c.Longer(34).Longer(44)
	if want := []int{14, 34}; !reflect.DeepEqual(longer.Earlier, want) || longer.Iterations != 44 || c.Earlier != nil {
		t.Fatalf("%+v of %+v", longer, c)
	}
	for k := range 14 {
		if got, want := longer.Rate(k), c.Rate(k); got != want {
			t.Errorf("step %d: rate %v, planned %v", k, got, want)
		}
	}
	for k, want := range map[int]float64{14: 1, 15: 2, 16: 2, 25: 1, 34: 2, 35: 2, 44: 0} {
		if got := longer.Rate(k); math.Abs(got-want) > 1e-12 {
			t.Errorf("rate of step %d is %v, want %v", k, got, want)
		}
	}
	if got, want := longer.Rate(33), 1+math.Cos(math.Pi*17/18); math.Abs(got-want) > 1e-12 {
		t.Errorf("rate of the second plan's last step is %v, want %v", got, want)
	}
	c.Schedule = "constant"
	if longer := c.Longer(34); longer.Earlier != nil || longer.Iterations != 34 {
		t.Errorf("a constant schedule knows of an end that it does not have: %+v", longer)
	}
}

func TestCheckEarlier(t *testing.T) {
	c := config(10)
	if err := c.Longer(20).Longer(30).Check(); err != nil {
		t.Error(err)
	}
	for name, earlier := range map[string][]int{"not past the last": {10}, "falling": {5, 4}, "twice": {5, 5}, "0": {0}, "negative": {-1}} {
		c.Earlier = earlier
		if c.Check() == nil {
			t.Errorf("%s: %v, then %d is accepted", name, earlier, c.Iterations)
		}
	}
	c.Schedule, c.Earlier = "constant", []int{5}
	if c.Check() == nil {
		t.Error("a constant schedule that begins again is accepted")
	}
}

// trainTo goes on with the run in a folder, whose state has the configuration c or one
// that c is a Longer one of, and stops after step end.
func trainTo(t *testing.T, c Config, dir string, end int) {
	t.Helper()
	r := planeRun(t, c, dir)
	r.MaxSteps = end
	var from *State
	if HoldsRun(dir) {
		var err error
		if from, _, _, err = Newest(dir); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Train(context.Background(), from); err != nil {
		t.Fatal(err)
	}
	r.Folder.Close()
}

// A run of a constant schedule that goes on past its planned end gives the files of one
// that was planned so from the start, wherever it was stopped.
func TestLongerConstant(t *testing.T) {
	long, short := config(30), config(12)
	long.Schedule, short.Schedule = "constant", "constant"
	once := t.TempDir()
	trainTo(t, long, once, 30)
	for name, stops := range map[string][]int{"at the end": {12}, "before it": {7}, "and in between": {12, 20}} {
		dir := t.TempDir()
		trainTo(t, short, dir, stops[0])
		for _, end := range append(stops[1:], 30) {
			trainTo(t, short.Longer(30), dir, end)
		}
		t.Log(name)
		sameFiles(t, once, dir)
	}
}

// A cosine that begins again does not depend on where the run was stopped, nor on when it
// was made longer; its record says where it began again.
func TestLongerCosine(t *testing.T) {
	c := config(12)
	twice := c.Longer(20).Longer(30)
	once := t.TempDir()
	trainTo(t, twice, once, 30)
	for name, stops := range map[string][]int{"at the ends": {12, 20}, "before them": {5, 15}, "past the first": {12, 14, 25}} {
		dir := t.TempDir()
		trainTo(t, c, dir, stops[0])
		trainTo(t, c.Longer(20), dir, stops[1])
		for _, end := range append(stops[2:], 30) {
			trainTo(t, twice, dir, end)
		}
		t.Log(name)
		sameFiles(t, once, dir)
	}
	s, _, _, err := Newest(once)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Record.Training.Configuration; !reflect.DeepEqual(got.Earlier, []int{12, 20}) || got.Iterations != 30 {
		t.Errorf("the record's plans are %v and %d", got.Earlier, got.Iterations)
	}
}
