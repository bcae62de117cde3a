package sample

import (
	"context"
	"io"

	"flowmatch/cmd/internal/figures"
	"flowmatch/datasets"
	"flowmatch/datasets/plane"
	"flowmatch/flow"
	"flowmatch/viz"
)

// drawPoints writes final_samples.png, a histogram, and trajectory.gif with the
// velocity field beside the points.
func (f *flags) drawPoints(ctx context.Context, dir string, out *flow.Samples, p *plan, in datasets.Info, s flow.Sampling) ([]string, error) {
	r := viz.Range(plane.SquareAround(out.X))
	if set, err := plane.OpenIn(in.Name, in.Frame); err == nil {
		r = viz.Range(set.PlotRange())
	}
	title := f.title(p, in, s.Solver)
	plot, err := viz.DatasetPlot(out.X, viz.DatasetConfig{Title: title, Range: r})
	if err != nil {
		return nil, err
	}
	picture, film := pictures(dir)
	if err := figures.WritePNG(picture, plot); err != nil {
		return nil, err
	}
	fields, err := figures.Fields(ctx, s.Velocity, s.Device, r, fieldGrid, s.FrameTimes)
	if err != nil {
		return nil, err
	}
	bins := viz.BinsFor(len(out.X) / 2)
	err = figures.WriteFile(film, func(w io.Writer) error {
		return viz.VectorFieldGIF(w, fields, framesOf(ctx, out, s.FrameTimes), viz.FieldConfig{Title: title, Range: r, Grid: fieldGrid, FPS: f.fps, Bins: bins, Scale: max(1, filmPixels/bins)})
	})
	return []string{picture, film}, err
}

// filmPixels is about the side of the film's panels.
const filmPixels = 400

// fieldGrid is the arrows on a side.
const fieldGrid = 15
