package trainer

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/wangkuiyi/gotorch/disk"
	"github.com/wangkuiyi/gotorch/disk/disktest"
	"github.com/wangkuiyi/gotorch/faulttest"
)

// Each operation of drawing the second file of pairs fails in each way: the first one is as it was, the second one whole or
// not there, the message names path and operation, no temporary is left, and the next time all are there.
func TestEveryFaultOfPairs(t *testing.T) {
	const dir = "/run/pairs"
	calls := 0
	pairs := func() *Pairs {
		return &Pairs{Teacher: driftTeacher(t, 3, &calls), Config: ReflowConfig{Round: 1, Pairs: 14}, Seed: 5, Dir: dir, PerFile: 7}
	}
	load := func(p *Pairs) error {
		return p.Load(context.Background(), func(int, int) {}, func(note string) { t.Errorf("a note: %s", note) })
	}
	whole := disktest.NewMemory("/run")
	restore := disk.Use(whole)
	if err := load(pairs()); err != nil {
		t.Fatal(err)
	}
	files := []string{pairs().file(0), pairs().file(7)}
	want := map[string][]byte{}
	for _, path := range files {
		want[path] = must(whole.ReadFile(path))
	}
	if err := whole.Remove(files[1]); err != nil {
		t.Fatal(err)
	}
	base := whole.Clone()
	restore()
	tried := 0
	for f := range disktest.Failures(t, base, nil, func() error { return load(pairs()) }) {
		tried++
		what, err, m := f.What, f.Err, f.On
		if got, rerr := m.ReadFile(files[0]); rerr != nil || !bytes.Equal(got, want[files[0]]) {
			t.Errorf("%s: the file before was changed, %v", what, rerr)
		}
		if got, rerr := m.ReadFile(files[1]); rerr == nil && !bytes.Equal(got, want[files[1]]) {
			t.Errorf("%s: a file is not whole", what)
		} else if rerr != nil && err == nil {
			t.Errorf("%s: a success without the pairs", what)
		}
		told(t, dir, f)
		if err := load(pairs()); err != nil {
			t.Errorf("%s: the next time: %v", what, err)
		}
	}
	faulttest.Report(t, "3", tried)
}

// Each operation of the log of metrics fails in each way: no line is lost before others, the message names path and
// operation, and begun anew the log is whole.
func TestEveryFaultOfMetrics(t *testing.T) {
	const dir, path = "/run", "/run/" + MetricsFile
	steps := make([]Metric, 30)
	for i := range steps {
		steps[i].Step = i + 1
	}
	var text bytes.Buffer
	if err := encode(&text, steps); err != nil {
		t.Fatal(err)
	}
	write := func() error {
		l := &metricsLog{path: path}
		if err := l.Start(steps[:10]); err != nil {
			return err
		}
		_ = l.Look(Look{Steps: steps[10:20]}) // what went wrong is told again
		_ = l.Flush()
		_ = l.Look(Look{Steps: steps[20:]})
		return l.Close()
	}
	base := disktest.NewMemory(dir)
	restore := disk.Use(base)
	if err := (&metricsLog{path: path}).Start(steps[:5]); err != nil { // of an earlier run
		t.Fatal(err)
	}
	restore()
	before := must(base.ReadFile(path))
	tried := 0
	for f := range disktest.Failures(t, base, nil, write) {
		tried++
		what, err, m := f.What, f.Err, f.On
		got, rerr := m.ReadFile(path)
		if rerr != nil || !bytes.HasPrefix(text.Bytes(), got) && !bytes.Equal(got, before) {
			t.Errorf("%s: the log is no beginning of what it should be, %v", what, rerr)
		}
		if err == nil && !bytes.Equal(got, text.Bytes()) {
			t.Errorf("%s: a success without all steps", what)
		}
		told(t, dir, f)
		if err := write(); err != nil || !bytes.Equal(must(m.ReadFile(path)), text.Bytes()) {
			t.Errorf("%s: the next time: %v", what, err)
		}
	}
	faulttest.Report(t, "3", tried)
}

// told wants a fault in the message, if it costs anything, and no temporary.
func told(t *testing.T, dir string, f disktest.Failure) {
	t.Helper()
	switch {
	case f.Err == nil && !bearable(f.Op) && f.Name != "list": // by who sweeps behind killed writers
		t.Errorf("%s: nobody says so", f.What)
	case f.Name == "list": // then another one is named
	case f.Err != nil && (!errors.Is(f.Err, f.Of.Err) || !strings.Contains(f.Err.Error(), dir) || !names(f.Err, f.Op)):
		t.Errorf("%s: the message is %v", f.What, f.Err)
	}
	if f.Name != "remove" {
		for _, name := range f.On.Names(dir) {
			if strings.HasPrefix(name, ".") {
				t.Errorf("%s: left %s", f.What, name)
			}
		}
	}
}
