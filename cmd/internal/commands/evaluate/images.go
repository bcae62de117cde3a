package evaluate

import (
	"context"
	"math"
	"os"
	"path/filepath"

	"flowmatch/cmd/internal/classifiers"
	"flowmatch/flow"
	"flowmatch/flow/metrics"
)

// images measures a model of images.
func (e *evaluation) images(ctx context.Context, sets *classifiers.Sets) error {
	p := e.planned(sets)
	if err := e.tell(ctx, p); err != nil {
		return err
	}
	n, labels := p.samples, equalParts(p.samples, e.file.Classes)
	var ends []float32 // of straightness's paths
	if e.chosen["straightness"] {
		var err error
		if ends, err = e.straightness(ctx, p.paths, equalParts(p.paths, e.file.Classes)); err != nil {
			return err
		}
	}
	if e.judges() {
		if err := e.judge(ctx, sets, n, labels, ends); err != nil {
			return err
		}
	}
	if e.chosen["bits_per_dim"] {
		return e.bitsPerDim(ctx, sets.Test, p.bits)
	}
	return nil
}

// equalParts are the labels of n samples, each class in turn being as frequent as
// any other; nil for a model without classes.
func equalParts(n, classes int) []int64 {
	if classes == 0 {
		return nil
	}
	labels := make([]int64, n)
	for i := range labels {
		labels[i] = int64(i * classes / n)
	}
	return labels
}

// judge lets the set's classifier look at samples of every solver. ends are those
// of midpoint:20, if there are as many.
func (e *evaluation) judge(ctx context.Context, sets *classifiers.Sets, n int, labels []int64, ends []float32) error {
	progress, done := e.task("training the classifier that judges")
	store := classifiers.Store{
		Dir: e.classifiersDir(), Device: e.device, Progress: progress,
		Note: func(s string) { e.f.cmd.Note("%s", s) },
	}
	kept := store.Path(sets.Fit.Info)
	_, missing := os.Stat(kept)
	c, err := store.Get(ctx, sets.Fit)
	done()
	if err != nil {
		return err
	}
	if _, err := os.Stat(kept); missing != nil && err == nil {
		e.f.cmd.Note("the classifier that judges is kept in %s", kept)
	}
	x, want := classifiers.All(sets.Test)
	real, err := c.Judge(ctx, x)
	if err != nil {
		return err
	}
	e.out.counts["results"], e.out.counts["classifier_accuracy"] = n, sets.Test.Len()
	e.out.set(&e.out.ClassifierAccuracy, "classifier_accuracy", metrics.Accuracy(real.Labels, want))

	for _, s := range e.solvers {
		r := entry{Method: s.Method, Steps: s.Steps}
		if r.Precision, err = e.precision(s); err != nil {
			return err
		}
		x := ends
		if len(ends) == n*e.info.Dim() && e.endsServe(s) {
			r.NFE = straightNFE
		} else {
			drawn, err := e.samples(ctx, s, n, labels)
			if err != nil {
				return err
			}
			x, r.NFE = drawn.X, drawn.NFE
		}
		if err := e.judgeSamples(ctx, c, &r, x, labels, real.Features); err != nil {
			return err
		}
		e.out.Results = append(e.out.Results, r)
	}
	return nil
}

// classifiersDir is the folder of the classifiers: in OUTPUT-DIR, or for a
// checkpoint that was named alone in the ROOT of its ROOT/cfm/SET, which all models
// of the set share, and else beside it.
func (e *evaluation) classifiersDir() string {
	const name = "classifiers"
	if e.f.model.Checkpoint == "" || e.f.cmd.Changed("output-dir") {
		return filepath.Join(e.f.cmd.OutputDir, name)
	}
	dir := filepath.Dir(e.f.model.Checkpoint)
	switch kind := filepath.Dir(dir); filepath.Base(kind) {
	case "cfm", "reflow", "distill":
		return filepath.Join(filepath.Dir(kind), name)
	}
	return filepath.Join(dir, name)
}

func (e *evaluation) judgeSamples(ctx context.Context, c *metrics.Classifier, r *entry, x []float32, labels []int64, real []float32) error {
	asAsked, frechet := math.NaN(), math.NaN()
	if flow.Finite(x) {
		drawn, err := c.Judge(ctx, x)
		if err != nil {
			return err
		}
		if labels != nil {
			asAsked = metrics.Accuracy(drawn.Labels, labels)
		}
		if e.chosen["frechet"] {
			if frechet, err = frechetOf(drawn.Features, real); err != nil {
				return err
			}
		}
	}
	if e.chosen["as_asked"] {
		e.out.set(&r.AsAsked, "as_asked of "+r.name(), asAsked)
	}
	if e.chosen["frechet"] {
		e.out.set(&r.Frechet, "frechet of "+r.name(), frechet)
	}
	return nil
}

func frechetOf(a, b []float32) (float64, error) {
	ga, err := metrics.FitGaussian(a, metrics.FeatureDim)
	if err != nil {
		return 0, err
	}
	gb, err := metrics.FitGaussian(b, metrics.FeatureDim)
	if err != nil {
		return 0, err
	}
	return metrics.Frechet(ga, gb)
}
