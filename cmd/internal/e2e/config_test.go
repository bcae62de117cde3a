package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// runFile is what the tests look at of a run.json.
type runFile struct {
	Values   map[string]any
	From     map[string]string
	Sessions []struct {
		Arguments []string
		First     int `json:"first_step"`
		Steps     int
		Seconds   float64
	}
}

func runOf(t *testing.T, path string) (r runFile) {
	t.Helper()
	if err := json.Unmarshal(read(t, path), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// A run tells in run.json what it was, and --config repeats it to the byte.
func TestRunFile(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	must(t, program(t, "train", nil, tiny(one, "--no-figures", "--max-steps", "3")...))
	must(t, program(t, "train", nil, tiny(one, "--no-figures", "--max-steps", "5", "--resume")...))
	path := filepath.Join(one, "cfm/digits/run.json")
	r := runOf(t, path)
	for name, want := range map[string][2]any{
		"dataset": {"digits", "flag"}, "batch-size": {16.0, "flag"}, "learning-rate": {0.002, "recipe"}, "attention-resolutions": {"none", "flag"},
		"channel-mult": {"1,1", "flag"}, "num-channels": {32.0, "default"}, "seed": {42.0, "default"}, "network": {"unet", "default"},
	} {
		if r.Values[name] != want[0] || r.From[name] != want[1] {
			t.Errorf("%s: %v from %v, want %v", name, r.Values[name], r.From[name], want)
		}
	}
	if s := r.Sessions; len(s) != 2 || s[0].First != 0 || s[0].Steps != 3 || s[1].First != 3 || s[1].Steps != 5 || !(s[1].Seconds > 0) || len(s[0].Arguments) < 5 {
		t.Errorf("%+v", s)
	}
	again := []string{"--config", path, "--device", "cpu", "--output-dir", two, "--max-steps", "5"}
	must(t, program(t, "train", nil, again...))
	for _, name := range []string{"ckpt.pth", "state.pth"} {
		if !bytes.Equal(read(t, filepath.Join(one, "cfm/digits", name)), read(t, filepath.Join(two, "cfm/digits", name))) {
			t.Errorf("%s differs", name)
		}
	}
	if r := runOf(t, filepath.Join(two, "cfm/digits/run.json")); r.From["batch-size"] != "config" {
		t.Errorf("%v", r.From)
	}
	// Flags override, and unknown keys are refused by name.
	must(t, program(t, "train", nil, append(again, "--fresh", "--batch-size", "8")...))
	if r := runOf(t, filepath.Join(two, "cfm/digits/run.json")); r.Values["batch-size"] != 8.0 || r.From["batch-size"] != "flag" {
		t.Errorf("%v", r.Values["batch-size"])
	}
	mine := filepath.Join(two, "mine.json")
	for text, want := range map[string]string{
		`{"values": {"dataset": "digits", "batchsize": 8}}`:       `"batchsize" is no setting of a run; did you mean batch-size?`,
		`{"values": {"dataset": "digits"}, "value": {}}`:          `unknown key "value"`,
		`{"values": {"dataset": "digits", "dataset": "moons"}}`:   "dataset",
		`{"values": {"dataset": ["digits"]}}`:                     "a number, a text, true or false",
		`{"values": {"dataset": "digits", "batch-size": "many"}}`: "batch-size",
		`{"values": {"dataset": "digits", "resume": true}}`:       `"resume" is no setting`,
		`{"format": 2, "values": {"dataset": "digits"}}`:          "format 2",
		`{}`: "no values",
	} {
		write(t, mine, []byte(text))
		refused(t, program(t, "train", nil, "--config", mine, "--output-dir", two), 2, want)
	}
	refused(t, program(t, "train", nil, "--config", filepath.Join(two, "none.json")), 1, "none.json")
}

// Presets are flags by name; --dry-run shows what they come to and touches nothing.
func TestPresetsAndDryRun(t *testing.T) {
	r := must(t, program(t, "train", nil, "--preset", "help"))
	for _, want := range []string{"moons-quick", "mnist-cpu", "--num-channels 32", "EPYC"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("%s is not in %s", want, r.out)
		}
	}
	refused(t, program(t, "train", nil, "--preset", "moons-quik"), 2, "did you mean moons-quick?")
	refused(t, program(t, "train", nil, "--preset", "digits", "--config", "x"), 2, "exclude")
	dir := filepath.Join(t.TempDir(), "outputs")
	r = must(t, program(t, "train", nil, "--preset", "moons-quick", "--batch-size", "64", "--dry-run", "--device", "cpu", "--output-dir", dir))
	for _, want := range []string{"batch-size  ", "64  ", "flag", "preset", "recipe", "600 steps take about", "parameters", "nothing was written"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("%q is not in %s", want, r.out)
		}
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("a dry run made %s: %v", dir, err)
	}
	must(t, program(t, "train", nil, "--preset", "moons-quick", "--max-steps", "3", "--no-figures", "--device", "cpu", "--output-dir", dir))
	if r := runOf(t, filepath.Join(dir, "cfm/moons/run.json")); r.Values["hidden-dim"] != 128.0 || r.From["hidden-dim"] != "preset" {
		t.Errorf("%v", r)
	}
	refused(t, program(t, "train", nil, "--dataset", "moons", "--dry-run", "--resume"), 2, "--dry-run")
	// A run that is there is not touched either.
	held := t.TempDir()
	if err := os.MkdirAll(filepath.Join(held, "cfm/moons"), 0o777); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(held, "cfm/moons/state.pth"), []byte("a run"))
	must(t, program(t, "train", nil, "--preset", "moons-quick", "--dry-run", "--device", "cpu", "--output-dir", held))
	if got := read(t, filepath.Join(held, "cfm/moons/state.pth")); string(got) != "a run" {
		t.Errorf("%q is there", got)
	}
}
