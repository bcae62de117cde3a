package trainer

import (
	"testing"
	"time"
)

// The time in which what was learnt is looked at is none of the steps'.
func TestMeterWithoutAside(t *testing.T) {
	at := time.Now()
	m := meter{at: at}
	p := Progress{Step: 10, Total: 30}
	m.look(&p, at.Add(2*time.Second), time.Second/2, 0)
	if p.StepsPerSecond != 5 || p.Waiting != 0.25 {
		t.Errorf("%+v", p)
	}
	p.Step = 20
	m.look(&p, at.Add(9*time.Second), time.Second/2, 5*time.Second)
	if p.StepsPerSecond != 5 || p.Waiting != 0 {
		t.Errorf("%+v", p)
	}
}

// What is told of the steps to come is by the usual of those that were timed: the first ones, which ask for memory, say
// nothing of it, nor does a pause. Before that nothing is told.
func TestMeterTellsWhatItKnows(t *testing.T) {
	const first = 700 // of a run that goes on
	begin := time.Now()
	m, at := meter{first: first, at: begin, step: first}, begin
	look := func(step int, took time.Duration) Progress {
		at = at.Add(took)
		p := Progress{Step: first + step, Total: first + 1000}
		m.look(&p, at, 0, 0)
		return p
	}
	for _, c := range []struct {
		step int
		took time.Duration
		rate float64
		left time.Duration // 0: not told
	}{
		{1, 4 * time.Second, 0.25, 0},
		{2, time.Second, 1, 0},
		{4, time.Second / 2, 4, 0}, // the first stretch of those that count: what came before does no more
		{5, time.Second / 4, 4, 0},
		{6, time.Second / 4, 4, 994 * time.Second / 4},
		{7, time.Minute, 4, 993 * time.Second / 4},
		{11, time.Second, 4, 989 * time.Second / 4},
		{1000, time.Second / 4 * 989, 4, 0},
	} {
		p := look(c.step, c.took)
		if p.StepsPerSecond != c.rate || p.Left != c.left || p.Timed != (c.step >= 6) {
			t.Errorf("after step %d: %+v, want %v a second and %v", c.step, p, c.rate, c.left)
		}
	}
	for i := range mostTimed { // slower from now on
		look(1001+i, time.Second)
	}
	if p := look(1001+mostTimed, time.Second); p.StepsPerSecond != 1 {
		t.Errorf("%+v is not of the last while", p)
	}
}
