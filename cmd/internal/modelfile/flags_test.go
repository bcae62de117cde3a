package modelfile

import (
	"errors"
	"io"
	"strings"
	"testing"

	"flowmatch/cmd/internal/cli"
	"flowmatch/datasets"
	"flowmatch/flow"
	"flowmatch/trainer/trained"
)

func read(t *testing.T, args ...string) (*Flags, *Guidance) {
	t.Helper()
	c := &cli.Command{Name: "sample"}
	f, g := Add(c, "sampled"), AddGuidance(c.Group("Sampling"), "")
	f.AddNetwork()
	c.AddCommon("", "")
	if err := c.Execute(t.Context(), cli.Env{Args: args, Stdout: io.Discard, Stderr: io.Discard}); err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return f, g
}

func wrongUse(t *testing.T, what any, err error, want string) {
	t.Helper()
	var u *cli.UsageError
	if !errors.As(err, &u) || !strings.Contains(err.Error(), want) {
		t.Errorf("%q: %v, want wrong use that says %q", what, err, want)
	}
}

func TestFlagsCheck(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "which model is to be sampled?"},
		{[]string{"--dataset", "mnist", "--image-size", "64"}, "--image-size"},
		{[]string{"--dataset", "folder:x", "--image-size", "0"}, "--image-size 0"},
		{[]string{"--dataset", "moons", "--hidden-dim", "0"}, "--hidden-dim 0"},
		{[]string{"--dataset", "moons", "--weights", "best"}, "--weights"},
		{[]string{"--dataset", "moons", "--device", "gpu"}, "--device"},
	} {
		f, _ := read(t, c.args...)
		wrongUse(t, c.args, f.Check(), c.want)
	}
	if f, _ := read(t, "--checkpoint", "x.pth", "--weights", "raw"); f.Check() != nil {
		t.Error(f.Check())
	}
}

// Results go beside the checkpoint that was named, unless a folder is given.
func TestDir(t *testing.T) {
	moons := datasets.Info{Name: "moons"}
	for want, args := range map[string][]string{
		"outputs/cfm/moons": {"--dataset", "moons"},
		"a/b":               {"--checkpoint", "a/b/ckpt.pth"},
		"c/cfm/moons":       {"--checkpoint", "a/b/ckpt.pth", "--output-dir", "c"},

		"outputs/pretrained/moons": {"--pretrained", "checkerboard"},
		"c/pretrained/moons":       {"--pretrained", "checkerboard", "--output-dir", "c"},
	} {
		if f, _ := read(t, args...); f.Dir(moons) != want {
			t.Errorf("%q: %s, want %s", args, f.Dir(moons), want)
		}
	}
}

func TestGuidance(t *testing.T) {
	classes := &trained.Model{Classes: 10}
	null := &trained.Model{Classes: 10, NullClass: true}
	for _, c := range []struct {
		args []string
		m    *trained.Model
		want *flow.Guidance
		why  string
	}{
		{nil, classes, nil, ""},
		{[]string{"--guidance", "1"}, null, nil, ""},
		{[]string{"--guidance", "1.5"}, null, &flow.Guidance{Scale: 1.5, From: 0, To: 1, Null: 10}, ""},
		{[]string{"--guidance", "0", "--guidance-interval", "0.2, 0.8"}, null, &flow.Guidance{Scale: 0, From: 0.2, To: 0.8, Null: 10}, ""},
		{[]string{"--guidance", "2"}, classes, nil, "--class-dropout"},
		{[]string{"--guidance", "2"}, &trained.Model{}, nil, "no classes"},
		{[]string{"--guidance", "-1"}, null, nil, "0 to 1000"},
		{[]string{"--guidance", "NaN"}, null, nil, "0 to 1000"},
		{[]string{"--guidance-interval", "0.2,0.8"}, null, nil, "other than 1"},
		{[]string{"--guidance", "2", "--guidance-interval", "0.8,0.2"}, null, nil, "a < b"},
		{[]string{"--guidance", "2", "--guidance-interval", "0.2"}, null, nil, "a < b"},
		{[]string{"--guidance", "2", "--guidance-interval", "0,2"}, null, nil, "a < b"},
	} {
		_, g := read(t, c.args...)
		err := g.Check()
		var got *flow.Guidance
		if err == nil {
			got, err = g.Of(c.m)
		}
		switch {
		case c.why != "":
			wrongUse(t, c.args, err, c.why)
		case err != nil || (got == nil) != (c.want == nil) || got != nil && *got != *c.want:
			t.Errorf("%q: %+v, %v, want %+v", c.args, got, err, c.want)
		}
	}
}
