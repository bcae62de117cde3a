package page

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
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

// A file that has become huge between two looks is not read. Its hole takes no room on the
// disk.
func TestHugeMetrics(t *testing.T) {
	dir := copied(t)
	path := filepath.Join(dir, "cfm", "moons", trainer.MetricsFile)
	tail := &metricsTail{outputs: outputs{dir}, path: "cfm/moons/metrics.jsonl"}
	_, err := tail.more()
	check(t, err)
	in, err := os.Stat(path)
	check(t, err)
	allocated := func(f func()) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	check(t, os.Truncate(path, in.Size()+largestMetrics+1))
	if n := allocated(func() { _, err = tail.more() }); err == nil || !strings.Contains(err.Error(), "grown by 256 MB at once") || n > largestMetrics/4 {
		t.Errorf("a huge file: %v, %d bytes in memory", err, n)
	}
	// Within the bound it is read by pieces; lines go on across their ends.
	var b bytes.Buffer
	var want []int
	for step := 1; b.Len() < 3*metricsPiece; step++ {
		fmt.Fprintf(&b, `{"step":%d,"loss":1,"more":"%s"}`+"\n", step, strings.Repeat("x", 9000+step))
		want = append(want, step)
	}
	check(t, os.WriteFile(path, b.Bytes(), 0o644))
	if more, err := (&metricsTail{outputs: tail.outputs, path: tail.path}).more(); err != nil || !slices.Equal(more.Step, want) {
		t.Errorf("%d lines in pieces: %v, %+v", len(want), err, more)
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
