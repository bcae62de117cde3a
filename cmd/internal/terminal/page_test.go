package terminal

import (
	"io"
	"strings"
	"testing"
)

// column-wise results as compare prints them.
func results() Table {
	return Table{Indent: 2, Columns: []Column{
		{Title: "solver"}, {Title: "NFE", Right: true}, {Group: "sliced W2", Title: "ours", Right: true}, {Group: "sliced W2", Title: "theirs", Right: true},
		{Group: "negative log-likelihood", Title: "ours", Right: true},
	}, Rows: [][]string{{"euler:1", "1", "2.5642", "0.27", "3.286"}, {"dopri5", "62, 20", "0.02", "", "3.7 ± 0.01"}}}
}

func TestTableAndList(t *testing.T) {
	list := List{Indent: 2, Rows: [][]string{
		{"moons", "two half circles that reach into each other", "--dataset moons " + Whole("--steps 4")}, {Whole("ckpt of mine.pth")}}}
	for _, c := range []struct {
		name  string
		width int
		add   func(*Page)
		want  string
	}{
		{"a log", 0, func(p *Page) { p.Table(results()) }, `
                        sliced W2  negative log-likelihood
  solver      NFE    ours  theirs                     ours
  euler:1       1  2.5642    0.27                    3.286
  dopri5   62, 20    0.02                       3.7 ± 0.01
`},
		{"a wide page", 60, func(p *Page) { p.Table(results()) }, `
                        sliced W2  negative log-likelihood
  solver      NFE    ours  theirs                     ours
  euler:1       1  2.5642    0.27                    3.286
  dopri5   62, 20    0.02                       3.7 ± 0.01
`},
		{"a narrow page", 50, func(p *Page) { p.Table(results()) }, `
  euler:1
    NFE                            1
    sliced W2, ours                2.5642
    sliced W2, theirs              0.27
    negative log-likelihood, ours  3.286
  dopri5
    NFE                            62, 20
    sliced W2, ours                0.02
    negative log-likelihood, ours  3.7 ± 0.01
`},
		{"a very narrow page", 21, func(p *Page) { p.Table(results()) }, `
  euler:1
    NFE: 1
    sliced W2, ours:
      2.5642
    sliced W2,
      theirs: 0.27
    negative
      log-likelihood,
      ours: 3.286
  dopri5
    NFE: 62, 20
    sliced W2, ours:
      0.02
    negative
      log-likelihood,
      ours: 3.7 ±
      0.01
`},
		{"a list in a log", 0, func(p *Page) { p.List(list) }, `
  moons             two half circles that reach into each other
                    --dataset moons --steps 4
  ckpt of mine.pth
`},
		{"a list", 64, func(p *Page) { p.List(list) }, `
  moons             two half circles that reach into each other
                    --dataset moons --steps 4
  ckpt of mine.pth
`},
		{"a narrow list", 26, func(p *Page) { p.List(list) }, `
  moons
      two half circles
      that reach into each
      other
      --dataset moons
      --steps 4
  ckpt of mine.pth
`},
		{"lines", 16, func(p *Page) {
			p.Linef("a line that goes on")
			p.Paragraphf("all at the left of it")
			p.Blank()
			p.Path("outputs/cfm/moons/my file.pth")
			p.Command(2, []string{"sample", "--dataset moons", "--quiet"})
		}, `
a line that goes
  on
all at the left
of it

outputs/cfm/moons/my file.pth
  sample \
    --dataset \
    moons \
    --quiet
`},
	} {
		p := PageOf(c.width)
		c.add(p)
		if got := "\n" + p.String(); got != c.want || c.width > 0 && c.name != "lines" && tooWide(got, c.width) {
			t.Errorf("%s:%s\nwant%s", c.name, got, c.want)
		}
	}
}

func tooWide(text string, width int) bool {
	for line := range strings.Lines(text) {
		if columnsOf(strings.TrimSuffix(line, "\n")) > width {
			return true
		}
	}
	return false
}

// Where the locale has ASCII alone, signs of ours are written in it; names of files stay as
// they are.
func TestPageInASCII(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	var out strings.Builder
	p := NewPage(&out)
	p.Linef("0.5 ± 0.1")
	p.Table(Table{Columns: []Column{{}}, Rows: [][]string{{"0.5 ± 0.1"}}})
	p.Path("größe.png")
	if err := p.Flush(); err != nil || out.String() != "0.5 +- 0.1\n0.5 +- 0.1\ngröße.png\n" {
		t.Errorf("%v, %q", err, out.String())
	}
}

// Without a terminal a line is a line, and a command one.
func TestSayWithoutTerminal(t *testing.T) {
	var out strings.Builder
	long := strings.Repeat("word ", 50) + Whole("a path")
	Say(&out, long)
	SayCommand(&out, "next: ", []string{"bin/sample", "--checkpoint " + strings.Repeat("x", 100), "--quiet"})
	if want := strings.Repeat("word ", 50) + "a path\nnext: bin/sample --checkpoint " + strings.Repeat("x", 100) + " --quiet\n"; out.String() != want {
		t.Errorf("%q", out.String())
	}
}

// under is a writer over another one.
type under struct{ io.Writer }

func (u under) Unwrap() io.Writer { return u.Writer }

// A terminal is seen through the writers over it, COLUMNS may make it narrower, and its
// last column stays free. A dumb one has a width, too.
func TestWidth(t *testing.T) {
	for _, c := range []struct {
		columns string
		want    int
	}{{"", 49}, {"30", 29}, {"200", 49}, {"many", 49}, {"0", 49}} {
		p := openTerminal(t, 50, "C.UTF-8")
		t.Setenv("COLUMNS", c.columns)
		t.Setenv("TERM", "dumb")
		if got := Width(under{p.File}); got != c.want || !Is(under{p.File}) {
			t.Errorf("COLUMNS=%s: %d, want %d", c.columns, got, c.want)
		}
		Say(under{p.File}, strings.Repeat("word ", 20))
		for _, line := range seen(t, p) {
			if columnsOf(line) > c.want {
				t.Errorf("COLUMNS=%s: %q", c.columns, line)
			}
		}
	}
	for columns, want := range map[string]int{"": 80, "60": 60, "500": 110} {
		t.Setenv("COLUMNS", columns)
		if got := Width(io.Discard); got != want || Is(io.Discard) {
			t.Errorf("no terminal, COLUMNS=%s: %d, want %d", columns, got, want)
		}
	}
}
