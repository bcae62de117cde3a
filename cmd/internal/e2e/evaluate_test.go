package e2e

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wangkuiyi/gotorch/pth"
)

// evaluated is what evaluate --json prints.
type evaluated struct {
	Dataset, Checkpoint string
	Entropy             *float64
	NLL                 *float64
	NLLStderr           *float64 `json:"nll_stderr"`
	NLLExact            *float64 `json:"nll_exact"`
	BitsPerDim          *float64 `json:"bits_per_dim"`
	Straightness        *float64
	SW2Floor            *float64 `json:"sw2_floor"`
	Accuracy            *float64 `json:"classifier_accuracy"`
	Guidance            *float64
	GuidanceInterval    []float64 `json:"guidance_interval"`
	Results             []struct {
		Method     string
		Steps, NFE int
		SW2        *float64
		AsAsked    *float64 `json:"as_asked"`
		Frechet    *float64
	}
}

// evaluate runs it with --json and reads what it prints.
func evaluate(t *testing.T, args ...string) evaluated {
	t.Helper()
	r := must(t, program(t, "evaluate", nil, append(args, "--json", "--device", "cpu")...))
	var e evaluated
	if err := json.Unmarshal([]byte(r.out), &e); err != nil {
		t.Fatalf("%v in %q", err, r.out)
	}
	return e
}

// within fails the test unless a result is there and in [low, high].
func within(t *testing.T, name string, v *float64, low, high float64) {
	t.Helper()
	if v == nil || !(*v >= low && *v <= high) {
		text := "absent"
		if v != nil {
			b, _ := json.Marshal(*v)
			text = string(b)
		}
		t.Errorf("%s is %s, want it in [%v,%v]", name, text, low, high)
	}
}

