package sample

import (
	"context"
	"fmt"
	"io"
	"iter"
	"path/filepath"

	"flowmatch/cmd/internal/figures"
	"flowmatch/cmd/internal/kinds"
	"flowmatch/cmd/internal/terminal"
	"flowmatch/datasets"
	"flowmatch/flow"
	"flowmatch/viz"
)

// pictures are the files that are drawn.
func pictures(dir string) (final, film string) {
	return filepath.Join(dir, "final_samples.png"), filepath.Join(dir, "trajectory.gif")
}

// draw writes final_samples.png and trajectory.gif.
var draw = kinds.Each[func(f *flags, ctx context.Context, dir string, out *flow.Samples, p *plan, in datasets.Info, s flow.Sampling) ([]string, error)]{
	Points: (*flags).drawPoints,
	Images: (*flags).drawImages,
}

// drawImages draws those of the samples that are shown.
func (f *flags) drawImages(ctx context.Context, dir string, out *flow.Samples, p *plan, in datasets.Info, s flow.Sampling) ([]string, error) {
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
	if countClasses(labels) > 1 {
		layout = viz.ByClass(labels, p.names, 0)
	}
	title := f.title(p, in, s.Solver)
	grid, err := viz.ImageGrid(final, viz.GridConfig{Layout: layout, Title: title})
	if err != nil {
		return nil, err
	}
	picture, film := pictures(dir)
	if err := figures.WritePNG(picture, grid); err != nil {
		return nil, err
	}
	err = figures.WriteFile(film, func(w io.Writer) error {
		return viz.TrajectoryGIF(w, final, framesOf(ctx, out, s.FrameTimes), viz.TrajectoryConfig{Layout: layout, Title: title, FPS: f.fps})
	})
	return []string{picture, film}, err
}

// title says what was asked for: "digits, class 3, midpoint 20, seed 42", and whose model
// it is where that is no run of the user's.
func (f *flags) title(p *plan, in datasets.Info, by flow.Solver) string {
	parts := []string{in.Slug()}
	if f.model.Pretrained != "" {
		parts = []string{"pretrained " + in.Slug()}
	}
	if p.labels != nil && countClasses(p.labels) == 1 {
		name := fmt.Sprint(p.labels[0])
		if c := int(p.labels[0]); c < len(p.names) {
			name = terminal.Printable(p.names[c])
		}
		parts = append(parts, "class "+name)
	}
	if n := len(p.shown); n < p.n {
		parts = append(parts, fmt.Sprintf("%d of %s", n, terminal.Counted(p.n, "sample")))
	}
	parts = append(parts, figures.SolverName(by))
	if f.guidance.Scale != 1 {
		parts = append(parts, fmt.Sprintf("guidance %v", f.guidance.Scale))
	}
	if f.init == "" {
		parts = append(parts, figures.SeedName(f.cmd.Seed))
	}
	return figures.Title(parts...)
}

func framesOf(ctx context.Context, out *flow.Samples, times []float64) iter.Seq2[viz.Frame, error] {
	return func(yield func(viz.Frame, error) bool) {
		for i, t := range times {
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
