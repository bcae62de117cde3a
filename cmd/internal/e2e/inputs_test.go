package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Pipes, folders and links in a circle in the place of files are refused in a line,
// and nothing waits.
func TestOtherThanFiles(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"pipe", "pipe.pth", "pipe.safetensors", "pipe.npz", "pipe.csv", "pipe.png"} {
		if err := syscall.Mkfifo(at(name), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("circle.pth", at("circle.pth")); err != nil {
		t.Fatal(err)
	}
	ckpt := moonsModel(t)
	for name, c := range map[string][]string{
		"checkpoint":     {"sample", "--checkpoint", at("pipe.pth")},
		"safetensors":    {"evaluate", "--checkpoint", at("pipe.safetensors")},
		"circle":         {"sample", "--checkpoint", at("circle.pth")},
		"folder":         {"sample", "--checkpoint", dir},
		"noise":          {"sample", "--checkpoint", ckpt, "--init", at("pipe.npz")},
		"points":         {"train", "--dataset", "points:" + at("pipe.csv"), "--output-dir", dir},
		"picture":        {"train", "--dataset", "image:" + at("pipe.png"), "--output-dir", dir},
		"state":          {"train", "--dataset", "moons", "--resume-from", at("pipe.pth"), "--output-dir", dir},
		"convert":        {"convert", at("pipe.pth"), at("x.safetensors")},
		"list":           {"convert", "--list", at("pipe.safetensors")},
		"reflow teacher": {"reflow", "--checkpoint", at("pipe.pth"), "--output-dir", dir},
	} {
		t.Run(name, func(t *testing.T) {
			words := []string{"not a regular file"}
			if name == "circle" {
				words = []string{"circle.pth"}
			}
			refused(t, program(t, c[0], nil, c[1:]...), 1, words...)
		})
	}
}

// --resume passes over what is damaged, keeps it, and says so; what cannot be read now
// ends it with everything as it was.
func TestResumePastDamage(t *testing.T) {
	ckpt := moonsModel(t, "--checkpoint-every", "4")
	run := filepath.Dir(ckpt)
	resume := func(more ...string) result {
		return program(t, "train", nil, append([]string{"--dataset", "moons", "--device", "cpu", "--hidden-dim", "16", "--batch-size", "16",
			"--iterations", "6", "--no-figures", "--output-dir", filepath.Dir(filepath.Dir(run)), "--resume"}, more...)...)
	}
	state := filepath.Join(run, "state.pth")
	whole := read(t, state)

	if err := os.Rename(state, state+".aside"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("state.pth", state); err != nil {
		t.Fatal(err)
	}
	before := read(t, filepath.Join(run, "state-prev.pth"))
	refused(t, resume(), 1, "state.pth", "nothing was changed")
	if !bytes.Equal(before, read(t, filepath.Join(run, "state-prev.pth"))) {
		t.Error("the state before was changed")
	}
	if err := os.Remove(state); err != nil {
		t.Fatal(err)
	}

	write(t, state, whole[:len(whole)/2])
	r := must(t, resume())
	if !strings.Contains(r.errOut, "kept as state.pth.damaged") || !strings.Contains(r.errOut, "going on after step 4, from state-prev.pth") {
		t.Errorf("%q does not say what was passed over", r.errOut)
	}
	if !bytes.Equal(whole[:len(whole)/2], read(t, state+".damaged")) || !bytes.Equal(whole, read(t, state)) {
		t.Error("the damaged file was not kept, or the run's end is another")
	}

	// The record of the run's past: damaged it is kept, and that is told under --quiet too; unreadable it is an error.
	record := filepath.Join(run, "run.json")
	cut := read(t, record)[:300]
	write(t, record, cut)
	if r := must(t, resume("--quiet")); !strings.Contains(r.errOut, "passed over") || !strings.Contains(r.errOut, "kept as run.json.damaged") || !bytes.Equal(cut, read(t, record+".damaged")) {
		t.Errorf("a damaged record: %q", r.errOut)
	}
	if s := runOf(t, record).Sessions; len(s) != 1 {
		t.Errorf("one session is told of as %d", len(s))
	}
	if err := os.Remove(record); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("run.json", record); err != nil {
		t.Fatal(err)
	}
	refused(t, resume("--quiet"), 1, "run.json", "nothing was changed")
}
