package snapshots

import (
	"context"
	"errors"
	"image"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/kinds"
	"flowmatch/datasets"
	"flowmatch/datasets/plane"
	"flowmatch/flow"
	"flowmatch/models"
	"flowmatch/trainer/trained"
	"flowmatch/viz"
)

// Painter draws what a model has learnt, always from the same noise.
type Painter interface {
	Paint(ctx context.Context, v flow.Velocity, title string) (image.Image, error)
	// Evaluations is the number of samples that go through the network for a picture.
	Evaluations() int
}

// Model is what is drawn.
type Model struct {
	Info    datasets.Info
	Network models.Config
	Device  torch.Device
	Seed    int64
	OneStep bool // distilled: it is for one Euler step
	// Trained is the number of samples that the whole run trains on. It decides how many
	// points are drawn, so that the pictures of a short run cost little.
	Trained int
}

// Painter is the one for the model's kind of samples.
func (m Model) Painter() Painter {
	return kinds.Each[func(Model) Painter]{Points: newPoints, Images: newImages}.Of(m.Info)(m)
}

// solver has so few steps that a picture is cheap, and enough that it is a good one.
func (m Model) solver() flow.FixedStep {
	method, steps := "midpoint", 5
	if m.OneStep {
		method, steps = "euler", 1
	}
	by, _ := flow.FixedStepMethod(method)
	return flow.FixedStep{Method: by, Steps: steps}
}

func (m Model) sampling() flow.Sampling {
	return flow.Sampling{Device: m.Device, Solver: m.solver(), Shape: m.Network.SampleShape(), Seed: m.Seed, Batch: trained.Batch(m.Network, m.Device)}
}

func evaluations(s flow.Sampling) int {
	by := s.Solver.(flow.FixedStep)
	return s.N * by.Steps * by.Method.Stages()
}

// errNotFinite is said of samples that nothing can be seen of.
var errNotFinite = errors.New("the samples are not finite")

// images draws a grid, with a column for each class.
type images struct {
	shape    [3]int
	sampling flow.Sampling
	layout   viz.Layout
}

// A grid of samples has columns for the first classes; of a model without classes it is
// a square.
const (
	mostClasses = 10
	gridSamples = 40
	squareSide  = 6
	gridWidth   = 600 // pixels
)

func newImages(m Model) Painter {
	p := &images{shape: [3]int(m.Info.Shape), sampling: m.sampling()}
	classes := min(m.Network.Classes(), mostClasses)
	if classes == 0 {
		p.sampling.N = squareSide * squareSide
		p.layout = viz.Square(p.sampling.N)
		return p
	}
	rows := max(4, min(8, gridSamples/classes))
	for c := range classes {
		for range rows {
			p.sampling.Labels = append(p.sampling.Labels, int64(c))
		}
	}
	p.sampling.N = classes * rows
	p.layout = viz.ByClass(p.sampling.Labels, m.Info.ClassNames, 0)
	return p
}

func (p *images) Evaluations() int { return evaluations(p.sampling) }

func (p *images) Paint(ctx context.Context, v flow.Velocity, title string) (image.Image, error) {
	x, err := drawn(ctx, p.sampling, v)
	if err != nil {
		return nil, err
	}
	return viz.ImageGrid(viz.Pictures{X: x, Shape: p.shape}, viz.GridConfig{Layout: p.layout, Title: title, Width: gridWidth})
}

// drawn are the samples that a velocity makes of the sampling's noise: [N,...].
func drawn(ctx context.Context, s flow.Sampling, v flow.Velocity) ([]float32, error) {
	s.Velocity = v
	out, err := s.Draw(ctx)
	if err != nil {
		return nil, err
	}
	if !flow.Finite(out.X) {
		return nil, errNotFinite
	}
	return out.X, nil
}

// points draws a histogram.
type points struct {
	info     datasets.Info
	sampling flow.Sampling
	frame    *viz.Range // of the picture, once it is known
}

// A histogram has so many points, and is so wide.
const (
	fewestPoints = 1000
	mostPoints   = 5000
	pointsSide   = 400 // pixels
)

func newPoints(m Model) Painter {
	p := &points{info: m.Info, sampling: m.sampling()}
	p.sampling.N = 1
	// Ten pictures take a hundredth of the network's work: training is three evaluations.
	p.sampling.N = max(fewestPoints, min(mostPoints, 3*m.Trained/1000/evaluations(p.sampling)))
	return p
}

func (p *points) Evaluations() int { return evaluations(p.sampling) }

func (p *points) Paint(ctx context.Context, v flow.Velocity, title string) (image.Image, error) {
	x, err := drawn(ctx, p.sampling, v)
	if err != nil {
		return nil, err
	}
	if p.frame == nil {
		r := viz.Range(plane.SquareAround(x)) // a file of the user's own may be gone
		if set, err := plane.OpenIn(p.info.Name, p.info.Frame); err == nil {
			r = viz.Range(set.PlotRange())
		}
		p.frame = &r
	}
	return viz.DatasetPlot(x, viz.DatasetConfig{Title: title, Range: *p.frame, Side: pointsSide})
}
