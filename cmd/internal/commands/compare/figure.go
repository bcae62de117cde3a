package compare

import (
	"image"
	"slices"

	"flowmatch/viz"
)

// draw is the figure of quality against the number of evaluations: on the left
// the distance to the set, on the right the likelihood.
func (r *report) draw() image.Image {
	half := viz.CurvesConfig{XLabel: "evaluations (NFE)", LogX: true, Width: 760, Height: 560}
	left, right := half, half
	left.Title, left.YLabel, left.LogY = r.title+": samples", "sliced Wasserstein distance", true
	right.Title, right.YLabel = r.title+": likelihood, as the solver finds it", "negative log-likelihood, nats"
	distance := r.lines(func(e entry) (int, *float64) { return e.NFE, e.SW2 })
	likelihood := r.lines(func(e entry) (int, *float64) { return e.NLLNFE, e.NLL })
	if r.SW2Floor != nil {
		distance = append(distance, viz.Line{Label: "data against data", Y: []float64{*r.SW2Floor}, Level: true})
	}
	if r.Entropy != nil {
		likelihood = append(likelihood, viz.Line{Label: "entropy of the set", Y: []float64{*r.Entropy}, Level: true})
	}
	return viz.Beside(viz.Curves(distance, left), viz.Curves(likelihood, right))
}

// lines are a curve for each method and model: a colour is a method, and the
// second model's curves are dashed.
func (r *report) lines(value func(entry) (nfe int, v *float64)) []viz.Line {
	var methods []string
	for _, e := range r.Models[0].Results {
		if !slices.Contains(methods, e.Method) {
			methods = append(methods, e.Method)
		}
	}
	var lines []viz.Line
	for i, method := range methods {
		for _, m := range r.Models {
			l := viz.Line{Label: m.Name + ", " + method, Pair: i + 1}
			for _, e := range m.Results {
				if nfe, v := value(e); e.Method == method && v != nil {
					l.X, l.Y = append(l.X, float64(nfe)), append(l.Y, *v)
				}
			}
			lines = append(lines, l)
		}
	}
	return lines
}
