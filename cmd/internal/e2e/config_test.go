package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flowmatch/datasets"
)

// runFile is what the tests look at of a run.json.
type runFile struct {
	Values   map[string]any
	From     map[string]string
	Earlier  []int  `json:"earlier_iterations"`
	Data     string `json:"data_sha256"`
	Sessions []struct {
		Arguments []string
		Before    int `json:"steps_before"`
		Steps     int
		Seconds   float64
		Device    string
		Threads   int
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
		"keep": {2.0, "default"}, "checkpoint-every": {0.0, "default"}, "progress-every": {"auto", "default"},
	} {
		if r.Values[name] != want[0] || r.From[name] != want[1] {
			t.Errorf("%s: %v from %v, want %v", name, r.Values[name], r.From[name], want)
		}
	}
	if s := r.Sessions; len(s) != 2 || s[0].Before != 0 || s[0].Steps != 3 || s[1].Before != 3 || s[1].Steps != 2 || !(s[1].Seconds > 0) || len(s[0].Arguments) < 5 || s[1].Device != "cpu" || s[1].Threads < 1 {
		t.Errorf("%+v", s)
	}
	// Of digits, which are part of the program, the digest is that of pixels and labels.
	im, err := datasets.Digits()
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("%x", sha256.Sum256(append(slices.Clone(im.Pixels), im.Labels...))); r.Data != want {
		t.Errorf("data_sha256 %q, want %s", r.Data, want)
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

		"{\"values\": {\"dataset\": \"digits\",\n  \"x\": 5,}}": "mine.json is not JSON: line 2, column 10: a key is expected",
		"{\"x\": 1,\n\n \"values\": {":                          "is not JSON: line 3, column 13: a key is expected",
		"dataset: digits":                                       "is not JSON: line 1, column 1: a value is expected",
		"{\"format\": 1,\n\"value\": {}}":                       "mine.json: line 2, column 8: unknown key",
		`{"format": "one", "values": {"dataset": "x"}}`:         `mine.json: line 1: "format": a whole number is meant`,
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
	for _, want := range []string{"batch-size  ", "64  ", "flag", "preset", "recipe", "2,000 steps take about", "parameters", "nothing was written"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("%q is not in %s", want, r.out)
		}
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("a dry run made %s: %v", dir, err)
	}
	r = must(t, program(t, "train", nil, "--preset", "moons-quick", "--max-steps", "3", "--no-figures", "--device", "cpu", "--output-dir", dir))
	if !strings.Contains(r.errOut, "stopped by --max-steps after step 3 of 2,000; --resume goes on") ||
		!strings.Contains(r.errOut, "next: bin/train --preset moons-quick --no-figures --device cpu --output-dir "+dir+" --resume\n") {
		t.Errorf("a run that --max-steps ended: %s", r.errOut)
	}
	if r := runOf(t, filepath.Join(dir, "cfm/moons/run.json")); r.Values["hidden-dim"] != 128.0 || r.From["hidden-dim"] != "preset" ||
		r.Values["path"] != "ot" || r.Values["coupling"] != "independent" || r.Values["time-power"] != 1.0 || r.From["path"] != "default" {
		t.Errorf("%v", r)
	}
	// What was done by its preset goes on by it, or by run.json; the set alone is refused with both.
	run := func(flags ...string) result {
		return program(t, "train", nil, append(flags, "--no-figures", "--device", "cpu", "--output-dir", dir)...)
	}
	file := filepath.Join(dir, "cfm/moons/run.json")
	refused(t, run("--dataset", "moons", "--resume", "--quiet"), 2, "--hidden-dim 512, was 128", "bin/train --config "+file+" --resume --output-dir "+dir+" goes on with it as it was, --fresh starts anew")
	before := read(t, file)
	r = must(t, run("--preset", "moons-quick", "--resume", "--dry-run"))
	for _, want := range []string{"goes on after step 3, to step 2,000", "1,997 steps take about", "nothing was written", "one in 10 steps, at most 200"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("%q is not in %s", want, r.out)
		}
	}
	refused(t, run("--dataset", "moons", "--resume", "--dry-run", "--quiet"), 2, "was 128")
	if !bytes.Equal(before, read(t, file)) {
		t.Error("a dry run changed run.json")
	}
	for _, flags := range [][]string{{"--preset", "moons-quick", "--max-steps", "5"}, {"--config", file, "--max-steps", "7"}} {
		r := must(t, run(append(flags, "--resume")...))
		if steps := flags[3]; !strings.Contains(r.errOut, "step "+steps+"/"+steps) {
			t.Errorf("%q: %s", flags, r.errOut)
		}
	}
	r = must(t, run("--preset", "moons-quick", "--resume", "--dry-run", "--max-steps", "7"))
	if !strings.Contains(r.out, "the run has done 7 of 2,000 steps already, and --max-steps asks for no more; nothing was written") {
		t.Errorf("%s", r.out)
	}
	// A damaged state is passed over in words alone.
	state := filepath.Join(dir, "cfm/moons/state.pth")
	write(t, state, []byte("damaged"))
	r = must(t, run("--preset", "moons-quick", "--resume", "--dry-run"))
	if !strings.Contains(r.errOut, "passed over: ") || strings.Contains(r.errOut, "kept as") || string(read(t, state)) != "damaged" {
		t.Errorf("%s", r.errOut)
	}
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
