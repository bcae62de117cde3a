package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// reflow, from a trained model to a student of one step; stops, rounds and
// what is refused.
func TestReflow(t *testing.T) {
	once, twice := t.TempDir(), t.TempDir()
	for _, dir := range []string{once, twice} {
		must(t, program(t, "train", nil, "--dataset", "moons", "--device", "cpu", "--precision", "fp32", "--hidden-dim", "32",
			"--batch-size", "64", "--iterations", "60", "--no-figures", "--output-dir", dir))
	}
	args := func(dir string, more ...string) []string {
		return append([]string{"--dataset", "moons", "--device", "cpu", "--precision", "fp32", "--batch-size", "64", "--iterations", "30",
			"--steps", "4", "--no-figures", "--output-dir", dir}, more...)
	}
	at := func(dir, kind string) string { return filepath.Join(dir, kind, "moons/ckpt.pth") }
	// Fresh pairs, at once and in two parts.
	must(t, program(t, "reflow", nil, args(once)...))
	must(t, program(t, "reflow", nil, args(twice, "--max-steps", "11")...))
	refused(t, program(t, "reflow", nil, args(twice)...), 2, "--resume")
	refused(t, program(t, "reflow", nil, args(twice, "--resume", "--method", "euler")...), 2, "solver")
	must(t, program(t, "reflow", nil, args(twice, "--resume")...))
	if !bytes.Equal(read(t, at(once, "reflow")), read(t, at(twice, "reflow"))) {
		t.Error("11 + 19 steps gave another student than 30")
	}
	if bytes.Equal(read(t, at(once, "reflow")), read(t, at(once, "cfm"))) {
		t.Error("the student is the teacher")
	}

	// Two rounds on pairs that are kept, then one step on the same pairs.
	must(t, program(t, "reflow", nil, args(once, "--fresh", "--rounds", "2", "--pairs", "200")...))
	for _, name := range []string{"round-1/ckpt.pth", "round-1/pairs/00000.safetensors", "ckpt.pth", "pairs/00000.safetensors"} {
		if _, err := os.Stat(filepath.Join(once, "reflow/moons", name)); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Join(once, "reflow/moons.old-1/ckpt.pth")); err != nil {
		t.Error(err)
	}
	refused(t, program(t, "reflow", nil, args(once, "--resume", "--rounds", "3", "--pairs", "200")...), 2, "--rounds 2")
	r := program(t, "reflow", nil, "--dataset", "moons", "--device", "cpu", "--precision", "fp32", "--batch-size", "64", "--iterations", "30",
		"--no-figures", "--output-dir", once, "--distill")
	must(t, r)
	if !strings.Contains(r.errOut, "200 pairs") {
		t.Errorf("the pairs were not used again: %s", r.errOut)
	}
	must(t, program(t, "sample", nil, "--checkpoint", at(once, "distill"), "--method", "euler", "--steps", "1", "--num-samples", "20", "--no-figures", "--npz", filepath.Join(once, "s.npz")))

	// It is sampled in one step, measured where that has a meaning, and not compared.
	d := at(once, "distill")
	if r := must(t, program(t, "sample", nil, "--checkpoint", d, "--num-samples", "20", "--no-figures", "--npz", filepath.Join(once, "d.npz"))); !strings.Contains(r.errOut, "NFE 1 ") {
		t.Errorf("sample: %s", r.errOut)
	}
	r = must(t, program(t, "evaluate", nil, "--checkpoint", d, "--num-samples", "200", "--json"))
	if !strings.Contains(r.out, `"sw2"`) || !strings.Contains(r.out, `"nfe":1`) || strings.Contains(r.out, "nll") || strings.Contains(r.out, "straightness") {
		t.Errorf("evaluate: %s", r.out)
	}
	refused(t, program(t, "evaluate", nil, "--checkpoint", d, "--measures", "nll"), 2, "--measures", "one step")
	refused(t, program(t, "evaluate", noLibtorch, "--checkpoint", d, "--quiet", "--require", "nll<9"), 2, "--require", "one step")
	refused(t, program(t, "compare", nil, "--dataset", "moons", "--output-dir", once, "--reflow-checkpoint", d), 2, "one step")

	refused(t, program(t, "reflow", noLibtorch), 2, "--dataset")
	refused(t, program(t, "reflow", noLibtorch, "--dataset", "moons", "--recipe", "best"), 2, "--recipe")
	refused(t, program(t, "reflow", noLibtorch, "--dataset", "moons", "--iterations", "0"), 2, "--iterations")
	refused(t, program(t, "reflow", noLibtorch, "--dataset", "moons", "--distill", "--stratified-times"), 2, "--stratified-times")
	refused(t, program(t, "reflow", noLibtorch, "--dataset", "moons", "--steps", "0"), 2, "--steps")
	refused(t, program(t, "reflow", noLibtorch, "--dataset", "moons", "--method", "dopri5", "--steps", "3"), 2, "--steps", "--rtol")
	refused(t, program(t, "reflow", noLibtorch, "--dataset", "moons", "--distill", "--rounds", "2"), 2, "--rounds")
	refused(t, program(t, "reflow", noLibtorch, "--dataset", "moons", "--output-dir", t.TempDir()), 1, "train --dataset moons")
	refused(t, program(t, "reflow", nil, args(twice, "--fresh", "--pairs", "10")...), 2, "--pairs 10", "64")
}

