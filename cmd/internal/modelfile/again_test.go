package modelfile

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"

	"flowmatch/cmd/internal/cli"
)

// The same model is named by what named it, and nothing else of the command is taken over.
func TestAgain(t *testing.T) {
	for args, want := range map[string]string{
		"--dataset moons": "bin/evaluate --dataset moons",
		"--dataset moons --seed 3 --output_dir=x --quiet":   "bin/evaluate --dataset moons --output-dir x",
		"--checkpoint a.pth --weights raw --data-dir d":     "bin/evaluate --checkpoint a.pth --weights raw --data-dir d",
		"--dataset moons --checkpoint a.pth --hidden-dim 9": "bin/evaluate --dataset moons --checkpoint a.pth --hidden-dim 9",
		"--pretrained digits":                               "bin/evaluate --pretrained digits",
	} {
		c := &cli.Command{Name: "sample"}
		f := Add(c, "sampled")
		f.AddNetwork()
		c.AddCommon("", "")
		c.Run = func(context.Context, cli.Env) error {
			if got := strings.Join(f.Again("bin/evaluate"), " "); got != want {
				t.Errorf("%s: %s, want %s", args, got, want)
			}
			return nil
		}
		if err := c.Execute(t.Context(), cli.Env{Args: slices.Clone(strings.Fields(args)), Stdout: io.Discard, Stderr: io.Discard}); err != nil {
			t.Error(err)
		}
	}
}
