package sample

import (
	"context"
	"fmt"
	"image/png"
	"io"
	"iter"
	"path/filepath"

	"github.com/wangkuiyi/gotorch/atomicfile"

	"flowmatch/datasets"
	"flowmatch/flow"
	"flowmatch/viz"
)

type writer = io.Writer

func writeFile(path string, write func(w writer) error) error {
	if err := atomicfile.Write(path, write); err != nil {
		return fmt.Errorf("%s was not written: %w", path, err)
	}
	return nil
}

// pictures are the files that are drawn.
func pictures(dir string) (final, film string) {
	return filepath.Join(dir, "final_samples.png"), filepath.Join(dir, "trajectory.gif")
}

// draw writes final_samples.png and trajectory.gif of the samples shown.
func (f *flags) draw(ctx context.Context, dir string, out *flow.Samples, p *plan, in datasets.Info) ([]string, error) {
	dim := in.Dim()
	final := viz.Pictures{Shape: [3]int(in.Shape)}
	var labels []int64
	for _, i := range p.shown {
		final.X = append(final.X, out.X[i*dim:(i+1)*dim]...)
		if p.labels != nil {
			labels = append(labels, p.labels[i])
		}
	}
	layout := viz.Square(len(p.shown))
	if labels != nil {
		layout = viz.ByClass(labels, p.names, perClassShown)
	}
	grid, err := viz.ImageGrid(final, viz.GridConfig{Layout: layout})
	if err != nil {
		return nil, err
	}
	picture, film := pictures(dir)
	if err := writeFile(picture, func(w writer) error { return png.Encode(w, grid) }); err != nil {
		return nil, err
	}
	err = writeFile(film, func(w writer) error {
		return viz.TrajectoryGIF(w, final, framesOf(ctx, out, f.frames), viz.TrajectoryConfig{Layout: layout, FPS: f.fps})
	})
	return []string{picture, film}, err
}

func framesOf(ctx context.Context, out *flow.Samples, n int) iter.Seq2[viz.Frame, error] {
	return func(yield func(viz.Frame, error) bool) {
		for i, t := range flow.EvenTimes(n) {
			if ctx.Err() != nil {
				yield(viz.Frame{}, context.Cause(ctx))
				return
			}
			if !yield(viz.Frame{T: t, X: out.Frames[i]}, nil) {
				return
			}
		}
	}
}
