package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"flowmatch/trainer"
)

// points are flags that make a training of points take no time.
func points(dir string, more ...string) []string {
	return append([]string{"--dataset", "moons", "--device", "cpu", "--precision", "fp32", "--hidden-dim", "16", "--batch-size", "32",
		"--no-figures", "--output-dir", dir}, more...)
}

// --resume with more steps than were planned goes on past the end, and says what becomes
// of the learning rate.
func TestResumeLonger(t *testing.T) {
	state := func(dir string) string { return filepath.Join(dir, "cfm/moons/state.pth") }
	once, twice := t.TempDir(), t.TempDir()
	constant := []string{"--schedule", "constant", "--warmup", "3"}
	must(t, program(t, "train", nil, points(once, append(constant, "--iterations", "30")...)...))
	must(t, program(t, "train", nil, points(twice, append(constant, "--iterations", "12")...)...))
	r := must(t, program(t, "train", nil, points(twice, append(constant, "--iterations", "30", "--resume")...)...))
	if !strings.Contains(r.errOut, "from 12 planned steps to 30: the learning rate stays 0.008") {
		t.Errorf("%s", r.errOut)
	}
	if !bytes.Equal(read(t, state(once)), read(t, state(twice))) {
		t.Error("12 steps made 30 are not the 30 that were planned so")
	}

	dir := t.TempDir()
	plan := func(flags ...string) result {
		return program(t, "train", nil, points(dir, append(flags, "--resume")...)...)
	}
	must(t, plan("--iterations", "20"))
	r = must(t, plan("--iterations", "40", "--max-steps", "30")) // and a stop in between
	if !strings.Contains(r.errOut, "from 20 planned steps to 40: the cosine ends at step 20, then begins again at 0.008, over 20 steps more") {
		t.Errorf("%s", r.errOut)
	}
	r = must(t, plan()) // what was planned stays
	if !strings.Contains(r.errOut, "the planned length stays 40 steps") || !strings.Contains(r.errOut, "10 steps in") {
		t.Errorf("%s", r.errOut)
	}
	refused(t, plan("--iterations", "20", "--quiet"), 2, "--iterations 20: the run is planned for 40 steps, and has done 40; only a larger number makes it longer; leave it out")
	must(t, plan("--iterations", "50"))
	s, err := trainer.ReadState(state(dir))
	if err != nil {
		t.Fatal(err)
	}
	if c := s.Record.Training.Configuration; s.Step() != 50 || c.Iterations != 50 || !reflect.DeepEqual(c.Earlier, []int{20, 40}) {
		t.Errorf("after step %d the plans are %v and %d", s.Step(), c.Earlier, c.Iterations)
	}

	// A student is made longer the same way; several rounds are not.
	student := func(flags ...string) result {
		return program(t, "reflow", nil, append([]string{"--dataset", "moons", "--device", "cpu", "--precision", "fp32", "--batch-size", "32", "--steps", "2",
			"--no-figures", "--output-dir", dir, "--resume"}, flags...)...)
	}
	must(t, student("--iterations", "20"))
	if r := must(t, student("--iterations", "25")); !strings.Contains(r.errOut, "made longer, from 20 planned steps to 25") || !strings.Contains(r.errOut, "5 steps in") {
		t.Errorf("%s", r.errOut)
	}
	must(t, program(t, "reflow", nil, "--checkpoint", filepath.Join(dir, "cfm/moons/ckpt.pth"), "--device", "cpu", "--precision", "fp32", "--batch-size", "32", "--steps", "2",
		"--no-figures", "--output-dir", once, "--rounds", "2", "--iterations", "10"))
	refused(t, program(t, "reflow", nil, "--checkpoint", filepath.Join(dir, "cfm/moons/ckpt.pth"), "--device", "cpu", "--precision", "fp32", "--batch-size", "32", "--steps", "2",
		"--no-figures", "--output-dir", once, "--rounds", "2", "--iterations", "20", "--resume", "--quiet"), 2, "--iterations 20, was 10", "several rounds")
	// A dry run is of the first round that is not done.
	rounds := []string{"--checkpoint", filepath.Join(dir, "cfm/moons/ckpt.pth"), "--device", "cpu", "--precision", "fp32", "--batch-size", "32", "--steps", "2",
		"--no-figures", "--output-dir", once, "--rounds", "2", "--iterations", "10", "--resume", "--dry-run"}
	if r := must(t, program(t, "reflow", nil, rounds...)); !strings.Contains(r.out, "has done its 10 steps already") || !strings.Contains(r.out, "that is round 2 of 2") {
		t.Errorf("%s", r.out)
	}
	at := filepath.Join(once, "reflow/moons")
	for _, name := range []string{"state.pth", "state-prev.pth", "ckpt.pth"} {
		if err := os.Remove(filepath.Join(at, name)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	r = must(t, program(t, "reflow", nil, rounds...))
	if !strings.Contains(r.errOut, at+" holds no run: a new one starts") || !strings.Contains(r.out, "10 steps take about") || !strings.Contains(r.out, "that is round 2 of 2") {
		t.Errorf("%s%s", r.errOut, r.out)
	}
	if _, err := os.Stat(filepath.Join(at, "state.pth")); !os.IsNotExist(err) {
		t.Errorf("a dry run trained: %v", err)
	}
}

// A run that was made longer is repeated with its plans; one of another length says that it
// has one.
func TestRepeatLonger(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	at := func(dir, name string) string { return filepath.Join(dir, "cfm/moons", name) }
	must(t, program(t, "train", nil, points(one, "--iterations", "12", "--warmup", "2", "--max-steps", "5")...))
	refused(t, program(t, "train", nil, points(one, "--iterations", "8", "--warmup", "2", "--resume", "--quiet")...), 2, "planned for 12 steps, and has done 5", "--max-steps 8 stops there")
	must(t, program(t, "train", nil, points(one, "--iterations", "20", "--warmup", "2", "--resume")...))
	must(t, program(t, "train", nil, points(one, "--iterations", "30", "--warmup", "2", "--resume")...))
	if r := runOf(t, at(one, "run.json")); !reflect.DeepEqual(r.Earlier, []int{12, 20}) || r.Values["iterations"] != 30.0 {
		t.Errorf("the plans are %v and %v", r.Earlier, r.Values["iterations"])
	}
	again := []string{"--config", at(one, "run.json"), "--device", "cpu", "--output-dir", two}
	r := must(t, program(t, "train", nil, again...))
	if !strings.Contains(r.errOut, "was made longer, after 12 and 20 planned steps: the cosine begins again there") {
		t.Errorf("%s", r.errOut)
	}
	for _, name := range []string{"ckpt.pth", "state.pth"} {
		if !bytes.Equal(read(t, at(one, name)), read(t, at(two, name))) {
			t.Errorf("%s of the run that was repeated differs", name)
		}
	}
	r = must(t, program(t, "train", nil, append(again, "--fresh", "--iterations", "25")...))
	if !strings.Contains(r.errOut, "this one is planned for 25 from the start, in one cosine") {
		t.Errorf("%s", r.errOut)
	}
	if r := runOf(t, at(two, "run.json")); r.Earlier != nil {
		t.Errorf("earlier plans %v of a run that has one", r.Earlier)
	}
	r = must(t, program(t, "train", nil, append(again, "--fresh", "--schedule", "constant")...)) // where plans decide nothing
	if strings.Contains(r.errOut, "longer") {
		t.Errorf("%s", r.errOut)
	}
	mine := at(two, "mine.json")
	write(t, mine, []byte(`{"values": {"dataset": "moons", "iterations": 30}, "earlier_iterations": [30, 20]}`))
	refused(t, program(t, "train", nil, "--config", mine, "--device", "cpu", "--fresh", "--quiet", "--output-dir", t.TempDir()), 2, "mine.json", "every end of a plan is past the one before")
}
