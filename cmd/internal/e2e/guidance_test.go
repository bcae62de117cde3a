package e2e

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"flowmatch/datasets/npz"
)

// Guidance of a model with a null class: off, on, in an interval, and refused.
func TestGuidance(t *testing.T) {
	dir, plain := t.TempDir(), t.TempDir()
	must(t, program(t, "train", nil, tiny(dir, "--class-dropout", "0.2", "--no-figures")...))
	must(t, program(t, "train", nil, tiny(plain, "--max-steps", "2", "--no-figures")...))
	// A network that has hardly learnt tells classes apart by less than bf16 holds.
	draw := func(more ...string) (x []float32, nfe int) {
		out := filepath.Join(t.TempDir(), "s.npz")
		r := must(t, program(t, "sample", nil, append([]string{"--dataset", "digits", "--output-dir", dir, "--device", "cpu", "--no-figures",
			"--samples-per-class", "1", "--method", "euler", "--steps", "10", "--precision", "fp32", "--npz", out}, more...)...))
		s, err := npz.OpenSamples(out)
		if err != nil {
			t.Fatal(err)
		}
		m := regexp.MustCompile(`NFE (\d+)`).FindStringSubmatch(r.errOut)
		if m == nil {
			t.Fatalf("no NFE in %q", r.errOut)
		}
		nfe, _ = strconv.Atoi(m[1])
		return s.X, nfe
	}
	differ := func(a, b []float32) bool {
		for i := range a {
			if a[i] != b[i] {
				return true
			}
		}
		return false
	}
	off, nfe := draw()
	if one, n := draw("--guidance", "1"); differ(off, one) || n != 10 || nfe != 10 {
		t.Errorf("scale 1 differs from none, or takes %d evaluations", n)
	}
	on, n := draw("--guidance", "3")
	if !differ(off, on) || n != 20 {
		t.Errorf("scale 3 does nothing, or takes %d evaluations", n)
	}
	// Of the ten times 0, 0.1, ... 0.9, four lie in the interval.
	if part, n := draw("--guidance", "3", "--guidance-interval", "0.25,0.65"); !differ(off, part) || !differ(on, part) || n != 14 {
		t.Errorf("an interval takes %d evaluations", n)
	}

	// evaluate judges the samples that sample draws, and counts as it does.
	judged := func(more ...string) (frechet float64, nfe int, e evaluated) {
		e = evaluate(t, append([]string{"--dataset", "digits", "--output-dir", dir, "--measures", "frechet", "--num-samples", "70", "--solvers", "euler:4", "--precision", "fp32"}, more...)...) // bf16 does not tell so little trained classes apart
		return *e.Results[0].Frechet, e.Results[0].NFE, e
	}
	plainly, n, e := judged()
	if n != 4 || e.Guidance != nil || e.GuidanceInterval != nil {
		t.Errorf("NFE %d, %+v", n, e)
	}
	guided, n, e := judged("--guidance", "6", "--guidance-interval", "0,0.5")
	if n != 4+3 || guided == plainly || e.Guidance == nil || *e.Guidance != 6 || len(e.GuidanceInterval) != 2 || e.GuidanceInterval[1] != 0.5 {
		t.Errorf("NFE %d, Frechet %v, without guidance %v, %+v", n, guided, plainly, e)
	}
	r := must(t, program(t, "evaluate", nil, "--dataset", "digits", "--output-dir", dir, "--measures", "frechet", "--num-samples", "70", "--solvers", "euler:1", "--guidance", "2"))
	if !strings.Contains(r.out, "70 samples each, guidance 2") {
		t.Errorf("%s", r.out)
	}
	refused(t, program(t, "evaluate", noLibtorch, "--dataset", "digits", "--output-dir", dir, "--measures", "straightness", "--guidance", "2"), 2, "--guidance")

	// A student learns the guided flow, and needs no guidance then.
	reflow := func(more ...string) []string {
		return append([]string{"--dataset", "digits", "--output-dir", dir, "--device", "cpu", "--precision", "fp32", "--batch-size", "16", "--steps", "2",
			"--iterations", "3", "--pairs", "32"}, more...)
	}
	r = must(t, program(t, "reflow", nil, reflow("--guidance", "2")...))
	if !strings.Contains(r.out, "few_step_samples.png") {
		t.Errorf("%s", r.out)
	}
	refused(t, program(t, "reflow", nil, reflow("--resume")...), 2, "the teacher's guidance not set, was \"2\"")
	must(t, program(t, "reflow", nil, reflow("--resume", "--guidance", "2", "--no-figures")...))
	r = must(t, program(t, "reflow", nil, "--dataset", "digits", "--output-dir", dir, "--device", "cpu", "--precision", "fp32", "--batch-size", "16",
		"--iterations", "3", "--no-figures", "--distill"))
	if !strings.Contains(r.errOut, "32 pairs") {
		t.Errorf("the guided pairs are not used again: %s", r.errOut)
	}

	refused(t, program(t, "reflow", nil, "--dataset", "digits", "--output-dir", plain, "--guidance", "2"), 2, "--class-dropout")
	refused(t, program(t, "evaluate", noLibtorch, "--dataset", "digits", "--guidance", "-1"), 2, "--guidance")
	refused(t, program(t, "sample", nil, "--dataset", "digits", "--output-dir", plain, "--guidance", "2"), 2, "--class-dropout")
	refused(t, program(t, "sample", noLibtorch, "--dataset", "digits", "--guidance-interval", "0,1"), 2, "--guidance")
	refused(t, program(t, "sample", noLibtorch, "--dataset", "digits", "--guidance", "2", "--guidance-interval", "0.8,0.2"), 2, "--guidance-interval")
	refused(t, program(t, "sample", noLibtorch, "--dataset", "digits", "--guidance", "NaN"), 2, "--guidance")
}
