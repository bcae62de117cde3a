package compare

import (
	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/figures"
	"flowmatch/cmd/internal/kinds"
	"flowmatch/cmd/internal/modelfile"
	"flowmatch/flow"
)

type flags struct {
	cmd     *cli.Command
	model   *modelfile.Flags
	figures *figures.Flags
	film    *cli.Solver

	reflowCheckpoint, list       string
	grid, frames, qualitySamples int
	fps                          float64
}

// request is what the command line asks for.
type request struct {
	solver  flow.Solver       // of the film, and of images
	solvers []cli.NamedSolver // of the table
}

// usualSolvers are those of the table and the figure.
const usualSolvers = "euler:1,euler:2,euler:4,euler:10,midpoint:1,midpoint:2,midpoint:5,midpoint:10,midpoint:20,rk4:1,rk4:2,rk4:5,dopri5"

// Command is compare.
func Command() *cli.Command {
	f := newFlags()
	f.cmd.Run = f.run
	return f.cmd
}

func newFlags() *flags {
	c := &cli.Command{
		Name: "compare", About: "show a model beside the one that reflow made of it, in float32", Forms: []cli.Form{
			{Line: "compare --pretrained checkerboard", What: "two models that are part of the program"},
			{Line: "compare --dataset checkerboard", What: "the models of train and of reflow side by side"},
			{Line: "compare --dataset moons --solvers euler:1,euler:2,midpoint:20,dopri5 --json"},
			{Line: "compare --checkpoint FILE --reflow-checkpoint FILE"},
		},
		LessMemory: "--device cpu, or fewer --figure-samples and --quality-samples",
	}
	f := &flags{cmd: c, model: modelfile.Add(c, "compared")}
	models := c.Group("Model")
	models.StringVar(&f.reflowCheckpoint, "reflow-checkpoint", "", "the second model's weights (OUTPUT-DIR/reflow/SET/ckpt.pth)")
	models.Files("reflow-checkpoint", modelfile.WeightFiles...)
	table := c.Group("Table")
	cli.AddSolverList(table, &f.list, usualSolvers, "solvers of the table")
	table.IntVar(&f.qualitySamples, "quality-samples", 20_000, "samples whose distance to the set is measured; the likelihood is that of a fifth as many points")
	film := c.Group("Film and figures")
	f.figures = figures.AddSamples(c, film)
	f.film = c.AddSolver(film, "the film's solver")
	film.IntVar(&f.grid, "grid-size", 15, "arrows on a side of the film's fields")
	film.IntVar(&f.frames, "frames", 101, "frames of the film")
	film.Float64Var(&f.fps, "fps", 20, "frames a second")
	f.model.AddNetwork()
	c.AddCommon("auto or fp32: compare computes in float32", "print one line of JSON instead of a table, or of a picture's path")
	return f
}

// check finds what is wrong without files and libtorch.
func (f *flags) check() (*request, error) {
	if err := f.model.Check(); err != nil {
		return nil, err
	}
	if err := f.figures.Check(); err != nil {
		return nil, err
	}
	if f.cmd.Precision == "bf16" || f.cmd.Precision == "tf32" {
		return nil, cli.Usagef("--precision %s: compare computes in float32, so that its numbers compare", f.cmd.Precision)
	}
	f.cmd.Precision = "fp32" // on a GPU without TF32 too
	switch {
	case f.grid < 1 || f.grid > 100:
		return nil, cli.Usagef("--grid-size %d: 1 to 100", f.grid)
	case f.frames < 2 || f.frames > 1000:
		return nil, cli.Usagef("--frames %d: 2 to 1000", f.frames)
	case !(f.fps > 0 && f.fps <= 50):
		return nil, cli.Usagef("--fps %v: above 0, at most 50, which is what a GIF can do", f.fps)
	case f.qualitySamples < 10 || f.qualitySamples > 10_000_000:
		return nil, cli.Usagef("--quality-samples %d: 10 to 10,000,000", f.qualitySamples)
	}
	a := &request{}
	var err error
	if a.solver, err = f.film.Solver(); err != nil {
		return nil, err
	}
	// The table's adaptive solvers have the default tolerances: those of the
	// flags are the film's.
	a.solvers, err = cli.DefaultTolerances().List("--solvers", f.list)
	return a, err
}

// notFor are flags that mean nothing for a kind of set.
var notFor = kinds.Each[[]string]{Images: []string{"figure-samples", "grid-size", "frames", "fps", "quality-samples", "solvers"}}
