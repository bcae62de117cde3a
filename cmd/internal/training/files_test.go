package training

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/terminal/emulator"
)

// A run's end names all files of ours that are in its folder: to a terminal with what each
// is, to programs by their paths alone.
func TestFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	dir := filepath.Join("outputs", "cfm", "moons")
	if err := os.MkdirAll(filepath.Join(dir, "progress"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ckpt.pth", "state.pth", "losses.png", "progress.gif", "likelihood_moons.png", ".lock", "mine.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	const paths = `outputs/cfm/moons/ckpt.pth
outputs/cfm/moons/state.pth
outputs/cfm/moons/losses.png
outputs/cfm/moons/progress
outputs/cfm/moons/progress.gif
outputs/cfm/moons/likelihood_moons.png`
	var out strings.Builder
	if err := new(cli.Command).PrintWritten(&out, Files(dir)); err != nil || out.String() != paths+"\n" {
		t.Errorf("%v, %q", err, out.String())
	}
	for _, c := range []struct {
		width int
		quiet bool
		want  string
	}{
		{80, false, `outputs/cfm/moons/
  ckpt.pth              the weights, for bin/sample and for PyTorch
  state.pth             all that --resume goes on from
  losses.png            the loss of every step
  progress/             what it had learnt on the way, in pictures
  progress.gif          the film of them
  likelihood_moons.png  the likelihood that the model gives`},
		{24, false, `outputs/cfm/moons/
  ckpt.pth
      the weights, for
      bin/sample and
      for PyTorch
  state.pth
      all that --resume
      goes on from
  losses.png
      the loss of every
      step
  progress/
      what it had
      learnt on the
      way, in pictures
  progress.gif
      the film of them
  likelihood_moons.png
      the likelihood
      that the model
      gives`},
		{80, true, paths},
	} {
		p, err := emulator.Open(c.width)
		if err != nil {
			t.Skipf("no pseudo-terminals here: %v", err)
		}
		quiet := &cli.Command{Quiet: c.quiet}
		if err := quiet.PrintWritten(p.File, Files(dir)); err != nil {
			t.Error(err)
		}
		term := p.Close()
		if got := strings.Join(term.Screen(), "\n"); got != c.want || !c.quiet && len(term.Wrapped) > 0 {
			t.Errorf("%d columns:\n%s\nwant\n%s\nwrapped: %q", c.width, got, c.want, term.Wrapped)
		}
	}
}
