package terminal

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"flowmatch/cmd/internal/terminal/emulator"
)

// openTerminal opens a terminal of so many columns for a locale.
func openTerminal(t *testing.T, width int, locale string) *emulator.Pty {
	t.Helper()
	t.Setenv("TERM", "xterm")
	for _, name := range []string{"LC_ALL", "LC_CTYPE"} {
		t.Setenv(name, "")
	}
	t.Setenv("LANG", locale)
	p, err := emulator.Open(width)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	return p
}

// seen closes the terminal and gives what stands there.
func seen(t *testing.T, p *emulator.Pty) []string {
	t.Helper()
	term := p.Close()
	if len(term.Wrapped) > 0 || len(term.Complaints) > 0 {
		t.Errorf("wrapped lines %q, unknown sequences %q", term.Wrapped, term.Complaints)
	}
	return term.Screen()
}

var twoFields = []Field{{Name: "step", Value: "5", Width: 5}, {Name: "loss", Value: "0.25", Width: 6}, {Name: "memory", Value: "12 MB"}}

// Rows and notes stay, and the line under them is written over and goes at the end.
func TestLine(t *testing.T) {
	for _, c := range []struct {
		width  int
		locale string
		what   string
		want   []string // before the end
		after  []string
	}{
		{60, "C.UTF-8", "training",
			[]string{"a note that says something", " step    loss  memory", "    5    0.25   12 MB", "    5    0.25   12 MB",
				"training   50% ████████████░░░░░░░░░░░░  loss 0.1  9 s left"},
			[]string{"a note that says something", " step    loss  memory", "    5    0.25   12 MB", "    5    0.25   12 MB", "end"}},
		{60, "C", "training",
			[]string{"a note that says something", " step    loss  memory", "    5    0.25   12 MB", "    5    0.25   12 MB",
				"training   50% ############............  loss 0.1  9 s left"},
			[]string{"a note that says something", " step    loss  memory", "    5    0.25   12 MB", "    5    0.25   12 MB", "end"}},
		{20, "C.UTF-8", "数字数字数字数字数字",
			[]string{"a note that says", "  something", " step    loss", "    5    0.25", "    5    0.25", "数字数字数字…   50%"},
			[]string{"a note that says", "  something", " step    loss", "    5    0.25", "    5    0.25", "end"}},
		{6, "C.UTF-8", "training", []string{"a", "  note", "  that", "  says", "  some", "thing", " step", "    5", "    5", " 50%"}, nil},
		{1, "C.UTF-8", "training", nil, nil},
	} {
		p := openTerminal(t, c.width, c.locale)
		b := New(p.File, false, c.what, 10)
		if !b.Live() {
			t.Fatal("the terminal is none")
		}
		b.Set(3, 10, "loss 0.3333333", "30 s left")
		b.Note("a note that says something")
		b.Row(twoFields...)
		b.Set(4, 10, "loss 0.3333", "30 s left", "", "longer than before, and cut")
		b.Row(twoFields...)
		b.Set(5, 10, "loss 0.1", "9 s left")
		if c.want != nil && !p.Settle(func(s []string) bool { return slices.Equal(s, c.want) }, 400) {
			p.Settle(func(s []string) bool { t.Errorf("%d columns: %q, want %q", c.width, s, c.want); return true }, 1)
		}
		b.Done()
		Say(p.File, "end")
		switch term := p.Close(); {
		case c.width > 6:
			if got := term.Screen(); !slices.Equal(got, c.after) || len(term.Wrapped) > 0 || len(term.Complaints) > 0 {
				t.Errorf("%d columns: %q, want %q; wrapped %q, %q", c.width, got, c.after, term.Wrapped, term.Complaints)
			}
		case len(term.Complaints) > 0:
			t.Errorf("%d columns: %q", c.width, term.Complaints)
		}
	}
}

