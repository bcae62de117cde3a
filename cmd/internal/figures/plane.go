package figures

import (
	"context"
	"fmt"
	"io"
	"math"
	"path/filepath"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/terminal"
	"flowmatch/datasets/plane"
	"flowmatch/flow"
	"flowmatch/viz"
)

// Plane draws the pictures of a model of points.
type Plane struct {
	Dir string     // of the files
	Set string     // its slug, in the files' names
	Of  *plane.Set // for the range and the true density; nil: both from the model

	Velocity flow.Velocity
	Device   torch.Device
	Batch    int         // samples solved together, as flow.Sampling.Batch: Batch of the network
	Solver   flow.Solver // nil: midpoint, 20 steps

	Samples   int   // of the evolution; 0: 100,000, or 1,000,000 on a GPU
	Seed      int64 // of the noise
	Reference bool  // the reference system's numbers: 1,000,000 samples, a grid of 200 x 200
	OneStep   bool  // distilled: it has learnt the velocity at t = 0 alone, for one Euler step

	Stderr io.Writer // of the progress
	Quiet  bool
}

// The reference system's figures: ten times, 300 bins; 101 frames, 500 bins, 15
// x 15 arrows; the mean of ten estimates.
const (
	evolutionTimes, evolutionBins = 10, 300
	filmFrames, filmBins          = 101, 500
	filmGrid                      = 15
	hutchinsonDraws               = 10
)

// Draw writes ode_sampling_evolution_<set>.png, vector_field_and_samples_<set>.gif
// and likelihood_<set>.png and gives their paths; of a model of one step only the
// first, with the noise and the samples. It ends early with ctx's cause; a file is
// then whole or not there.
func (p Plane) Draw(ctx context.Context) ([]string, error) {
	p.Samples = samples(p.Samples, p.Reference, p.Device)
	if p.Solver == nil {
		p.Solver = midpoint20()
	}
	times := flow.EvenTimes(evolutionTimes)
	if p.OneStep {
		euler, _ := flow.FixedStepMethod("euler")
		p.Solver, times = flow.FixedStep{Method: euler, Steps: 1}, flow.EvenTimes(2)
	}
	r, err := plotRange(ctx, p.Of, p.draw())
	if err != nil {
		return nil, err
	}
	evolutionBins, evolutionScale := evolutionCells(p.Samples)
	evolution := newCounts(times, evolutionBins, r, p.Samples)
	bins, scale := cells(p.Samples/2, filmBins)
	film := newCounts(flow.EvenTimes(filmFrames), bins, r, p.Samples/2)
	if p.OneStep {
		film.first = 0
	}
	if err := p.solve(ctx, evolution, film); err != nil {
		return nil, err
	}
	type figure struct {
		name string
		draw func(path string) error
	}
	figures := []figure{
		{"ode_sampling_evolution_%s.png", func(path string) error {
			img, err := viz.Evolution(evolution.frames(ctx, nil), viz.EvolutionConfig{Title: p.title(), Range: r, Bins: evolutionBins, Scale: evolutionScale})
			if err != nil {
				return err
			}
			return WritePNG(path, img)
		}},
		{"vector_field_and_samples_%s.gif", func(path string) error { return p.film(ctx, path, r, film, scale) }},
		{"likelihood_%s.png", func(path string) error { return p.likelihood(ctx, path, r) }},
	}
	if p.OneStep {
		figures = figures[:1]
	}
	var paths []string
	for _, f := range figures {
		path := filepath.Join(p.Dir, fmt.Sprintf(f.name, p.Set))
		if err := f.draw(path); err != nil {
			return paths, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// evolutionCells are the reference system's for many samples; for fewer, panels of the same
// size on the page in as many cells a side, of so many pixels, as the samples fill.
func evolutionCells(samples int) (bins, scale int) {
	const side = evolutionBins / 2
	if samples >= 50_000 {
		return evolutionBins, 1
	}
	scale = max(1, (side+viz.BinsFor(samples)/2)/viz.BinsFor(samples))
	return side / scale, scale
}

// cells is how a film's panel of some pixels is divided: so that a cell has two
// of the samples on average, as the reference system's 500,000 do. Cells of no
// or one point would be a snow storm.
func cells(samples, pixels int) (bins, scale int) {
	scale = int(float64(pixels)*math.Sqrt(2/float64(max(1, samples))) + 0.5)
	scale = max(1, min(8, scale))
	return (pixels + scale - 1) / scale, scale
}

// title names the pictures.
func (p Plane) title() string { return Title(p.Set, SolverName(p.Solver), SeedName(p.Seed)) }

func midpoint20() flow.Solver {
	m, _ := flow.FixedStepMethod("midpoint")
	return flow.FixedStep{Method: m, Steps: 20}
}

// draw is a draw of p's samples.
func (p Plane) draw() flow.Sampling {
	return flow.Sampling{
		Velocity: p.Velocity, Device: p.Device, Solver: p.Solver, Shape: []int64{2},
		N: p.Samples, Seed: p.Seed, Batch: p.Batch,
	}
}

func (p Plane) bar(what string, total int) *terminal.Bar {
	return terminal.New(p.Stderr, p.Quiet, what, total)
}

func (p Plane) solve(ctx context.Context, figures ...*counts) error {
	bar := p.bar("figures: samples", p.Samples)
	defer bar.Done()
	draw := p.draw()
	draw.Progress = func(done, of int) { bar.Set(done, of, "") }
	return count(ctx, "the model", draw, figures...)
}

func (p Plane) film(ctx context.Context, path string, r viz.Range, film *counts, scale int) error {
	bar := p.bar("figures: film", filmFrames)
	defer bar.Done()
	field, err := Fields(ctx, p.Velocity, p.Device, r, filmGrid, film.times)
	if err != nil {
		return err
	}
	return WriteFile(path, func(w io.Writer) error {
		return viz.VectorFieldGIF(w, field, film.frames(ctx, func(k int) { bar.Set(k, filmFrames, "") }),
			viz.FieldConfig{Title: p.title(), Range: r, Grid: filmGrid, Bins: film.hists[0].Bins, Scale: scale})
	})
}

// rangeSamples is how many samples stand for a set whose range is unknown.
const rangeSamples = 2000

// plotRange is the set's range, or that of a draw's first samples.
func plotRange(ctx context.Context, set *plane.Set, draw flow.Sampling) (viz.Range, error) {
	if set != nil {
		return viz.Range(set.PlotRange()), nil
	}
	draw.N = min(draw.N, rangeSamples)
	out, err := draw.Draw(ctx)
	if err != nil {
		return viz.Range{}, err
	}
	return viz.Range(plane.SquareAround(out.X)), nil
}

// likelihoodSide is the places on a side of the grid: in proportion to the
// samples, 100 for 100,000 of them.
func (p Plane) likelihoodSide() int {
	if p.Reference {
		return 200
	}
	return max(40, min(200, int(100*math.Sqrt(float64(p.Samples)/100_000)+0.5)))
}
