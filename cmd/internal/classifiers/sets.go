package classifiers

import (
	"context"

	"flowmatch/datasets"
)

// Sets are the two parts of a set.
type Sets struct {
	Fit  *datasets.Images // to train a classifier on; nil where it was not asked for
	Test *datasets.Images
}

// Open reads the test part of a set, and with fit the other one.
func Open(ctx context.Context, name string, opts datasets.Options, fit bool) (*Sets, error) {
	if fit {
		part, test, err := datasets.OpenParts(ctx, name, opts)
		return &Sets{part, test}, err
	}
	opts.Split = datasets.Test
	test, err := datasets.OpenContext(ctx, name, opts)
	return &Sets{Test: test}, err
}

// Trained is the part that was read whose files are those that a flow trains on; nil
// if that was not read.
func (s *Sets) Trained() *datasets.Images {
	switch {
	case s.Fit != nil:
		return s.Fit
	case s.Test.Undivided:
		return s.Test
	}
	return nil
}

// All are the numbers and labels of a set's images. x: [N,C,H,W] in [-1,1].
func All(im *datasets.Images) (x []float32, labels []int64) {
	d := im.Dim()
	x, labels = make([]float32, im.Len()*d), make([]int64, len(im.Labels))
	for i := range im.Len() {
		im.Floats(x[i*d:(i+1)*d], i)
	}
	for i, y := range im.Labels {
		labels[i] = int64(y)
	}
	return x, labels
}

// labelled are images as metrics.Labelled.
type labelled struct{ *datasets.Images }

func (l labelled) Label(i int) int64 { return int64(l.Labels[i]) }