// Whatever the width and the texts, the line never goes on in the next one.
func TestMeterFits(t *testing.T) {
	for room := 1; room < 120; room++ {
		for _, what := range []string{"training", "figures: samples", "数字数字数字", ""} {
			for _, ascii := range []bool{false, true} {
				line := fit(meter(what, 7, 10, []string{"loss 0.1234", "1 min 3 s left", "", "数字", "12 steps/s"}, room, ascii), room, ascii)
				if n := columnsOf(line); n > room {
					t.Errorf("%d columns: %q takes %d", room, line, n)
				}
				if room >= 4 && !strings.Contains(line, "70%") {
					t.Errorf("%d columns: %q does not say how far", room, line)
				}
			}
		}
	}
	for done, want := range map[int]string{0: "x    0% ░░░░░░░░", 5: "x   50% ████░░░░", 10: "x  100% ████████"} {
		if got := meter("x", done, 10, nil, 16, false); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// A window that is made narrower or wider is followed: no line wraps, and the heads are
// printed anew where other columns fit.
func TestResize(t *testing.T) {
	p := openTerminal(t, 60, "C.UTF-8")
	b := New(p.File, false, "training", 10)
	b.Row(twoFields...)
	at := func(text string) func([]string) bool {
		return func(s []string) bool { return len(s) > 0 && strings.HasPrefix(s[len(s)-1], text) }
	}
	b.Set(5, 10, "loss 0.1")
	if !p.Settle(at("training   50%"), 400) {
		t.Fatal("the line is not there")
	}
	if err := p.Resize(15); err != nil {
		t.Fatal(err)
	}
	b.Set(6, 10, "loss 0.1")
	b.Row(twoFields...)
	b.Set(7, 10, "loss 0.1")
	if !p.Settle(at("training   70%"), 400) {
		t.Fatal("the line is not there")
	}
	if err := p.Resize(40); err != nil {
		t.Fatal(err)
	}
	b.Set(8, 10, "loss 0.1")
	b.Row(twoFields...)
	b.Done()
	want := []string{" step    loss", "    5    0.25", " step    loss", "    5    0.25", " step    loss  memory", "    5    0.25   12 MB"}
	if got := seen(t, p); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// A terminal that says it is dumb, or nothing, gets plain lines without control sequences.
func TestDumbTerminal(t *testing.T) {
	for _, name := range []string{"dumb", ""} {
		p := openTerminal(t, 60, "C.UTF-8")
		t.Setenv("TERM", name)
		b := New(p.File, false, "training", 10)
		b.every = 0
		b.Set(3, 10, "loss 1")
		b.Row(twoFields...)
		b.Note("a note")
		b.Done()
		want := []string{"training 3/10 (30%)  loss 1", "training: step 5  loss 0.25  memory 12 MB", "a note"}
		if got := seen(t, p); b.Live() || !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// What a log gets has no control sequence, whatever the variables say.
func TestLogIsPlain(t *testing.T) {
	t.Setenv("TERM", "xterm")
	var out strings.Builder
	b := New(&out, false, "training", 10)
	b.every = 0
	for k := range 11 {
		b.Show(k, 10, "never")
		b.Set(k, 10, fmt.Sprint("loss ", k))
		b.Row(append([]Field{{Name: "part", Value: "5", Log: "5 of 10"}}, twoFields...)...)
	}
	b.Done()
	if text := out.String(); strings.ContainsAny(text, "\x1b\r") || strings.Contains(text, "never") || !strings.Contains(text, "training: part 5 of 10  step 5  loss 0.25") {
		t.Errorf("%q", text)
	}
}

// Where nobody reads any more, progress goes nowhere and stops nothing.
func TestReaderGone(t *testing.T) {
	signals := make(chan os.Signal, 10)
	signal.Notify(signals, syscall.SIGPIPE)
	defer signal.Stop(signals)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	b := New(w, false, "training", 10)
	b.every = 0
	for k := range 11 {
		b.Set(k, 10, "loss 1")
		b.Row(twoFields...)
		b.Note("a note")
	}
	b.Done()
	p := openTerminal(t, 60, "C.UTF-8")
	b = New(p.File, false, "training", 10)
	p.Close()
	b.Set(1, 10)
	b.Row(twoFields...)
	b.Done()
	Say(io.Discard, "nothing")
	if b.Interval() != 200*time.Millisecond && b.Live() {
		t.Error(b.Interval())
	}
}
