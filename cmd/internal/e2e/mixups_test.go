package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wangkuiyi/gotorch/pth"
	"github.com/wangkuiyi/gotorch/weights"
)

// Files and folders that are taken for others: nothing is lost, and no run ends well
// that did not do what was asked for.
func TestMixUps(t *testing.T) {
	dir := t.TempDir()
	small := func(set, dir string, more ...string) []string {
		return append([]string{"--dataset", set, "--device", "cpu", "--hidden-dim", "16", "--batch-size", "16", "--iterations", "6", "--no-figures", "--quiet", "--output-dir", dir}, more...)
	}
	must(t, program(t, "train", nil, small("moons", dir)...))
	moons := filepath.Join(dir, "cfm/moons")
	ckpt := filepath.Join(moons, "ckpt.pth")

	// Another file of the same name, and the same one changed.
	one, two := filepath.Join(dir, "one/mine.csv"), filepath.Join(dir, "two/mine.csv")
	for _, f := range []string{one, two} {
		if err := os.MkdirAll(filepath.Dir(f), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	write(t, one, []byte("1,0\n0,1\n-1,0\n"))
	write(t, two, []byte("1,0\n0,1\n-1,0.5\n"))
	must(t, program(t, "train", nil, small("points:"+one, dir, "--max-steps", "3")...))
	refused(t, program(t, "train", nil, small("points:"+two, dir, "--resume")...), 2, "has changed", "--fresh")
	must(t, program(t, "train", nil, small("points:"+one, dir, "--resume")...))
	mine := filepath.Join(dir, "cfm/points-mine/ckpt.pth")
	sw2 := []string{"--measures", "sw2", "--solvers", "euler:1", "--num-samples", "50"}
	if r := must(t, program(t, "evaluate", nil, append(sw2, "--dataset", "points:"+two, "--checkpoint", mine)...)); !strings.Contains(r.errOut, "not what the model was trained on") {
		t.Errorf("no note of another file: %s", r.errOut)
	}
	refused(t, program(t, "evaluate", nil, append(sw2, "--checkpoint", mine)...), 2, "a file of yours", "--dataset points:FILE")

	// A model of another set.
	if r := must(t, program(t, "evaluate", nil, append(sw2, "--dataset", "rings", "--checkpoint", ckpt)...)); !strings.Contains(r.errOut, "trained on moons") {
		t.Errorf("no note of another set: %s", r.errOut)
	}
	refused(t, program(t, "reflow", nil, "--dataset", "rings", "--checkpoint", ckpt, "--output-dir", dir), 2, "a model of moons", "rings")

	// Another run's state, for a folder that holds one.
	other := t.TempDir()
	must(t, program(t, "train", nil, small("moons", other, "--seed", "7")...))
	before := read(t, filepath.Join(other, "cfm/moons/state.pth"))
	refused(t, program(t, "train", nil, small("moons", other, "--resume-from", filepath.Join(moons, "state.pth"))...), 2, "holds a run", "--output-dir")
	if !bytes.Equal(before, read(t, filepath.Join(other, "cfm/moons/state.pth"))) {
		t.Error("the run was changed")
	}

	// A distilled model has no paths.
	must(t, program(t, "reflow", nil, "--checkpoint", ckpt, "--distill", "--output-dir", dir, "--iterations", "2", "--batch-size", "16", "--no-figures"))
	refused(t, program(t, "reflow", nil, "--checkpoint", filepath.Join(dir, "distill/moons/ckpt.pth"), "--output-dir", other), 2, "distilled")

	refused(t, program(t, "reflow", noLibtorch, "--dataset", "moons", "--rounds", "101"), 2, "--rounds")
	refused(t, program(t, "train", noLibtorch, "--dataset", "moons", "--hidden-dim", "0"), 2, "--hidden-dim")
	refused(t, program(t, "sample", noLibtorch, "--checkpoint", ckpt, "--npz", filepath.Join(dir, "none/s.npz")), 1, "--npz", "none/s.npz")
	refused(t, program(t, "sample", noLibtorch, "--checkpoint", ckpt, "--npz", dir), 2, "--npz", "folder")

	// Records that claim what the file does not hold.
	f, err := pth.Read(ckpt)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, to, want string }{
		{`"hidden_dim":16`, `"hidden_dim":32768`, "do not fit"},
		{`"dim":2`, `"dim":3`, `a network for samples of [3] numbers, and the set "moons" of shape [2]`},
		{`"shape":[2]`, `"shape":[3]`, `a network for samples of [2] numbers, and the set "moons" of shape [3]`},
		{`"name":"moons"`, `"name":"digits"`, "damaged"},
		{`"levels":0`, `"levels":0,"frame":{"middle":[0,0],"spread":[0,1]}`, "frame"},
	} {
		bad := strings.Replace(string(f.Record), c.from, c.to, 1)
		if bad == string(f.Record) {
			t.Fatalf("no %s in %s", c.from, bad)
		}
		path := filepath.Join(t.TempDir(), "bad.pth")
		if err := pth.WriteFile(path, &weights.File{Tensors: f.Tensors, Record: []byte(bad)}); err != nil {
			t.Fatal(err)
		}
		refused(t, program(t, "sample", nil, "--checkpoint", path, "--num-samples", "5", "--no-figures", "--quiet"), 1, c.want)
	}
}

// What one solver cannot do does not lose what others could.
func TestUnsolved(t *testing.T) {
	dir := t.TempDir()
	must(t, program(t, "train", nil, "--dataset", "moons", "--device", "cpu", "--hidden-dim", "16", "--batch-size", "16", "--iterations", "4", "--no-figures", "--output-dir", dir))
	r := program(t, "evaluate", nil, "--dataset", "moons", "--output-dir", dir, "--measures", "sw2", "--num-samples", "20", "--solvers", "euler:1,adaptive_heun,euler:2",
		"--rtol", "0", "--atol", "1e-14", "--json", "--quiet")
	if r.status != 1 || !strings.Contains(r.errOut, "sw2 of adaptive_heun") || strings.Count(r.out, `"sw2":`) != 2 || !strings.Contains(r.out, `"adaptive_heun"`) {
		t.Errorf("status %d: %s\n%s", r.status, r.errOut, r.out)
	}
}
