package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"flowmatch/datasets/npz"
	"flowmatch/trainer"
)

// Another path than the default is in the record, where sample, evaluate and reflow
// find it; the default is not.
func TestPath(t *testing.T) {
	dir := t.TempDir()
	args := func(more ...string) []string {
		return append([]string{"--dataset", "checkerboard", "--hidden-dim", "16", "--batch-size", "64", "--iterations", "20",
			"--no-figures", "--quiet", "--output-dir", dir}, more...)
	}
	must(t, program(t, "train", nil, args("--path", "vp")...))
	ckpt := filepath.Join(dir, "cfm/checkerboard/ckpt.pth")
	path := func(file string) string {
		c, err := trainer.ReadCheckpoint(file)
		if err != nil {
			t.Fatal(err)
		}
		return c.Record.Training.Configuration.Path
	}
	if p := path(ckpt); p != "vp" {
		t.Errorf("the record's path is %q", p)
	}
	refused(t, program(t, "train", nil, args("--resume")...), 2, "--path", "vp")
	refused(t, program(t, "train", noLibtorch, args("--path", "cosin")...), 2, "--path", "cosine")
	refused(t, program(t, "train", noLibtorch, args("--path", "vp", "--sigma-min", "0.1", "--fresh")...), 2, "--sigma-min", "vp")

	// With as many steps as to the end of the path the last one is beside the end:
	// the network is asked for nothing after it, and the solution goes on to t = 1.
	out := filepath.Join(dir, "s.npz")
	must(t, program(t, "sample", nil, "--checkpoint", ckpt, "--num-samples", "20", "--method", "rk4-classic", "--steps", "4", "--no-figures", "--npz", out, "--quiet"))
	if s, err := npz.OpenSamples(out); err != nil || s.Len() != 20 {
		t.Errorf("%v", err)
	}
	r := must(t, program(t, "evaluate", nil, "--checkpoint", ckpt, "--measures", "nll,straightness", "--quiet", "--json"))
	if !strings.Contains(r.out, `"nll"`) {
		t.Errorf("%s", r.out)
	}
	// A student learns its teacher's pairs on straight lines.
	must(t, program(t, "reflow", nil, "--checkpoint", ckpt, "--output-dir", dir, "--batch-size", "64", "--iterations", "3", "--steps", "2", "--no-figures", "--quiet"))
	if p := path(filepath.Join(dir, "reflow/checkerboard/ckpt.pth")); p != "" {
		t.Errorf("the student's path is %q", p)
	}
	must(t, program(t, "compare", nil, "--dataset", "checkerboard", "--output-dir", dir, "--figure-samples", "200", "--frames", "3",
		"--quality-samples", "100", "--solvers", "euler:2", "--quiet"))
}

// Times that are not uniform are in the record, which a run goes on by; the default is not.
func TestTimes(t *testing.T) {
	dir := t.TempDir()
	run := func(more ...string) result {
		return program(t, "train", nil, points(dir, append([]string{"--iterations", "6", "--quiet"}, more...)...)...)
	}
	must(t, run("--times", "logit-normal", "--max-steps", "3"))
	c, err := trainer.ReadCheckpoint(filepath.Join(dir, "cfm/moons/ckpt.pth"))
	if err != nil || c.Record.Training.Configuration.Times != "logit-normal" {
		t.Errorf("%+v, %v", c, err)
	}
	refused(t, run("--resume"), 2, "--times not set, was \"logit-normal\"")
	must(t, run("--resume", "--times", "logit-normal"))
	refused(t, run("--fresh", "--times", "logitnormal"), 2, "did you mean logit-normal?")
	must(t, run("--fresh", "--times", "uniform"))
	if text := string(read(t, filepath.Join(dir, "cfm/moons/ckpt.pth"))); strings.Contains(text, `"times"`) {
		t.Error("the default is in the record")
	}
}

// Noise and data paired: the record says so, targets are single ones, and what does
// not go with it is refused.
func TestCoupling(t *testing.T) {
	dir := t.TempDir()
	args := func(more ...string) []string {
		return append([]string{"--batch-size", "32", "--iterations", "5", "--no-figures", "--quiet", "--coupling", "ot", "--output-dir", dir}, more...)
	}
	must(t, program(t, "train", nil, args("--dataset", "moons", "--hidden-dim", "16")...))
	must(t, program(t, "train", nil, args("--dataset", "digits", "--num-res-blocks", "1", "--unconditional")...))
	c, err := trainer.ReadCheckpoint(filepath.Join(dir, "cfm/moons/ckpt.pth"))
	if err != nil {
		t.Fatal(err)
	}
	if c := c.Record.Training.Configuration; c.Coupling != "ot" || c.StableTargets {
		t.Errorf("%+v", c)
	}
	more := func(a ...string) []string { return args(append([]string{"--dataset", "moons", "--fresh"}, a...)...) }
	refused(t, program(t, "train", noLibtorch, more("--stable-targets")...), 2, "--coupling", "--stable-targets")
	refused(t, program(t, "train", noLibtorch, more("--coupling", "to")...), 2, "--coupling", "ot")
	refused(t, program(t, "train", noLibtorch, more("--batch-size", "5000")...), 2, "--coupling", "5000")
}
