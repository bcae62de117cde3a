package training

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/terminal/emulator"
)

// A terminal is told what each file is, programs their paths alone.
func TestPrintFiles(t *testing.T) {
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
	paths := []string{dir + "/ckpt.pth", dir + "/losses.png"}
	var out strings.Builder
	PrintFiles(&cli.Command{}, cli.Env{Stdout: &out}, dir, paths)
	if want := "outputs/cfm/moons/ckpt.pth\noutputs/cfm/moons/losses.png\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
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
      bin/sample and for
      PyTorch
  state.pth
      all that --resume
      goes on from
  losses.png
      the loss of every
      step
  progress/
      what it had learnt
      on the way, in
      pictures
  progress.gif
      the film of them
  likelihood_moons.png
      the likelihood
      that the model
      gives`},
		{80, true, "outputs/cfm/moons/ckpt.pth\noutputs/cfm/moons/losses.png"},
	} {
		p, err := emulator.Open(c.width)
		if err != nil {
			t.Skipf("no pseudo-terminals here: %v", err)
		}
		PrintFiles(&cli.Command{Quiet: c.quiet}, cli.Env{Stdout: p.File}, dir, paths)
		term := p.Close()
		if got := strings.Join(term.Screen(), "\n"); got != c.want || len(term.Wrapped) > 0 {
			t.Errorf("%d columns:\n%s\nwant\n%s\nwrapped: %q", c.width, got, c.want, term.Wrapped)
		}
	}
}
