package compare

import (
	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/figures"
	"flowmatch/cmd/internal/modelfile"
	"flowmatch/datasets"
	"flowmatch/flow"
)

type flags struct {
	*modelfile.Flags
	figures *figures.Flags
	film    *cli.Solver

	reflowCheckpoint, list       string
	grid, frames, qualitySamples int
	fps                          float64
	json                         bool
}

// asked is what the command line asks for.
type asked struct {
	solver  flow.Solver       // of the film, and of images
	solvers []cli.NamedSolver // of the table
}

func init() {
	cli.Forms["compare"] = `compare --dataset checkerboard            the models of train and of reflow side by side
compare --dataset moons --solvers euler:1,euler:2,midpoint:20,dopri5 --json
compare --checkpoint FILE --reflow-checkpoint FILE`
	cli.LessMemory["compare"] = "--device cpu, or fewer --figure-samples and --quality-samples"
}

// usualSolvers are those of the table and the figure.
const usualSolvers = "euler:1,euler:2,euler:4,euler:10,midpoint:1,midpoint:2,midpoint:5,midpoint:10,midpoint:20,rk4:1,rk4:2,rk4:5,dopri5"

func newFlags() *flags {
	c := cli.New("compare", "show a model beside the one that reflow made of it, in float32")
	f := &flags{Flags: modelfile.Add(c, "compared"), figures: &figures.Flags{Common: c}}
	f.StringVar(&f.reflowCheckpoint, "reflow-checkpoint", "", "the second model's weights (OUTPUT-DIR/reflow/SET/ckpt.pth)")
	f.StringVar(&f.list, "solvers", usualSolvers, "solvers of the table, METHOD:STEPS or an adaptive METHOD, with commas between")
	f.IntVar(&f.qualitySamples, "quality-samples", 20_000, "samples whose distance to the set is measured; the likelihood is that of a fifth as many points")
	f.figures.AddSamples("")
	f.film = cli.AddSolver(f.FlagSet, "the film's solver")
	f.IntVar(&f.grid, "grid-size", 15, "arrows on a side of the film's fields")
	f.IntVar(&f.frames, "frames", 101, "frames of the film")
	f.Float64Var(&f.fps, "fps", 20, "frames a second")
	f.BoolVar(&f.json, "json", false, "print one line of JSON instead of a table")
	f.AddNetwork()
	f.PrecisionHelp = "auto or fp32: compare computes in float32"
	f.AddCommon()
	return f
}

// check finds what is wrong without files and libtorch.
func (f *flags) check() (*asked, error) {
	if err := f.NoArgs(); err != nil {
		return nil, err
	}
	if err := f.Check(); err != nil {
		return nil, err
	}
	if err := f.figures.Check(); err != nil {
		return nil, err
	}
	if f.Precision == "bf16" || f.Precision == "tf32" {
		return nil, cli.Usagef("--precision %s: compare computes in float32, so that its numbers compare", f.Precision)
	}
	f.Precision = "fp32" // on a GPU without TF32 too
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
	a := &asked{}
	var err error
	if a.solver, err = f.film.Solver(); err != nil {
		return nil, err
	}
	// The table's adaptive solvers have the default tolerances: those of the
	// flags are the film's.
	a.solvers, err = cli.AddTolerances(cli.New("compare", "").FlagSet).List("--solvers", f.list)
	return a, err
}

// checkKind refuses flags that do not apply to the set.
func (f *flags) checkKind(in datasets.Info) error {
	if in.Is2D() {
		return nil
	}
	for _, n := range []string{"figure-samples", "grid-size", "frames", "fps", "quality-samples", "solvers", "json"} {
		if f.Changed(n) {
			return cli.Usagef("--%s: %s is a set of images, of which compare draws samples", n, in.Name)
		}
	}
	return nil
}
