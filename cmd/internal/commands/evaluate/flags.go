package evaluate

import (
	"strings"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/modelfile"
)

type flags struct {
	cmd        *cli.Command
	model      *modelfile.Flags
	tolerances *cli.Solver
	guidance   *modelfile.Guidance

	solvers, measures, require string
	numSamples, batchSize      int
	download                   bool
}

// Command is evaluate.
func Command() *cli.Command {
	f := newFlags()
	f.cmd.Run = f.run
	return f.cmd
}

func newFlags() *flags {
	c := &cli.Command{Name: "evaluate", About: "measure how good a trained model is, in float32", Forms: []cli.Form{
		{Line: "evaluate --dataset moons", What: "every measure of OUTPUT-DIR/cfm/moons, in a table"},
		{Line: "evaluate --dataset digits --measures as_asked --solvers midpoint:20"},
		{Line: "evaluate --checkpoint FILE --json --solvers midpoint:20 --require 'sw2<=0.07,nll<=3.8'"},
	}}
	f := &flags{cmd: c, model: modelfile.Add(c, "evaluated")}
	g := c.Group("Measures")
	g.StringVar(&f.measures, "measures", "all", "all that apply, or of "+strings.Join(measureNames(), ", "))
	g.Lists("measures", append([]string{"all"}, measureNames()...)...)
	g.StringVar(&f.require, "require", "", "bounds that must hold for every solver, as in sw2<=0.07,nll<3.8; else the status is 5")
	g.Lists("require")
	draw := c.Group("Sampling")
	cli.AddSolverList(draw, &f.solvers, "euler:1,euler:2,euler:4,euler:10,midpoint:20", "solvers to sample by")
	f.tolerances = c.AddTolerances(draw)
	f.guidance = modelfile.AddGuidance(draw, "of the samples:")
	draw.IntVar(&f.numSamples, "num-samples", 0, "samples by each solver (points 20,000, images 1,000)")
	draw.IntVar(&f.batchSize, "batch-size", 0, "samples solved together (by memory)")
	f.model.AddNetwork()
	c.Group("Model").BoolVar(&f.download, "download", false, "fetch the set's files first if they are missing")
	c.AddCommon("of the samples: auto, fp32 or bf16; auto is what sample takes; likelihoods and straightness are in float32", "print one line of JSON instead of a table")
	return f
}

// request is what the command line asks for.
type request struct {
	solvers  []cli.NamedSolver
	measures selection
	require  []requirement
}

// check finds what is wrong without files and libtorch.
func (f *flags) check() (*request, error) {
	if err := f.model.Check(); err != nil {
		return nil, err
	}
	if f.cmd.Precision == "tf32" {
		return nil, cli.Usagef("--precision tf32: evaluate draws samples in fp32 or bf16, and computes all else in float32")
	}
	a := &request{}
	var err error
	if err = f.guidance.Check(); err != nil {
		return nil, err
	}
	if a.solvers, err = f.tolerances.List("--solvers", f.solvers); err != nil {
		return nil, err
	}
	if a.measures, err = parseMeasures(f.measures); err != nil {
		return nil, err
	}
	if a.require, err = parseRequirements(f.require); err != nil {
		return nil, err
	}
	switch {
	case f.cmd.Changed("num-samples") && (f.numSamples < 2 || f.numSamples > 10_000_000):
		return nil, cli.Usagef("--num-samples %d: 2 to 10,000,000", f.numSamples)
	case f.batchSize < 0:
		return nil, cli.Usagef("--batch-size %d: at least 1", f.batchSize)
	}
	if a.measures != nil {
		chosen := map[string]bool{}
		for _, m := range a.measures {
			chosen[m] = true
		}
		return a, f.unused(chosen, true)
	}
	return a, nil
}

// unused refuses flags that none of the measures taken depends on. paths tells whether
// --num-samples may decide the paths whose straightness is measured.
func (f *flags) unused(chosen map[string]bool, paths bool) error {
	if chosen["sw2"] || chosen["as_asked"] || chosen["frechet"] {
		return nil
	}
	for _, name := range []string{"solvers", "rtol", "atol", "guidance", "guidance-interval"} {
		if f.cmd.Changed(name) {
			return cli.Usagef("--%s: nothing that is measured depends on it, as only sw2, as_asked and frechet do", name)
		}
	}
	if f.cmd.Changed("num-samples") && !(paths && chosen["straightness"]) {
		return cli.Usagef("--num-samples: nothing that is measured depends on it")
	}
	return nil
}
