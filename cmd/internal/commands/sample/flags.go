package sample

import (
	"fmt"
	"slices"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/kinds"
	"flowmatch/cmd/internal/modelfile"
	"flowmatch/cmd/internal/terminal"
	"flowmatch/datasets"
	"flowmatch/datasets/npz"
	"flowmatch/flow"
)

type flags struct {
	cmd      *cli.Command
	model    *modelfile.Flags
	solver   *cli.Solver
	guidance *modelfile.Guidance

	classes, npz, init, format                     string
	samplesPerClass, numSamples, batchSize, frames int
	fps                                            float64
	noFigures, force                               bool
}

// Command is sample.
func Command() *cli.Command {
	f := newFlags()
	f.cmd.Run = f.run
	return f.cmd
}

func newFlags() *flags {
	c := &cli.Command{Name: "sample", About: "draw samples of a trained model", Forms: []cli.Form{
		{Line: "sample --pretrained digits", What: "digits by a model that is part of the program"},
		{Line: "sample --dataset digits", What: "ten samples of each class, and a film of them"},
		{Line: "sample --dataset mnist --classes 3 --samples-per-class 16"},
		{Line: "sample --checkpoint FILE --npz samples.npz --no-figures"},
	}}
	f := &flags{cmd: c, model: modelfile.Add(c, "sampled")}
	draw := c.Group("Sampling")
	draw.StringVar(&f.classes, "classes", "all", "all, or names or numbers of classes with commas between")
	draw.Lists("classes", "all")
	draw.IntVar(&f.samplesPerClass, "samples-per-class", 10, "samples of each class")
	draw.IntVar(&f.numSamples, "num-samples", 0, "samples of a model without classes (100; points 10,000)")
	f.solver = c.AddSolver(draw, "the solver")
	f.guidance = modelfile.AddGuidance(draw, "")
	draw.IntVar(&f.batchSize, "batch-size", 0, "samples solved together (by memory)")
	draw.StringVar(&f.init, "init", "", "an .npz file whose x0 (and y) to start from")
	draw.Files("init", "npz")
	files := c.Group("Files and figures")
	files.StringVar(&f.npz, "npz", "", "write samples x, classes y and noise x0 to this file")
	files.Files("npz", "npz")
	files.StringVar(&f.format, "format", "", "folder: also one PNG a sample, under samples/")
	files.Choices("format", "folder")
	files.BoolVar(&f.force, "force", false, "with --format folder: first remove what an earlier command wrote under samples/")
	files.BoolVar(&f.noFigures, "no-figures", false, "write no pictures")
	files.IntVar(&f.frames, "frames", 101, "frames of the film")
	files.Float64Var(&f.fps, "fps", 20, "frames a second")
	f.model.AddNetwork()
	c.AddCommon("auto, fp32, tf32 (GPUs) or bf16; auto is bf16 on a processor where its products are the faster ones, unless the method is adaptive, and else fp32", "print one line of JSON at the end instead of paths: files, samples, solver, evaluations, seconds")
	return f
}

// check finds what is wrong without files and libtorch.
func (f *flags) check() (flow.Solver, error) {
	if err := f.model.Check(); err != nil {
		return nil, err
	}
	s, err := f.solver.Solver()
	if err != nil {
		return nil, err
	}
	switch {
	case f.samplesPerClass < 1 || f.samplesPerClass > mostSamples:
		return nil, cli.Usagef("--samples-per-class %d: 1 to 10,000,000", f.samplesPerClass)
	case f.cmd.Changed("num-samples") && (f.numSamples < 1 || f.numSamples > mostSamples):
		return nil, cli.Usagef("--num-samples %d: 1 to 10,000,000", f.numSamples)
	case f.batchSize < 0:
		return nil, cli.Usagef("--batch-size %d: at least 1", f.batchSize)
	case f.frames < 2 || f.frames > 1000:
		return nil, cli.Usagef("--frames %d: 2 to 1000", f.frames)
	case f.noFigures && (f.cmd.Changed("frames") || f.cmd.Changed("fps")):
		return nil, cli.Usagef("--frames and --fps are of the film, and --no-figures writes none")
	case f.init != "" && f.cmd.Changed("seed"):
		return nil, cli.Usagef("--init gives the noise: --seed would decide nothing")
	case !(f.fps > 0 && f.fps <= 50):
		return nil, cli.Usagef("--fps %v: above 0, at most 50, which is what a GIF can do", f.fps)
	case f.format != "" && f.format != "folder":
		return nil, cli.Usagef("--format %q: folder, or not given", f.format)
	case f.force && f.format != "folder":
		return nil, cli.Usagef("--force is for --format folder; other files are written anew without it")
	case f.init != "" && (f.cmd.Changed("classes") || f.cmd.Changed("samples-per-class") || f.cmd.Changed("num-samples")):
		return nil, cli.Usagef("--init fixes the number of samples and their classes: leave --classes, --samples-per-class and --num-samples out")
	}
	return s, f.guidance.Check()
}

