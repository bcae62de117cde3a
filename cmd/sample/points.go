package main

import (
	"context"
	"image/png"
	"path/filepath"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/datasets"
	"flowmatch/flow"
	"flowmatch/viz"
)

// drawPoints writes final_samples.png, a histogram, and trajectory.gif with the
// velocity field beside the points.
func (f *flags) drawPoints(ctx context.Context, dir string, out *flow.Samples, in datasets.Info, s flow.Sampling) ([]string, error) {
	r := rangeOf(out.X)
	if set, err := datasets.Open2D(in.Name, datasets.Options{}); err == nil {
		r = viz.Range(set.PlotRange())
	}
	plot, err := viz.DatasetPlot(out.X, viz.DatasetConfig{Title: in.Name + ", samples", Range: r, Bins: 150})
	if err != nil {
		return nil, err
	}
	picture := filepath.Join(dir, "final_samples.png")
	if err := writeFile(picture, func(w writer) error { return png.Encode(w, plot) }); err != nil {
		return nil, err
	}
	var fields []viz.Field
	times := flow.Times(f.frames)
	for _, t := range times {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		v := velocities(s, r, t)
		fields = append(fields, v)
	}
	film := filepath.Join(dir, "trajectory.gif")
	err = writeFile(film, func(w writer) error {
		return viz.VectorFieldGIF(w, fields, framesOf(ctx, out, f.frames), viz.FieldConfig{Range: r, Grid: fieldGrid, FPS: f.fps, Bins: 300})
	})
	return []string{picture, film}, err
}

// fieldGrid is the arrows on a side.
const fieldGrid = 15

// velocities is the field at the middles of the grid's cells.
func velocities(s flow.Sampling, r viz.Range, t float64) viz.Field {
	at := viz.FieldGrid(r, fieldGrid)
	v := make([]float32, len(at))
	torch.Scoped(func() {
		torch.NoGrad(func() {
			x := torch.FromSlice(at, int64(len(at)/2), 2).To(s.Device)
			copy(v, torch.ToSlice[float32](flow.ModelField(s.Model, torch.Tensor{})(x, t)))
		})
	})
	return viz.Field{T: t, V: v}
}

// rangeOf is a square around points.
func rangeOf(x []float32) viz.Range {
	m := float64(1)
	for _, v := range x {
		if a := float64(max(v, -v)); a > m && a < 1e6 {
			m = a
		}
	}
	return viz.Range{X0: -m, X1: m, Y0: -m, Y1: m}
}
