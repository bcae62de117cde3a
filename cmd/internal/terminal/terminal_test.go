package terminal

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                        "0.0 s",
		1250 * time.Millisecond:  "1.2 s",
		10 * time.Second:         "10 s",
		59600 * time.Millisecond: "1 min 0 s",
		200 * time.Second:        "3 min 20 s",
		59*time.Minute + 59*time.Second + 600*time.Millisecond: "1 h 0 min",
		26*time.Hour + 3*time.Minute:                           "26 h 3 min",
	} {
		if got := Duration(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestClock(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0:00", 0: "0:00", 59600 * time.Millisecond: "1:00", 200 * time.Second: "3:20", time.Hour + 62*time.Second: "1:01:02",
	} {
		if got := Clock(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestCountAndBytes(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 70000: "70,000", 6245889: "6,245,889"} {
		if got := Count(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 kB", 1499: "1 kB", 63_400_000: "63 MB", 5_400_000_000: "5.4 GB", 81_000_000_000: "81 GB"} {
		if got := Bytes(n); got != want {
			t.Errorf("%d bytes are %q, want %q", n, got, want)
		}
	}
}

// Where there is no terminal there are plain lines, of which a short task has none, and
// one that was shown has a last one.
func TestRate(t *testing.T) {
	for v, want := range map[float64]string{0.5: "0.50", 4.364: "4.36", 16.6: "17", 8574.1: "8,574"} {
		if got := Rate(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}

func TestPlainBar(t *testing.T) {
	var out strings.Builder
	b := New(&out, false, "training", 10)
	b.Set(1, 10, "loss 1")
	b.Set(10, 10, "loss .5")
	b.Done()
	if out.Len() > 0 {
		t.Errorf("a short task says %q", out.String())
	}
	b = New(&out, false, "training", 10)
	b.every = 0
	b.Set(3, 10, "loss 1")
	b.every = time.Hour
	b.Set(4, 10, "loss .9")
	b.Note("a note")
	b.Set(10, 10, "loss .5")
	b.Done()
	want := "training 3/10 (30%)  loss 1\na note\ntraining 10/10 (100%)  loss .5\n"
	if out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
	if b.Interval() != time.Second {
		t.Errorf("plain lines want a look every %v", b.Interval())
	}
	b = New(&out, false, "empty", 0)
	b.every = 0
	b.Set(0, 0, "") // and does not divide by it
}

func TestQuietBar(t *testing.T) {
	var out strings.Builder
	b := New(&out, true, "training", 10)
	b.every = 0
	b.Set(3, 10, "")
	b.Note("a note")
	b.Set(10, 10, "")
	b.Done()
	if out.Len() > 0 {
		t.Errorf("it says %q", out.String())
	}
	// A file is no terminal.
	f, err := os.Create(t.TempDir() + "/log")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if New(f, false, "training", 10).Live() {
		t.Error("a bar in a file")
	}
}
