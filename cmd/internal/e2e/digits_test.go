package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"flowmatch/datasets"
	"flowmatch/datasets/npz"
)

// classifier tells digits by their five nearest neighbours among real ones.
type classifier struct {
	x []float32 // [N,64]
	y []uint8
}

func newClassifier(im *datasets.Images) *classifier {
	c := &classifier{x: make([]float32, im.Len()*im.Dim()), y: im.Labels}
	for i := range im.Len() {
		im.Floats(c.x[i*im.Dim():(i+1)*im.Dim()], i)
	}
	return c
}

func (c *classifier) classify(x []float32) int64 {
	type neighbour struct {
		far float32
		y   uint8
	}
	var near []neighbour // the five nearest, nearest first
	for i, y := range c.y {
		var d float32
		for j, v := range c.x[i*len(x) : (i+1)*len(x)] {
			d += (v - x[j]) * (v - x[j])
		}
		if len(near) == 5 && d >= near[4].far {
			continue
		}
		at, _ := slices.BinarySearchFunc(near, d, func(n neighbour, d float32) int {
			if n.far < d {
				return -1
			}
			return 1
		})
		near = slices.Insert(near, at, neighbour{d, y})
		near = near[:min(5, len(near))]
	}
	var votes [10]int
	best := near[0].y
	for _, n := range near {
		if votes[n.y]++; votes[n.y] > votes[best] {
			best = n.y
		}
	}
	return int64(best)
}

// The classifier is good enough to judge by: at least 95 % on digits that it
// has not seen.
func TestClassifier(t *testing.T) {
	fit, test, err := datasets.DigitsHoldout()
	if err != nil {
		t.Fatal(err)
	}
	c := newClassifier(fit)
	x, right := make([]float32, 64), 0
	for i := range test.Len() {
		test.Floats(x, i)
		if c.classify(x) == int64(test.Labels[i]) {
			right++
		}
	}
	accuracy := float64(right) / float64(test.Len())
	t.Logf("%.1f %% of %d digits not seen before", 100*accuracy, test.Len())
	if accuracy < 0.95 {
		t.Errorf("accuracy %.3f", accuracy)
	}
}

// What scripts/demo trained draws the digit asked for in at least 97 % of
// 1,000 samples. scripts/test --demo trains it first.
func TestDemoDrawsWhatIsAskedFor(t *testing.T) {
	if os.Getenv("FLOWMATCH_DEMO") == "" {
		t.Skip("FLOWMATCH_DEMO is not set: scripts/test --demo trains the demo's model first")
	}
	out := filepath.Join(t.TempDir(), "s.npz")
	must(t, program(t, "sample", nil, "--checkpoint", filepath.Join(root, "outputs/cfm/digits/ckpt.pth"),
		"--samples-per-class", "100", "--npz", out, "--no-figures"))
	s, err := npz.OpenSamples(out)
	if err != nil {
		t.Fatal(err)
	}
	fit, _, err := datasets.DigitsHoldout()
	if err != nil {
		t.Fatal(err)
	}
	c := newClassifier(fit)
	asked := 0
	for i, y := range s.Y {
		if c.classify(s.X[i*64:(i+1)*64]) == y {
			asked++
		}
	}
	part := float64(asked) / float64(s.Len())
	t.Logf("%.1f %% of %d samples are what was asked for", 100*part, s.Len())
	if part < 0.97 {
		t.Errorf("%.3f as asked", part)
	}
}
