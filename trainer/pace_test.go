package trainer

import (
	"context"
	"testing"
	"time"
)

// However many looks there are, the marks stay few, even and in order.
func TestPaceStaysSmall(t *testing.T) {
	var p pace
	p.note(0, 0)
	for i := 1; i <= 100000; i++ {
		p.note(10*i, time.Duration(i)*time.Second)
	}
	if n := len(p.marks); n < maxMarks/2 || n >= maxMarks {
		t.Fatalf("%d marks", n)
	}
	if p.marks[0] != (Mark{}) {
		t.Errorf("the first is %v", p.marks[0])
	}
	apart := p.marks[1].Step
	for i, m := range p.marks {
		if m.Step != i*apart || m.At != time.Duration(m.Step/10)*time.Second {
			t.Fatalf("mark %d is %v, with marks %d steps apart", i, m, apart)
		}
	}
	if last := p.marks[len(p.marks)-1].Step; last < 10*100000-apart {
		t.Errorf("the last is at step %d", last)
	}
}

// A run marks its start, its end and what lies between.
func TestPaceOfARun(t *testing.T) {
	r := newRun(t, config(7), small(), t.TempDir())
	r.Interval = time.Nanosecond
	res, err := r.Train(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Pace) != 8 {
		t.Fatalf("%v", res.Pace)
	}
	for i, m := range res.Pace {
		if m.Step != i || i > 0 && m.At <= res.Pace[i-1].At {
			t.Errorf("mark %d is %v", i, m)
		}
	}
	if end := res.Pace[7].At; end > res.Time {
		t.Errorf("%v after %v", end, res.Time)
	}
}
