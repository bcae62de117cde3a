package page

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"flowmatch/trainer"
)

func TestMetricsTail(t *testing.T) {
	dir := copied(t)
	path := filepath.Join(dir, "cfm", "moons", trainer.MetricsFile)
	tail := &metricsTail{outputs: outputs{dir}, path: "cfm/moons/metrics.jsonl"}
	first, err := tail.more()
	check(t, err)
	if !first.Reset || len(first.Step) != 200 || first.Step[199] != 200 {
		t.Fatalf("at first %d parts to %v", len(first.Step), first.Step)
	}
	if more, err := tail.more(); more != nil || err != nil {
		t.Errorf("nothing new: %v, %v", more, err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	check(t, err)
	defer f.Close()
	_, err = io.WriteString(f, `{"step":201,"loss":0.5}`+"\n"+`{"step":202,"loss":null}`+"\n"+`{"step":203,"lo`)
	check(t, err)
	more, err := tail.more()
	check(t, err)
	if more.Reset || !slices.Equal(more.Step, []int{201}) || more.Mean[0] != 0.5 {
		t.Errorf("two lines and a torn one: %+v", more)
	}
	_, err = io.WriteString(f, `ss":0.25}`+"\n")
	check(t, err)
	if more, err = tail.more(); err != nil || !slices.Equal(more.Step, []int{203}) || more.Mean[0] != 0.25 {
		t.Errorf("the rest of it: %+v, %v", more, err)
	}
	// A run that begins anew has another file.
	check(t, os.WriteFile(path+".new", []byte(`{"step":1,"loss":4}`+"\n"), 0o644))
	check(t, os.Rename(path+".new", path))
	if more, err = tail.more(); err != nil || !more.Reset || !slices.Equal(more.Step, []int{1}) {
		t.Errorf("another file: %+v, %v", more, err)
	}
}

func TestGather(t *testing.T) {
	var steps []lossOf
	for i := 1; i <= 10; i++ {
		steps = append(steps, lossOf{i, float64(i)})
	}
	l := &losses{}
	l.gather(steps, 3)
	if !slices.Equal(l.Step, []int{4, 8, 10}) || !slices.Equal(l.Low, []float64{1, 5, 9}) || !slices.Equal(l.Mean, []float64{2.5, 6.5, 9.5}) || !slices.Equal(l.High, []float64{4, 8, 10}) {
		t.Errorf("%+v", l)
	}
}
