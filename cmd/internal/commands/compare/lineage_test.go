package compare

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/wangkuiyi/gotorch/pth"

	"flowmatch/trainer"
	"flowmatch/trainer/pretrained"
	"flowmatch/trainer/trained"
)

func open(t *testing.T, rectified bool, path string, change func(*trainer.ReflowConfig)) *trained.Model {
	t.Helper()
	ck, err := pretrained.Open("checkerboard", rectified)
	if err != nil {
		t.Fatal(err)
	}
	if ck.Path = path; change != nil {
		change(ck.Record.Training.Configuration.Reflow)
	}
	return &trained.Model{Checkpoint: ck}
}

// Which model a reflow was taught by is told by its weights, through all rounds.
func TestTaught(t *testing.T) {
	dir := t.TempDir()
	first := open(t, false, "cfm.pth", nil)
	by := func(m *trained.Model, round int) func(*trainer.ReflowConfig) {
		return func(r *trainer.ReflowConfig) { r.Teacher, r.Round = trainer.Fingerprint(m.Checkpoint.Tensors), round }
	}
	student := open(t, true, "reflow.pth", by(first, 1))
	again := open(t, true, filepath.Join(dir, "ckpt.pth"), by(student, 2))
	other := open(t, true, "other.pth", by(again, 1)) // of weights that are not the first's
	check := func(name string, a, b *trained.Model, want string, names [2]string) {
		t.Helper()
		got := "unknown"
		if v := taught(a, b); v != nil {
			got = map[bool]string{true: "yes", false: "no"}[*v]
		}
		if got != want || namesOf([2]*trained.Model{a, b}) != names {
			t.Errorf("%s: %s, %q; want %s, %q", name, got, namesOf([2]*trained.Model{a, b}), want, names)
		}
	}
	check("its student", first, student, "yes", [2]string{"flow matching", "rectified"})
	check("another's", first, other, "no", [2]string{"flow matching", "rectified"})
	check("two that were trained on data", first, first, "no", [2]string{"flow matching, first", "flow matching, second"})
	check("two rounds, the first one gone", first, again, "unknown", [2]string{"flow matching", "rectified 2 times"})
	check("of one round and the next", student, again, "yes", [2]string{"rectified", "rectified 2 times"})
	if err := os.Mkdir(filepath.Join(dir, "round-1"), 0o777); err != nil {
		t.Fatal(err)
	}
	file, err := student.Checkpoint.File(), error(nil)
	if file.Record, err = json.Marshal(student.Checkpoint.Record); err != nil {
		t.Fatal(err)
	}
	if err := pth.WriteFile(filepath.Join(dir, "round-1", trainer.CheckpointFile), file); err != nil {
		t.Fatal(err)
	}
	check("two rounds", first, again, "yes", [2]string{"flow matching", "rectified 2 times"})
	bare := &trained.Model{Checkpoint: &trainer.Checkpoint{Path: "bare.pth"}}
	check("a file that says nothing", first, bare, "unknown", [2]string{"flow matching", "rectified"})
}
