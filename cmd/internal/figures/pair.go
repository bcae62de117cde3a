package figures

import (
	"context"
	"fmt"
	"io"
	"iter"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/terminal"
	"flowmatch/datasets/plane"
	"flowmatch/flow"
	"flowmatch/viz"
)

// Pair draws two models of points that start from the same noise.
type Pair struct {
	Path       string // of the film
	Paths      string // of the picture of paths; "" for none
	Name       string // of the set and the run, in their titles
	Of         *plane.Set
	Names      [2]string
	Velocities [2]flow.Velocity
	Device     torch.Device
	Batch      int         // as Plane's
	Solver     flow.Solver // nil: midpoint, 20 steps

	Samples int     // as Plane's: the film takes half of them
	Grid    int     // arrows on a side; 0: 15
	Frames  int     // 0: 101
	FPS     float64 // 0: 20
	Seed    int64

	Stderr io.Writer
	Quiet  bool
}

// pairPixels is the pixels on a side of each of the four panels.
const pairPixels = 400

// Film writes the film: the samples above, the velocities below; and the picture of
// paths. It ends early with ctx's cause; a file is then whole or not there.
func (p Pair) Film(ctx context.Context) error {
	if p.Solver == nil {
		p.Solver = midpoint20()
	}
	if p.Grid == 0 {
		p.Grid = filmGrid
	}
	if p.Frames == 0 {
		p.Frames = filmFrames
	}
	draw := flow.Sampling{
		Velocity: p.Velocities[0], Device: p.Device, Solver: p.Solver, Shape: []int64{2},
		N: max(1, samples(p.Samples, false, p.Device)/2), Seed: p.Seed, Batch: p.Batch,
	}
	r, err := plotRange(ctx, p.Of, draw)
	if err != nil {
		return err
	}
	times := flow.EvenTimes(p.Frames)
	bins, scale := cells(draw.N, pairPixels)
	var sides [2]viz.Side
	var counted [2]*counts
	for k, v := range p.Velocities {
		counted[k] = newCounts(times, bins, r, draw.N)
		if err := p.solve(ctx, k, v, draw, counted[k]); err != nil {
			return err
		}
		field, err := Fields(ctx, v, p.Device, r, p.Grid, times)
		if err != nil {
			return err
		}
		sides[k] = viz.Side{Name: p.Names[k], Fields: field}
	}
	if p.Paths != "" {
		ends := [2]*viz.Hist2D{counted[0].hists[p.Frames-1], counted[1].hists[p.Frames-1]}
		if err := p.paths(ctx, draw, r, ends); err != nil {
			return err
		}
	}
	bar := terminal.New(p.Stderr, p.Quiet, "film", p.Frames)
	defer bar.Done()
	return WriteFile(p.Path, func(w io.Writer) error {
		return viz.CompareGIF(w, sides, pairFrames(ctx, counted, func(k int) { bar.Set(k, p.Frames, "") }),
			viz.FieldConfig{Title: p.Name, Range: r, Grid: p.Grid, Bins: bins, Scale: scale, FPS: p.FPS})
	})
}

// The paths that are traced, and their states.
const tracedPaths, tracedTimes = 60, 81

// paths draws the ways of the first samples through both models.
func (p Pair) paths(ctx context.Context, draw flow.Sampling, r viz.Range, ends [2]*viz.Hist2D) error {
	var panels []viz.PathsPanel
	draw.N, draw.FrameTimes = tracedPaths, flow.EvenTimes(tracedTimes)
	for i := range tracedPaths {
		draw.Shown = append(draw.Shown, i)
	}
	for k, v := range p.Velocities {
		draw.Velocity = v
		out, err := draw.Draw(ctx)
		if err != nil {
			return err
		}
		panel := viz.PathsPanel{Title: p.Names[k], Ends: ends[k]}
		for i := range tracedPaths {
			var path []float32
			for _, x := range out.Frames {
				path = append(path, x[2*i:2*i+2]...)
			}
			panel.Paths = append(panel.Paths, path)
		}
		panels = append(panels, panel)
	}
	title := fmt.Sprintf("%d paths from noise to %s", tracedPaths, p.Name)
	img, err := viz.Paths(panels, viz.PathsConfig{Title: title, Range: r})
	if err != nil {
		return err
	}
	return WritePNG(p.Paths, img)
}

func (p Pair) solve(ctx context.Context, k int, v flow.Velocity, draw flow.Sampling, c *counts) error {
	bar := terminal.New(p.Stderr, p.Quiet, fmt.Sprintf("samples, %s", p.Names[k]), draw.N)
	defer bar.Done()
	draw.Velocity = v
	draw.Progress = func(done, of int) { bar.Set(done, of, "") }
	return count(ctx, p.Names[k], draw, c)
}

// pairFrames are the frames of both sides together.
func pairFrames(ctx context.Context, sides [2]*counts, shown func(k int)) iter.Seq2[viz.PairFrame, error] {
	return func(yield func(viz.PairFrame, error) bool) {
		k := 0
		for f, err := range sides[0].frames(ctx, shown) {
			if err != nil {
				yield(viz.PairFrame{}, err)
				return
			}
			if !yield(viz.PairFrame{T: f.T, Hist: [2]*viz.Hist2D{f.Hist, sides[1].hists[k]}}, nil) {
				return
			}
			k++
		}
	}
}