// Points: every measure is there, consistent with the others, the same again, and
// requirements decide the status.
func TestEvaluatePoints(t *testing.T) {
	dir := t.TempDir()
	must(t, program(t, "train", nil, "--dataset", "moons", "--device", "cpu", "--hidden-dim", "32", "--batch-size", "256", "--iterations", "150", "--no-figures", "--output-dir", dir))
	args := []string{"--dataset", "moons", "--output-dir", dir, "--num-samples", "2000", "--solvers", "euler:1,midpoint:4,dopri5"}
	e := evaluate(t, args...)
	if e.Dataset != "moons" || e.Checkpoint != filepath.Join(dir, "cfm/moons/ckpt.pth") || len(e.Results) != 3 {
		t.Fatalf("%+v", e)
	}
	if e.BitsPerDim != nil || e.Accuracy != nil || e.Results[0].AsAsked != nil || e.Results[0].Frechet != nil {
		t.Errorf("measures of images: %+v", e)
	}
	within(t, "entropy", e.Entropy, 0.28, 0.30) // datasets tests it
	// No density has less than the entropy in the mean; after 150 steps it is
	// below the 2.9 nats of the standard normal distribution that it started as.
	within(t, "nll_exact", e.NLLExact, *e.Entropy, 2.9)
	within(t, "nll", e.NLL, *e.NLLExact-0.2, *e.NLLExact+0.2)
	within(t, "nll_stderr", e.NLLStderr, 0.001, 0.1)
	within(t, "straightness", e.Straightness, 1e-3, 3)
	within(t, "sw2_floor", e.SW2Floor, 0.005, 0.1)
	for i, want := range []struct {
		method     string
		steps, nfe int
	}{{"euler", 1, 1}, {"midpoint", 4, 8}, {"dopri5", 0, 0}} {
		r := e.Results[i]
		if r.Method != want.method || r.Steps != want.steps || want.nfe > 0 && r.NFE != want.nfe || r.NFE < 1 {
			t.Errorf("entry %d: %+v", i, r)
		}
		within(t, "sw2 of "+r.Method, r.SW2, *e.SW2Floor, 1.5)
	}
	if !(*e.Results[2].SW2 < *e.Results[0].SW2) {
		t.Errorf("a single Euler step is as near as dopri5: %v and %v", *e.Results[0].SW2, *e.Results[2].SW2)
	}

	// A checkpoint by its name alone; equal seeds give equal numbers.
	some := []string{"--checkpoint", e.Checkpoint, "--num-samples", "2000", "--measures", "sw2,nll", "--solvers", "euler:1"}
	again := evaluate(t, some...)
	if again.Straightness != nil || again.NLLExact != nil || *again.NLL != *e.NLL || *again.Results[0].SW2 != *e.Results[0].SW2 {
		t.Errorf("%+v, before %+v", again, e)
	}

	// So does a file without a record, as PyTorch saves it.
	file, err := pth.Read(e.Checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	file.Record = nil
	foreign := filepath.Join(dir, "foreign.pth")
	if err := pth.WriteFile(foreign, file); err != nil {
		t.Fatal(err)
	}
	bare := evaluate(t, "--checkpoint", foreign, "--dataset", "moons", "--hidden-dim", "32", "--num-samples", "2000", "--measures", "sw2,nll", "--solvers", "euler:1")
	if *bare.NLL != *e.NLL || *bare.Results[0].SW2 != *e.Results[0].SW2 {
		t.Errorf("without a record: %+v", bare)
	}
	refused(t, program(t, "evaluate", noLibtorch, "--checkpoint", foreign), 2, "--dataset")

	passed := program(t, "evaluate", nil, append(some, "--quiet", "--require", "sw2<=9,nll<9,nfe<2,entropy>0")...)
	if passed.status != 0 || passed.errOut != "" || !strings.Contains(passed.out, "euler:1") {
		t.Errorf("%+v", passed)
	}
	failed := program(t, "evaluate", nil, append(some, "--quiet", "--json", "--require", "sw2<=0.001,nll<9,sw2_floor>1")...)
	if failed.status != 5 || strings.Count(failed.errOut, "\n") != 1 || !json.Valid([]byte(failed.out)) ||
		!strings.Contains(failed.errOut, "sw2<=0.001 (euler:1") || !strings.Contains(failed.errOut, "sw2_floor>1") || strings.Contains(failed.errOut, "nll") {
		t.Errorf("%+v", failed)
	}

	refused(t, program(t, "evaluate", noLibtorch, append(some, "--require", "as_asked>0.5")...), 2, "as_asked", "moons is a set of points")
	refused(t, program(t, "evaluate", noLibtorch, append(some, "--require", "straightness<1")...), 2, "straightness", "--measures")
	refused(t, program(t, "evaluate", noLibtorch, append(some, "--download")...), 2, "--download", "moons")
	refused(t, program(t, "evaluate", noLibtorch, append(some, "--dataset", "digits")...), 2, "moons", "digits")
}

// Points of a file, whose entropy nobody knows.
func TestEvaluateFileOfPoints(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "ring.csv")
	write(t, file, []byte("1,0\n0,1\n-1,0\n0,-1\n"))
	must(t, program(t, "train", nil, "--dataset", "points:"+file, "--device", "cpu", "--hidden-dim", "16", "--batch-size", "16", "--iterations", "5", "--no-figures", "--output-dir", dir))
	e := evaluate(t, "--dataset", "points:"+file, "--output-dir", dir, "--num-samples", "100", "--measures", "sw2,straightness", "--solvers", "euler:1")
	if e.Entropy != nil || e.NLL != nil {
		t.Errorf("%+v", e)
	}
	within(t, "sw2", e.Results[0].SW2, 0.01, 9)
	refused(t, program(t, "evaluate", noLibtorch, "--dataset", "points:"+file, "--output-dir", dir, "--require", "entropy<1"), 2, "entropy", "not known")
}

