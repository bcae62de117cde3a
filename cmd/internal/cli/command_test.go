package cli

import (
	"io"
	"testing"
)

// TestHome: a shell leaves the ~ of --output-dir=~/x, which must not become a folder of
// that name.
func TestHome(t *testing.T) {
	t.Setenv("HOME", "/home/ada")
	c := &Command{Name: "train"}
	g := c.Group("Data")
	c.AddDataDir(g)
	c.AddCommon("", "")
	set := g.String("dataset", "", "")
	err := c.Execute(t.Context(), Env{Args: []string{"--output-dir=~/x", "--data-dir", "~", "--dataset", "~ada"}, Stdout: io.Discard, Stderr: io.Discard})
	if err != nil || c.OutputDir != "/home/ada/x" || c.DataDir != "/home/ada" || *set != "~ada" || c.Changed("seed") || c.Changed("precision") {
		t.Errorf("%q, %q, %q, error %v", c.OutputDir, c.DataDir, *set, err)
	}
}