// plan is which samples are drawn and which are shown.
type plan struct {
	n      int
	labels []int64   // nil for a model without classes
	x0     []float32 // nil: by seed
	shown  []int
	names  []string

	mapping string // which classes are drawn, for people; may be empty
}

// mostSamples is the most that are drawn at once: what a GPU does in a day.
const mostSamples = 10_000_000

// mostFilm bounds the memory, in bytes, of the states that a film shows: 1,000,000
// points in 1000 frames.
const mostFilm = 8 << 30

// perClassShown is the most samples of a class that are pictured: of one alone, or none, a block
// of a hundred, of several as many as a page has room for.
func perClassShown(classes int) int {
	if classes <= 1 {
		return mostShown
	}
	return max(10, min(20, 2*mostShown/classes))
}

// mostShown is the most samples in a block.
const mostShown = 100

// countClasses is the number of classes that occur.
func countClasses(labels []int64) int {
	seen := map[int64]bool{}
	for _, y := range labels {
		seen[y] = true
	}
	return len(seen)
}

func (f *flags) plan(numClasses int, in datasets.Info) (*plan, error) {
	p := &plan{names: in.ClassNames}
	conditional, kind := numClasses > 0, kinds.Of(in)
	switch {
	case f.init != "":
		if err := f.planInit(p, conditional, in); err != nil {
			return nil, err
		}
	case conditional:
		if f.cmd.Changed("num-samples") {
			return nil, cli.Usagef("--num-samples is for models without classes: give --samples-per-class")
		}
		classes, err := f.classList(in)
		if err != nil {
			return nil, err
		}
		p.mapping = mapping(classes, in.ClassNames)
		if f.samplesPerClass*len(classes) > mostSamples {
			return nil, cli.Usagef("--samples-per-class %d of %s: at most 10,000,000 samples in all", f.samplesPerClass, terminal.Counted(len(classes), "class"))
		}
		for _, c := range classes {
			for range f.samplesPerClass {
				p.labels = append(p.labels, int64(c))
			}
		}
		p.n = len(p.labels)
	default:
		if f.cmd.Changed("classes") || f.cmd.Changed("samples-per-class") {
			return nil, cli.Usagef("the model has no classes: leave --classes and --samples-per-class out, give --num-samples")
		}
		if p.n = f.numSamples; p.n == 0 {
			p.n = kind.Samples
		}
	}
	shown, most := map[int64]int{}, perClassShown(countClasses(p.labels))
	for i := range p.n {
		if p.labels == nil {
			if kind.Shown == 0 || i < kind.Shown {
				p.shown = append(p.shown, i)
			}
		} else if shown[p.labels[i]]++; shown[p.labels[i]] <= most {
			p.shown = append(p.shown, i)
		}
	}
	if f.noFigures {
		p.shown = nil
	}
	if bytes := 4 * len(p.shown) * in.Dim() * f.frames; bytes > mostFilm {
		return nil, cli.Usagef("a film of %s in %d frames takes %d GB of memory: give fewer --frames, or --no-figures", terminal.Counted(len(p.shown), "sample"), f.frames, bytes>>30)
	}
	return p, nil
}

func (f *flags) planInit(p *plan, conditional bool, in datasets.Info) error {
	s, err := npz.OpenSamples(f.init)
	if err != nil {
		return err
	}
	switch {
	case s.X0 == nil:
		return fmt.Errorf("%s: it has no x0, the noise to start from", f.init)
	case !slices.Equal(s.Shape, in.Shape):
		return cli.Usagef("--init %s: samples of the shape %v, the model's have %v", f.init, s.Shape, in.Shape)
	case conditional && s.Y == nil:
		return cli.Usagef("--init %s: it has no y, and the model needs the classes", f.init)
	case !conditional && s.Y != nil:
		s.Y = nil // an unconditional model has no use for them
	}
	for i, y := range s.Y {
		if y < 0 || y >= int64(in.Classes()) {
			return cli.Usagef("--init %s: sample %d has class %d, the model has %d", f.init, i, y, in.Classes())
		}
	}
	p.n, p.x0, p.labels = s.Len(), s.X0, s.Y
	if p.n == 0 {
		return cli.Usagef("--init %s: it has no samples", f.init)
	}
	return nil
}
