package evaluate

import (
	"errors"
	"fmt"
	"slices"

	"flowmatch/datasets"
	"flowmatch/flow/metrics"
)

// fewImages leaves out, with a note each, the measures for which the set has too few
// test images. One that was chosen, or that a bound is required of, is an error.
func (e *evaluation) fewImages(asked *asked, test *datasets.Images) error {
	for _, m := range every {
		if !e.taken[m.name] || test.Len() >= m.least {
			continue
		}
		why := fmt.Sprintf("%s needs %d test images, and %s has %d", m.name, m.least, e.info.Name, test.Len())
		if test.Undivided {
			why += " (every fifth of its images is one)"
		}
		if slices.Contains(asked.measures, m.name) {
			return errors.New(why)
		}
		for _, r := range asked.require {
			if slices.Contains(m.keys, r.key) {
				return fmt.Errorf("--require %s: %s", r, why)
			}
		}
		delete(e.taken, m.name)
		e.say("note: %s: it is left out", why)
	}
	if n := test.Len(); e.taken["frechet"] && n <= metrics.FeatureDim {
		e.say("note: %d test images are few for a Frechet distance over %d features: compare it only with others from the same images", n, metrics.FeatureDim)
	}
	return nil
}
