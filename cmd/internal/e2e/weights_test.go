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

// Files that hold a network's weights among other things give the samples of
// ckpt.pth, say what was taken, and convert to it.
func TestWrappedWeights(t *testing.T) {
	ckpt := moonsModel(t)
	run := filepath.Dir(ckpt)
	dir := t.TempDir()
	draw := func(more ...string) (result, []byte) {
		npz := filepath.Join(dir, "x.npz")
		r := must(t, program(t, "sample", nil, append([]string{"--device", "cpu", "--num-samples", "20", "--steps", "2", "--no-figures", "--npz", npz}, more...)...))
		return r, read(t, npz)
	}
	_, want := draw("--checkpoint", ckpt)

	of, err := pth.Read(ckpt)
	if err != nil {
		t.Fatal(err)
	}
	wrapped := &weights.Dict{}
	for name, w := range of.Tensors.All() {
		wrapped.Set("ema_model.module."+name, w)
	}
	wrapped.Set("step", weights.ScalarInt(6))
	theirs := filepath.Join(dir, "theirs.ckpt")
	if err := pth.WriteFile(theirs, &weights.File{Tensors: wrapped}); err != nil {
		t.Fatal(err)
	}
	r, got := draw("--dataset", "moons", "--hidden-dim", "16", "--checkpoint", theirs, "--output-dir", dir)
	if !bytes.Equal(got, want) || !strings.Contains(r.errOut, "prefix ema_model.module was taken off") || !strings.Contains(r.errOut, "step is no weight") {
		t.Errorf("other samples, or no note: %s", r.errOut)
	}
	refused(t, program(t, "sample", nil, "--checkpoint", theirs), 2, "--dataset")
	refused(t, program(t, "sample", nil, "--checkpoint", theirs, "--dataset", "moons", "--weights", "raw"), 2, "averaged weights alone")

	// A run's state, by name and where it is looked for.
	state := filepath.Join(run, "state.pth")
	if r, got = draw("--checkpoint", state); !bytes.Equal(got, want) || !strings.Contains(r.errOut, "averaged weights are taken; --weights raw") {
		t.Errorf("state.pth gives other samples, or no note: %s", r.errOut)
	}
	_, raw := draw("--checkpoint", state, "--weights", "raw")
	if bytes.Equal(raw, want) {
		t.Error("the raw weights give the samples of the averaged ones")
	}
	if _, got = draw("--dataset", "moons", "--output-dir", filepath.Dir(filepath.Dir(run)), "--weights", "raw"); !bytes.Equal(got, raw) {
		t.Error("--weights raw alone gives other samples than those of state.pth")
	}
	refused(t, program(t, "sample", nil, "--checkpoint", ckpt, "--weights", "raw"), 2, "state.pth")
	refused(t, program(t, "evaluate", nil, "--checkpoint", ckpt, "--weights", "best"), 2, "raw or ema")
	if r := must(t, program(t, "evaluate", nil, "--checkpoint", state, "--measures", "sw2", "--solvers", "euler:1", "--num-samples", "20")); !strings.Contains(r.errOut, "a run's state after step 6") {
		t.Errorf("evaluate: %s", r.errOut)
	}

	out := filepath.Join(dir, "out.pth")
	must(t, program(t, "convert", nil, state, out))
	if !bytes.Equal(read(t, out), read(t, ckpt)) {
		t.Error("state.pth converts to other weights than ckpt.pth")
	}
	if r := must(t, program(t, "convert", nil, theirs, out)); !strings.Contains(r.errOut, "taken off") {
		t.Errorf("convert: %s", r.errOut)
	}
	if back, err := pth.Read(out); err != nil || strings.Join(back.Tensors.Names(), " ") != strings.Join(of.Tensors.Names(), " ") {
		t.Errorf("converted: %v", err)
	}
	before := read(t, state)
	for what, args := range map[string][]string{
		"onto itself":       {state, state},
		"onto itself, link": {state, link(t, state, filepath.Join(dir, "link.pth"))},
		"over a state":      {theirs, state},
		"over a link to it": {theirs, filepath.Join(dir, "link.pth")},
	} {
		refused(t, program(t, "convert", nil, args...), 2, "write to another")
		if !bytes.Equal(read(t, state), before) {
			t.Fatalf("%s: the state was replaced", what)
		}
	}
	for what, rest := range map[string][]byte{ // of a state that is damaged, it is all there is to rescue
		"its beginning":      before[:len(before)/2],
		"less than a header": before[:3],
		"its end":            before[len(before)/2:],
		"zeros":              make([]byte, 1000),
		"a byte changed":     append(append([]byte{}, before[:len(before)/2]...), append([]byte{before[len(before)/2] ^ 1}, before[len(before)/2+1:]...)...),
	} {
		for _, name := range []string{"rest.pth", "rest.safetensors"} {
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, rest, 0o666); err != nil {
				t.Fatal(err)
			}
			refused(t, program(t, "convert", nil, theirs, path), 2, path, "write to another file, or remove it first")
			if !bytes.Equal(read(t, path), rest) {
				t.Fatalf("%s: %s was replaced", what, name)
			}
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "more.pt"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	must(t, program(t, "convert", nil, out, filepath.Join(dir, "more.pt"))) // over nothing
	must(t, program(t, "convert", nil, out, filepath.Join(dir, "more.pt"))) // and over weights alone
	if r := must(t, program(t, "convert", nil, "--list", theirs)); !strings.Contains(r.out, "ema_model.module.layers.0.weight") || !strings.Contains(r.out, "step ") {
		t.Errorf("--list: %s", r.out)
	}
}

func link(t *testing.T, to, at string) string {
	t.Helper()
	if err := os.Symlink(to, at); err != nil {
		t.Fatal(err)
	}
	return at
}
