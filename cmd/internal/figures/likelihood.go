package figures

import (
	"context"
	"fmt"
	"math"

	"flowmatch/cmd/internal/measures"
	"flowmatch/datasets/plane"
	"flowmatch/flow"
	"flowmatch/viz"
)

// likelihood draws the model's density by Hutchinson's estimate, averaged over
// draws, and by the exact divergence, with the true one beside them where it is
// known. One solution gives both: of points, the Jacobian of two products has
// all the draws in it.
func (p Plane) likelihood(ctx context.Context, path string, r viz.Range) error {
	side := p.likelihoodSide()
	bar := p.bar("figures: likelihood", side*side)
	defer bar.Done()
	l := flow.Likelihood{
		Velocity: p.Velocity, Device: p.Device, Solver: p.Solver, Shape: []int64{2},
		Probes: hutchinsonDraws, Seed: p.Seed, Batch: p.Batch / 2,
		Progress: func(done, of int) { bar.Set(done, of, "") },
	}
	places := viz.FieldGrid(r, side)
	l, err := measures.WithinMemory(ctx, l, places, nil)
	if err != nil {
		return err
	}
	d, err := l.LogDensity(ctx, places, nil)
	if err != nil {
		return err
	}
	panels := []viz.DensityPanel{
		{Title: fmt.Sprintf("Hutchinson, %d draws", hutchinsonDraws), Density: exp(d.LogP), Rough: true},
		{Title: "exact divergence", Density: exp(d.Exact)},
	}
	if truth := trueDensity(p.Of, r); truth != nil {
		panels = append(panels, viz.DensityPanel{Title: "true density", Density: truth})
	}
	img, err := viz.Likelihood(panels, viz.LikelihoodConfig{Title: p.title(), Range: r})
	if err != nil {
		return err
	}
	return WritePNG(path, img)
}

func exp(logs []float64) []float64 {
	out := make([]float64, len(logs))
	for i, v := range logs {
		out[i] = math.Exp(v)
	}
	return out
}

// truthSide is the places on a side of the true density's grid: it costs next
// to nothing.
const truthSide = 400

// trueDensity is the set's density at the places of a grid; nil where it has
// none.
func trueDensity(set *plane.Set, r viz.Range) []float64 {
	if set == nil {
		return nil
	}
	places := viz.FieldGrid(r, truthSide)
	density := make([]float64, len(places)/2)
	for i := range density {
		v, known := set.LogDensity(float64(places[2*i]), float64(places[2*i+1]))
		if !known {
			return nil
		}
		density[i] = math.Exp(v)
	}
	return density
}