// Digits: the classifier is trained once and kept; a damaged file is noticed.
func TestEvaluateDigits(t *testing.T) {
	dir := t.TempDir()
	must(t, program(t, "train", nil, tiny(dir, "--no-figures")...))
	args := []string{"--dataset", "digits", "--output-dir", dir, "--num-samples", "50", "--measures", "as_asked,frechet,straightness", "--solvers", "midpoint:20,euler:2"}
	first := evaluate(t, args...)
	within(t, "classifier_accuracy", first.Accuracy, 0.97, 1)
	within(t, "straightness", first.Straightness, 0.1, 1000)
	for i, nfe := range []int{40, 2} {
		r := first.Results[i]
		within(t, "as_asked of "+r.Method, r.AsAsked, 0, 1)
		within(t, "frechet of "+r.Method, r.Frechet, 0.1, math.MaxFloat32)
		if r.NFE != nfe || r.SW2 != nil {
			t.Errorf("%+v", r)
		}
	}
	// Without straightness, whose paths serve as samples of midpoint:20, these are
	// drawn, and are the same.
	args[7] = "as_asked,frechet"
	again := evaluate(t, args...)
	if *again.Accuracy != *first.Accuracy || *again.Results[0].AsAsked != *first.Results[0].AsAsked {
		t.Errorf("%+v, before %+v", again, first)
	}
	if d := math.Abs(*again.Results[0].Frechet / *first.Results[0].Frechet - 1); d > 1e-3 {
		t.Errorf("frechet of drawn samples and of the paths' ends: %v apart", d)
	}

	kept := filepath.Join(dir, "classifiers/digits.safetensors")
	b := read(t, kept)
	b[len(b)/2] ^= 1
	write(t, kept, b)
	r := must(t, program(t, "evaluate", nil, "--dataset", "digits", "--output-dir", dir, "--num-samples", "20", "--measures", "as_asked", "--solvers", "euler:1"))
	if !strings.Contains(r.errOut, "trained anew") || !strings.Contains(r.errOut, kept) || !strings.Contains(r.out, "as asked") {
		t.Errorf("%s%s", r.errOut, r.out)
	}
	if same := read(t, kept); len(same) != len(b) || string(same) == string(b) {
		t.Error("the damaged file is still there")
	}
}

// Real images that are not there, and likelihoods of those that are.
func TestEvaluateMNIST(t *testing.T) {
	data := os.Getenv("FLOWMATCH_TEST_DATA")
	if data == "" {
		t.Skip("FLOWMATCH_TEST_DATA does not name a folder with mnist/")
	}
	dir := t.TempDir()
	must(t, program(t, "train", nil, "--dataset", "mnist", "--data-dir", data, "--device", "cpu", "--output-dir", dir, "--no-figures",
		"--num-channels", "32", "--num-res-blocks", "1", "--channel-mult", "1,1", "--attention-resolutions", "none", "--batch-size", "8", "--max-steps", "2"))
	e := evaluate(t, "--dataset", "mnist", "--data-dir", data, "--output-dir", dir, "--num-samples", "2", "--measures", "straightness")
	within(t, "straightness", e.Straightness, 0, 1e5)
	refused(t, program(t, "evaluate", nil, "--dataset", "mnist", "--data-dir", t.TempDir(), "--output-dir", dir, "--quiet"), 1, "mnist", "--download")
}

func TestEvaluateWrongUse(t *testing.T) {
	for name, c := range map[string]struct {
		args  []string
		words []string
	}{
		"no model":     {nil, []string{"--checkpoint"}},
		"unknown set":  {[]string{"--dataset", "mons"}, []string{"moons"}},
		"unknown name": {[]string{"--dataset", "moons", "--require", "sv2<1"}, []string{"sw2"}},
		"no bound":     {[]string{"--dataset", "moons", "--require", "sw2"}, []string{"sw2<=0.07"}},
		"solver":       {[]string{"--dataset", "moons", "--solvers", "midpont:20"}, []string{"midpoint"}},
		"measure":      {[]string{"--dataset", "moons", "--measures", "frechett"}, []string{"frechet"}},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, program(t, "evaluate", noLibtorch, c.args...), 2, c.words...)
		})
	}
	refused(t, program(t, "evaluate", noLibtorch, "--dataset", "moons", "--output-dir", t.TempDir()), 1, "train --dataset moons")
	for _, flag := range []string{"--help", "--version"} {
		if r := program(t, "evaluate", noLibtorch, flag); r.status != 0 || r.errOut != "" || len(r.out) < 20 {
			t.Errorf("%s: %+v", flag, r)
		}
	}
}
