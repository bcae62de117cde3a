package sample

import (
	"context"
	"image/png"

	"flowmatch/cmd/internal/figures"
	"flowmatch/datasets"
	"flowmatch/datasets/plane"
	"flowmatch/flow"
	"flowmatch/viz"
)

// drawPoints writes final_samples.png, a histogram, and trajectory.gif with the
// velocity field beside the points.
func (f *flags) drawPoints(ctx context.Context, dir string, out *flow.Samples, in datasets.Info, s flow.Sampling) ([]string, error) {
	r := viz.Range(plane.SquareAround(out.X))
	if set, err := plane.OpenIn(in.Name, in.Frame); err == nil {
		r = viz.Range(set.PlotRange())
	}
	plot, err := viz.DatasetPlot(out.X, viz.DatasetConfig{Title: in.Name + ", samples", Range: r, Bins: 150})
	if err != nil {
		return nil, err
	}
	picture, film := pictures(dir)
	if err := writeFile(picture, func(w writer) error { return png.Encode(w, plot) }); err != nil {
		return nil, err
	}
	fields, err := figures.Fields(ctx, s.Velocity, s.Device, r, fieldGrid, flow.EvenTimes(f.frames))
	if err != nil {
		return nil, err
	}
	err = writeFile(film, func(w writer) error {
		return viz.VectorFieldGIF(w, fields, framesOf(ctx, out, f.frames), viz.FieldConfig{Range: r, Grid: fieldGrid, FPS: f.fps, Bins: 300})
	})
	return []string{picture, film}, err
}

// fieldGrid is the arrows on a side.
const fieldGrid = 15