// A student of images: pairs by class, few steps beside the teacher's.
func TestReflowImages(t *testing.T) {
	dir := t.TempDir()
	common := []string{"--dataset", "digits", "--device", "cpu", "--precision", "fp32", "--batch-size", "16", "--output-dir", dir}
	must(t, program(t, "train", nil, append(common, "--iterations", "4", "--num-res-blocks", "1", "--no-figures")...))
	r := program(t, "reflow", nil, append(common, "--iterations", "3", "--pairs", "40", "--steps", "2")...)
	must(t, r)
	for _, name := range []string{"ckpt.pth", "losses.png", "few_step_samples.png"} {
		if !strings.Contains(r.out, name) {
			t.Errorf("%s is not named: %s", name, r.out)
		}
		read(t, filepath.Join(dir, "reflow/digits", name))
	}
}

// A run of reflow tells what it was, and is repeated to the byte; a dry run shows it and
// leaves nothing.
func TestReflowRunFile(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	args := []string{"--pretrained", "checkerboard", "--batch-size", "64", "--iterations", "20", "--pairs", "200", "--method", "heun2", "--steps", "2",
		"--no-figures", "--device", "cpu", "--precision", "fp32"}
	r := must(t, program(t, "reflow", nil, append(args, "--dry-run", "--output-dir", filepath.Join(one, "none"))...))
	for _, want := range []string{"pairs          ", "heun2", "20 steps take about", "200 pairs drawn before that: about", "nothing was written"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("%q is not in %s", want, r.out)
		}
	}
	if _, err := os.Stat(filepath.Join(one, "none")); !os.IsNotExist(err) {
		t.Errorf("a dry run left something: %v", err)
	}
	must(t, program(t, "reflow", nil, append(args, "--max-steps", "3", "--output-dir", one)...))
	r = must(t, program(t, "reflow", nil, append(args, "--resume", "--dry-run", "--output-dir", one)...))
	if !strings.Contains(r.out, "goes on after step 3, to step 20") || !strings.Contains(r.out, "17 steps take about") || strings.Contains(r.out, "drawn before") {
		t.Errorf("%s", r.out)
	}
	must(t, program(t, "reflow", nil, append(args, "--resume", "--output-dir", one)...))
	path := filepath.Join(one, "reflow/checkerboard/run.json")
	run := runOf(t, path)
	for name, want := range map[string][2]any{
		"pretrained": {"checkerboard", "flag"}, "method": {"heun2", "flag"}, "pairs": {200.0, "flag"}, "rounds": {1.0, "default"},
		"guidance": {1.0, "default"}, "learning-rate": {0.001, "recipe"},
	} {
		if run.Values[name] != want[0] || run.From[name] != want[1] {
			t.Errorf("%s: %v from %v, want %v", name, run.Values[name], run.From[name], want)
		}
	}
	if s := run.Sessions; len(s) != 2 || s[0].Steps != 3 || s[1].Before != 3 || s[1].Steps != 17 {
		t.Errorf("%+v", s)
	}
	must(t, program(t, "reflow", nil, "--config", path, "--device", "cpu", "--output-dir", two))
	if !bytes.Equal(read(t, filepath.Join(one, "reflow/checkerboard/ckpt.pth")), read(t, filepath.Join(two, "reflow/checkerboard/ckpt.pth"))) {
		t.Error("the run that was repeated gave another student")
	}
	// Pairs that another run has drawn are taken again.
	distill := []string{"--checkpoint", filepath.Join(one, "reflow/checkerboard/ckpt.pth"), "--distill", "--batch-size", "64", "--max-steps", "2", "--no-figures", "--device", "cpu", "--output-dir", one}
	must(t, program(t, "reflow", nil, distill...))
	r = must(t, program(t, "reflow", nil, "--config", filepath.Join(one, "distill/checkerboard/run.json"), "--max-steps", "2", "--device", "cpu", "--output-dir", two))
	if !strings.Contains(r.errOut, "the 200 pairs that the teacher was trained on are used") {
		t.Errorf("%s", r.errOut)
	}
	// Where they are gone the run that was begun with them does not go on with others, and says what it lacks.
	if err := os.RemoveAll(filepath.Join(one, "reflow/checkerboard/pairs")); err != nil {
		t.Fatal(err)
	}
	for _, more := range [][]string{{"--resume"}, {"--resume", "--config", filepath.Join(one, "distill/checkerboard/run.json")}, {"--resume", "--dry-run"}} {
		r := program(t, "reflow", nil, append(append([]string{}, distill[:5]...), append(more, "--max-steps", "4", "--quiet", "--no-figures", "--device", "cpu", "--output-dir", one)...)...)
		refused(t, r, 1, "pairs/00000.safetensors: no such file", "put the file back, or start anew with --fresh: --pairs 200 draws others")
	}
	if _, err := os.Stat(filepath.Join(one, "reflow/checkerboard/pairs")); !os.IsNotExist(err) {
		t.Errorf("the other run's folder was touched: %v", err)
	}
	refused(t, program(t, "train", nil, "--config", path), 2, "a run of reflow, not of train")
	refused(t, program(t, "reflow", nil, "--preset", "mnist-guidd"), 2, "did you mean mnist-guided?")
	if r := must(t, program(t, "reflow", nil, "--preset", "help")); !strings.Contains(r.out, "--guidance 1.5 --pairs 8000") {
		t.Errorf("%s", r.out)
	}
	for _, name := range []string{"train", "convert", "doctor", "ui"} {
		refused(t, program(t, name, noLibtorch, "--pretrained", "digits"), 2, "--pretrained", "sample, reflow, evaluate and compare")
	}
	refused(t, program(t, "reflow", nil, "--pretrained", "digits", "--distill"), 2, "reflow --pretrained digits makes one", "--checkpoint outputs/reflow/digits/ckpt.pth")
	refused(t, program(t, "compare", nil, "--pretrained", "digits"), 2, "--reflow-checkpoint outputs/reflow/digits/ckpt.pth")
}
