package evaluate

import (
	"errors"
	"fmt"
	"slices"

	"flowmatch/cmd/internal/terminal"
	"flowmatch/datasets"
	"flowmatch/flow/metrics"
)

// fewImages leaves out, with a note each, the measures for which the set has too few
// test images. One that was chosen, or that a bound is required of, is an error.
func (e *evaluation) fewImages(req *request, test *datasets.Images) error {
	for _, m := range allMeasures {
		if !e.chosen[m.name] || test.Len() >= m.least {
			continue
		}
		why := fmt.Sprintf("%s needs %s, and %s has %d", m.name, terminal.Counted(m.least, "test image"), e.info.Name, test.Len())
		if test.Undivided {
			why += " (every fifth of its images is one)"
		}
		if slices.Contains(req.measures, m.name) {
			return errors.New(why)
		}
		for _, r := range req.require {
			if slices.Contains(m.keys, r.key) {
				return fmt.Errorf("--require %s: %s", r, why)
			}
		}
		delete(e.chosen, m.name)
		e.f.cmd.Note("%s: it is left out", why)
	}
	if n := test.Len(); e.chosen["frechet"] && n <= metrics.FeatureDim {
		e.f.cmd.Note("%d test images are few for a Frechet distance over %d features: compare it only with others from the same images", n, metrics.FeatureDim)
	}
	return nil
}
