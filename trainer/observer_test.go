package trainer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// witness notes what an observer is told.
type witness struct {
	calls []string
	past  []Metric
	steps []Metric
	fail  int // Look fails from this step on, if it is not 0
}

func (w *witness) Start(past []Metric) error {
	w.calls, w.past = append(w.calls, "start"), past
	return nil
}

func (w *witness) Look(l Look) error {
	if w.calls[len(w.calls)-1] != "look" {
		w.calls = append(w.calls, "look")
	}
	w.steps = append(w.steps, l.Steps...)
	if w.fail > 0 && l.Step >= w.fail {
		return errors.New("seen enough")
	}
	return nil
}

func (w *witness) Flush() error {
	w.calls = append(w.calls, "flush")
	return nil
}

func (w *witness) Close() error {
	w.calls = append(w.calls, "close")
	return nil
}

// An observer is told of every step once, in order, whether a run goes through or
// is gone on with, and its files are asked for before a state is saved.
func TestObserver(t *testing.T) {
	c := config(230)
	dir := t.TempDir()
	train := func(steps int, from *State, w *witness) {
		t.Helper()
		r := planeRun(t, c, dir)
		r.MaxSteps, r.Interval, r.Observers = steps, time.Nanosecond, []Observer{w}
		if _, err := r.Train(context.Background(), from); err != nil {
			t.Fatal(err)
		}
		r.Folder.Close()
	}
	first, second := &witness{}, &witness{}
	train(150, nil, first)
	s, _, _, err := Newest(dir)
	if err != nil {
		t.Fatal(err)
	}
	train(230, s, second)
	for name, w := range map[string]*witness{"first": first, "second": second} {
		if want := []string{"start", "look", "flush", "close"}; !slices.Equal(w.calls, want) {
			t.Errorf("%s: %v, want %v", name, w.calls, want)
		}
	}
	if len(first.past) != 0 || fmt.Sprint(lines(second.past)) != fmt.Sprint(lines(first.steps)) {
		t.Errorf("%d steps are past for the second, the first did %d", len(second.past), len(first.steps))
	}
	for i, m := range append(slices.Clone(first.steps), second.steps...) {
		if m.Step != i+1 || m.Loss == nil || (m.LossByTime != nil) != (m.Step%TimeWindow == 0) {
			t.Errorf("step %d: %+v", i+1, m)
		}
	}
}

// lines are metrics in the words of metrics.jsonl.
func lines(ms []Metric) string {
	var b strings.Builder
	_ = encode(&b, ms)
	return b.String()
}

// An observer's error ends the run, and the state is saved.
func TestObserverFails(t *testing.T) {
	r := planeRun(t, config(100), t.TempDir())
	w := &witness{fail: 7}
	r.Interval, r.Observers = time.Nanosecond, []Observer{w}
	if _, err := r.Train(context.Background(), nil); err == nil || !strings.Contains(err.Error(), "seen enough") {
		t.Fatalf("%v", err)
	}
	if s, _, _, err := Newest(r.Folder.Dir); err != nil || s.Step() != 7 {
		t.Errorf("saved: %v", err)
	}
	if last := w.calls[len(w.calls)-1]; last != "close" {
		t.Errorf("%v", w.calls)
	}
}
