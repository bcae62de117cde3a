package cli

import (
	"io"
	"testing"
)

// TestHome: a shell leaves the ~ of --output-dir=~/x, which must not become a folder of
// that name.
func TestHome(t *testing.T) {
	t.Setenv("HOME", "/home/ada")
	c := New("train", "")
	c.AddDataDir()
	c.AddCommon()
	set := c.String("dataset", "", "")
	err := c.Read(Env{Args: []string{"--output-dir=~/x", "--data-dir", "~", "--dataset", "~ada"}, Stdout: io.Discard, Stderr: io.Discard})
	if err != nil || c.OutputDir != "/home/ada/x" || c.DataDir != "/home/ada" || *set != "~ada" || c.Changed("seed") || c.Changed("precision") {
		t.Errorf("%q, %q, %q, error %v", c.OutputDir, c.DataDir, *set, err)
	}
}
