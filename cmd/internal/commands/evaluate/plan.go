package evaluate

import (
	"context"
	"fmt"
	"strings"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/classifiers"
	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/kinds"
	"flowmatch/cmd/internal/terminal"
	"flowmatch/flow"
)

// plan is how much of a model is measured.
type plan struct {
	samples int // by each solver
	paths   int // whose straightness is measured
	bits    int // test images whose likelihood is taken
	points  int // fresh ones whose likelihood is taken
}

// plannedPoints is that of a model of points.
func (e *evaluation) plannedPoints() plan {
	p := plan{samples: e.f.numSamples, paths: straightPaths, points: nllPoints}
	if p.samples == 0 {
		p.samples = kinds.Of(e.info).Measured
	}
	return p
}

// Where the user does not say how many samples there are, so many for each test image are
// drawn to be compared with them, so that a set of a few pictures does not take as long as
// one of thousands.
const (
	samplesPerImage = 10
	fewestSamples   = 100
)

// As many paths are measured as have pathNumbers numbers together, which is 1,000 images of
// 28x28: of larger ones, each of which is a mean over more, fewer.
const (
	pathNumbers = straightPaths * 28 * 28
	fewestPaths = 100
)

// planned is that of a model of images. sets are those that were read.
func (e *evaluation) planned(sets *classifiers.Sets) plan {
	p := plan{samples: e.f.numSamples}
	if p.samples == 0 {
		p.samples = kinds.Of(e.info).Measured
		if sets.Test != nil {
			p.samples = min(p.samples, max(fewestSamples, samplesPerImage*sets.Test.Len()))
		}
	}
	p.paths = min(p.samples, straightPaths)
	if e.f.numSamples == 0 && !e.judgesPaths() {
		p.paths = min(p.paths, max(fewestPaths, pathNumbers/e.info.Dim()))
	}
	if sets.Test != nil {
		p.bits = min(bitsImages, sets.Test.Len())
	}
	return p
}

// judges tells whether samples are judged by the classifier.
func (e *evaluation) judges() bool { return e.chosen["as_asked"] || e.chosen["frechet"] }

// judgesPaths tells whether the ends of the paths whose straightness is measured are samples
// that are judged anyway.
func (e *evaluation) judgesPaths() bool {
	for _, s := range e.solvers {
		if e.judges() && e.endsServe(s) {
			return true
		}
	}
	return false
}

// endsServe tells whether the ends of straightness's paths are a solver's samples.
func (e *evaluation) endsServe(s cli.NamedSolver) bool {
	p, err := e.precision(s)
	return s.Method == straightSolver && s.Steps == straightSteps && e.guidance == nil && err == nil && p == "fp32"
}

// gradientCost is how many evaluations one with its gradient takes as long as.
const gradientCost = 5

// pointGradientCost is that of a point's both coordinates, in batches as small as gradients
// need.
const pointGradientCost = 3

// evaluations are how many there are of a sample, by precision: in bf16 one takes a third of
// the time, where there are instructions for it.
type evaluations map[string]float64

// work says what is done, and how many evaluations of a sample that is; some solvers take as
// many as they need, and do not count.
func (e *evaluation) work(p plan) (said []string, work evaluations, unknown bool) {
	work = evaluations{}
	if e.chosen["straightness"] {
		said = append(said, fmt.Sprintf("straightness of %s", terminal.Counted(p.paths, "path")))
		work["fp32"] += float64(p.paths * straightNFE)
	}
	if e.judges() || e.chosen["sw2"] {
		said = append(said, fmt.Sprintf("%s by %s", terminal.Counted(p.samples, "sample"), terminal.Counted(len(e.solvers), "solver")))
		for _, s := range e.solvers {
			m, fixed := flow.FixedStepMethod(s.Method)
			switch {
			case !fixed:
				unknown = true
			case e.chosen["sw2"] || !e.chosen["straightness"] || p.paths != p.samples || !e.endsServe(s):
				in, err := e.precision(s)
				if err != nil {
					in = "fp32" // drawing will tell
				}
				work[in] += e.evaluations(s.Steps*m.Stages()) * float64(p.samples)
			}
		}
	}
	if e.chosen["bits_per_dim"] {
		said = append(said, fmt.Sprintf("bits per dimension of %s", terminal.Counted(p.bits, "image")))
		work["fp32"] += float64(gradientCost * p.bits * midpoint20.Steps * 2)
	}
	for _, name := range []string{"nll", "nll_exact"} {
		if !e.chosen[name] {
			continue
		}
		said = append(said, fmt.Sprintf("%s of %s", name, terminal.Counted(p.points, "point")))
		if name == "nll" {
			work["fp32"] += float64(pointGradientCost * p.points * midpoint20.Steps * 2)
		} else {
			unknown = true
		}
	}
	return said, work, unknown
}

// evaluations are those of a guided sample: twice as many in the times that are guided.
func (e *evaluation) evaluations(nfe int) float64 {
	if g := e.guidance; g != nil && g.Evaluations(g.From) == 2 {
		return float64(nfe) * (1 + g.To - g.From)
	}
	return float64(nfe)
}

// tell says before what will be done, and how long it takes, by a few evaluations.
func (e *evaluation) tell(ctx context.Context, p plan) error {
	said, work, unknown := e.work(p)
	if len(said) == 0 || e.f.cmd.Quiet {
		return nil
	}
	took, err := e.takes(ctx, p, work)
	if err != nil {
		return err
	}
	about := "about "
	if unknown {
		about = "more than "
	}
	e.f.cmd.Say("measuring %s: %s", strings.Join(said, ", "), about+terminal.Duration(took))
	return nil
}

// takes is how long the work takes, by a few evaluations in each of its precisions.
func (e *evaluation) takes(ctx context.Context, p plan, work evaluations) (all time.Duration, err error) {
	for in, n := range work {
		v, err := e.samplerIn(in)
		if err != nil {
			return 0, err
		}
		each, err := e.rehearse(ctx, p, v)
		if err != nil {
			return 0, err
		}
		all += time.Duration(n * float64(each))
	}
	return all, nil
}

// enough is a time that tells how long a draw takes.
const enough = 100 * time.Millisecond

// rehearse is how long a sample takes for an evaluation of v, where all cores have some. Together
// samples take less than alone, so that there are as many as take a while.
func (e *evaluation) rehearse(ctx context.Context, p plan, v flow.Velocity) (each time.Duration, err error) {
	euler, _ := flow.FixedStepMethod("euler")
	all := max(p.samples, p.paths)
	draw := flow.Sampling{
		Velocity: v, Device: e.device, Solver: flow.FixedStep{Method: euler, Steps: 1}, Shape: e.file.Dims(),
		N: min(all, 4*torch.NumThreads()), Batch: e.batch(),
	}
	for warm := false; ; warm = true { // the first one asks for memory
		draw.Labels = equalParts(draw.N, e.file.Classes)
		began := time.Now()
		if _, err := draw.Draw(ctx); err != nil {
			return 0, err
		}
		took := time.Since(began)
		if warm && (took > enough || draw.N == all) {
			return took / time.Duration(draw.N), nil
		}
		if took < enough {
			draw.N = min(all, 4*draw.N)
		}
	}
}
