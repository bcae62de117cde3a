package training

import (
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flowmatch/cmd/internal/terminal"
	"flowmatch/cmd/internal/terminal/emulator"
	"flowmatch/trainer"
)

var update = flag.Bool("update", false, "write the recordings of trainings into testdata")

// trained tells a reporter of a training of 1,600 steps in 160 seconds, from a step on, as
// one on digits that waits for its data a little.
func trained(t *testing.T, w io.Writer, from int) {
	t.Helper()
	at := time.Unix(0, 0)
	bar := terminal.New(w, false, "training", 1600)
	r := &reporter{
		bar: bar, total: 1600, samples: 64, unit: "images/s", waiting: "waiting for data",
		now: func() time.Time { return at }, held: func() int64 { return 229e6 },
	}
	loss := func(step int) *float64 {
		v := 0.3 + 1.2*math.Exp(-float64(step)/40) + 0.02*math.Sin(float64(step))
		return &v
	}
	var steps []trainer.Metric
	for step := 1; step <= from; step++ {
		steps = append(steps, trainer.Metric{Step: step, Loss: loss(step)})
	}
	if err := r.Start(steps); err != nil {
		t.Fatal(err)
	}
	steps = nil
	for step := from + 1; step <= 1600; step++ {
		at = at.Add(time.Second / 10)
		steps = append(steps, trainer.Metric{Step: step, Loss: loss(step)})
		if step != r.Due() && step%3 != 0 && step != 1600 {
			continue
		}
		err := r.Look(trainer.Look{Steps: steps, Progress: trainer.Progress{
			Step: step, Total: 1600, Loss: *steps[0].Loss, GradNorm: 2 / math.Sqrt(float64(step)), Rate: 2e-3 * float64(1601-step) / 1600,
			StepsPerSecond: 10, Waiting: 0.02, Timed: true, Left: time.Duration(1600-step) * time.Second / 10,
		}})
		if err != nil {
			t.Fatal(err)
		}
		steps = nil
	}
	bar.Done()
	terminal.Say(w, "1600 steps in 2 min 40 s, 10.00 a second")
}

// Recordings of a training, on terminals and in a log: what stays there is what people
// are meant to see, and nothing is wider than the terminal.
func TestRecordings(t *testing.T) {
	t.Setenv("TERM", "xterm")
	t.Setenv("LC_ALL", "C.UTF-8")
	for _, c := range []struct {
		name        string
		width, from int
	}{{"80", 80, 0}, {"40", 40, 0}, {"20", 20, 0}, {"80-resumed", 80, 700}, {"log", 0, 0}} {
		var lines []string
		if c.width == 0 {
			var out strings.Builder
			trained(t, &out, c.from)
			lines = strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			if strings.ContainsAny(out.String(), "\x1b\r") {
				t.Errorf("control sequences in a log: %q", out.String())
			}
		} else {
			p, err := emulator.Open(c.width)
			if err != nil {
				t.Skipf("no pseudo-terminals here: %v", err)
			}
			trained(t, p.File, c.from)
			term := p.Close()
			if len(term.Wrapped) > 0 || len(term.Complaints) > 0 {
				t.Errorf("%s: lines that wrap %q, unknown sequences %q", c.name, term.Wrapped, term.Complaints)
			}
			lines = term.Screen()
		}
		if len(lines) > 24 {
			t.Errorf("%s: %d lines are no screenful", c.name, len(lines))
		}
		path := filepath.Join("testdata", "training-"+c.name+".txt")
		got := strings.Join(lines, "\n") + "\n"
		if *update {
			if err := os.MkdirAll("testdata", 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil || string(want) != got {
			t.Errorf("%s, %v:\n%s\nwant (-update writes it anew)\n%s", c.name, err, got, want)
		}
	}
}

// Rows are at round parts of the run, and where a run is short at fewer.
func TestRowsOfShortAndLongRuns(t *testing.T) {
	for _, c := range []struct {
		total, first int
		each         time.Duration // a step
		live         bool
		want         string
	}{
		{100, 0, time.Second, true, "1 2 5 10 20 30 40 50 60 70 80 90 100"},
		{100, 42, time.Second, true, "50 60 70 80 90 100"},
		{100, 0, 20 * time.Millisecond, true, "50 100"}, // of a second
		{100, 0, 12 * time.Minute, true, "1 2 5 10 20 30 40 50 60 70 80 90 100"},
		{5, 0, time.Hour, true, "1 2 3 4 5"},
		{4, 0, time.Millisecond, true, "4"},
		{10, 0, 3 * time.Minute, false, "1 2 3 4 5 6 7 8 9 10"},
		{1000, 20, 10 * time.Second, false, "26 32 38 44 50 56 62 68 74 80 86 92 98 100 "},
	} {
		at := time.Unix(0, 0)
		var out strings.Builder
		r := &reporter{bar: terminal.New(&out, false, "x", c.total), total: c.total, now: func() time.Time { return at }, held: func() int64 { return 0 }, estimated: true}
		if c.live {
			p, err := emulator.Open(80)
			if err != nil {
				t.Skipf("no pseudo-terminals here: %v", err)
			}
			defer p.Close()
			t.Setenv("TERM", "xterm")
			r.bar = terminal.New(p.File, false, "x", c.total)
		}
		if err := r.Start(make([]trainer.Metric, c.first)); err != nil {
			t.Fatal(err)
		}
		got := ""
		for step := c.first + 1; step <= c.total; step++ {
			at = at.Add(c.each)
			if r.rowNow(step) {
				got += fmt.Sprint(step, " ")
			}
		}
		if !strings.HasPrefix(got, c.want) || !strings.HasSuffix(c.want, " ") && strings.TrimSpace(got) != c.want {
			t.Errorf("%+v: rows after %s", c, got)
		}
	}
}

// The columns are as wide as their values become.
func TestFieldsFitTheirColumns(t *testing.T) {
	for _, v := range []float64{0, 1e-9, 0.00012345, 0.5, 12.3456, 99.99999, 123.456, 9999.9, 123456, 9.87e12} {
		for name, s := range map[string]string{"loss": fourDecimals(v), "grad": threeDigits(v)} {
			if most := map[string]int{"loss": 7, "grad": 6}[name]; len(s) > most {
				t.Errorf("%s of %v is %q", name, v, s)
			}
		}
	}
	if got := perSecond(12345.6) + " " + perSecond(1.234); got != "12,346 1.23" {
		t.Errorf("%q", got)
	}
}

// The average begins with the first loss, and forgets.
func TestLossAverage(t *testing.T) {
	var a lossAverage
	one, three := 1.0, 3.0
	a.add(&three)
	a.add(nil)
	if a.value() != 3 {
		t.Errorf("%v after one loss of 3", a.value())
	}
	for range 2000 {
		a.add(&one)
	}
	if math.Abs(a.value()-1) > 1e-6 {
		t.Errorf("%v after many of 1", a.value())
	}
}
