package commands

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wangkuiyi/gotorch/pth"
	"github.com/wangkuiyi/gotorch/weights"

	"flowmatch/cmd/internal/cli"
)

// Every program that is asked to stop ends with what asked it to, and prints no results.
func TestStopped(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "in.pth")
	d := &weights.Dict{}
	d.Set("weight", weights.FromFloat32([]float32{1}, 1))
	if err := pth.WriteFile(in, &weights.File{Tensors: d}); err != nil {
		t.Fatal(err)
	}
	pretrained := []string{"--pretrained", "checkerboard", "--device", "cpu", "--output-dir", dir}
	work := map[string][]string{
		"train":    {"--dataset", "moons", "--hidden-dim", "8", "--device", "cpu", "--output-dir", dir},
		"sample":   pretrained,
		"reflow":   pretrained,
		"compare":  pretrained,
		"evaluate": pretrained,
		"convert":  {in, filepath.Join(dir, "out.pth")},
		"ui":       {"--device", "cpu", "--output-dir", dir, "--port", "0"},
		"doctor":   {"--device", "cpu", "--output-dir", dir, "--data-dir", dir},
	}
	asked := errors.New("asked to stop")
	ctx, stop := context.WithCancelCause(t.Context())
	stop(asked)
	for _, c := range all(t) {
		args, ok := work[c.Name]
		if !ok {
			t.Errorf("%s: not tried", c.Name)
			continue
		}
		var out, errOut strings.Builder
		err := cli.Guard(func() error { return c.Execute(ctx, cli.Env{Args: args, Stdout: &out, Stderr: &errOut}) })
		if c.Name == "ui" {
			out.Reset() // its address is told before
		}
		if !errors.Is(err, asked) || out.Len() > 0 {
			t.Errorf("%s: %v, and it prints %q", c.Name, err, out.String())
		}
	}
}
