package trainer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Lines are written by a goroutine: flush waits for them, and what goes wrong
// there comes back, without a line after the missing ones.
func TestMetricsLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), MetricsFile)
	l := &metricsLog{path: path}
	if err := l.Start(nil); err != nil {
		t.Fatal(err)
	}
	lines := func() int {
		t.Helper()
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(b), "\n")
	}
	add := func() error { return l.Look(Look{Steps: make([]Metric, 2)}) }
	if err := add(); err != nil {
		t.Fatal(err)
	}
	if err := l.Flush(); err != nil || lines() != 2 {
		t.Errorf("%d lines after two steps: %v", lines(), err)
	}
	good := l.f
	var err error
	if l.f, err = os.Open(path); err != nil { // cannot be written to
		t.Fatal(err)
	}
	l.w.Reset(l.f)
	_ = add()
	if err := l.Flush(); err == nil || !strings.Contains(err.Error(), MetricsFile) {
		t.Errorf("a failed write is told as %v", err)
	}
	l.w.Reset(good)
	if err := add(); err == nil {
		t.Error("the log goes on after a failed write")
	}
	if err := l.Close(); err == nil || lines() != 2 {
		t.Errorf("%d lines, the end tells %v", lines(), err)
	}
	good.Close()
}
