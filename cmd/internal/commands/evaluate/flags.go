package evaluate

import (
	"strings"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/modelfile"
)

type flags struct {
	*modelfile.Flags
	tolerances *cli.Solver
	guidance   *modelfile.Guidance

	solvers, measures, require string
	numSamples, batchSize      int
	json, download             bool
}

func init() {
	cli.Forms["evaluate"] = `evaluate --dataset moons                        every measure of OUTPUT-DIR/cfm/moons, in a table
evaluate --dataset digits --measures as_asked --solvers midpoint:20
evaluate --checkpoint FILE --json --solvers midpoint:20 --require 'sw2<=0.07,nll<=3.8'`
}

func newFlags() *flags {
	f := &flags{Flags: modelfile.Add(cli.New("evaluate", "measure how good a trained model is, in float32"), "evaluated")}
	f.StringVar(&f.measures, "measures", "all", "all that apply, or of "+strings.Join(measureNames(), ", "))
	f.StringVar(&f.solvers, "solvers", "euler:1,euler:2,euler:4,euler:10,midpoint:20", "solvers to sample by, METHOD:STEPS or an adaptive METHOD, with commas between")
	f.tolerances = cli.AddTolerances(f.FlagSet)
	f.guidance = modelfile.AddGuidance(f.Common, "of the samples:")
	f.IntVar(&f.numSamples, "num-samples", 0, "samples by each solver (points 20,000, images 1,000)")
	f.StringVar(&f.require, "require", "", "bounds that must hold for every solver, as in sw2<=0.07,nll<3.8; else the status is 5")
	f.BoolVar(&f.json, "json", false, "print one line of JSON instead of a table")
	f.IntVar(&f.batchSize, "batch-size", 0, "samples solved together (by memory)")
	f.AddNetwork()
	f.BoolVar(&f.download, "download", false, "fetch the set's files first if they are missing")
	f.PrecisionHelp = "auto or fp32: evaluate computes in float32"
	f.AddCommon()
	return f
}

// asked is what the command line asks for.
type asked struct {
	solvers  []cli.NamedSolver
	measures selection
	require  []requirement
}

// check finds what is wrong without files and libtorch.
func (f *flags) check() (*asked, error) {
	if err := f.NoArgs(); err != nil {
		return nil, err
	}
	if err := f.Check(); err != nil {
		return nil, err
	}
	if f.Precision == "bf16" || f.Precision == "tf32" {
		return nil, cli.Usagef("--precision %s: evaluate computes in float32, so that its numbers compare", f.Precision)
	}
	f.Precision = "fp32" // on a GPU without TF32 too
	a := &asked{}
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
	case f.Changed("num-samples") && (f.numSamples < 2 || f.numSamples > 10_000_000):
		return nil, cli.Usagef("--num-samples %d: 2 to 10,000,000", f.numSamples)
	case f.batchSize < 0:
		return nil, cli.Usagef("--batch-size %d: at least 1", f.batchSize)
	}
	if a.measures != nil {
		taken := map[string]bool{}
		for _, m := range a.measures {
			taken[m] = true
		}
		return a, f.unused(taken, false)
	}
	return a, nil
}

// unused refuses flags that none of the measures taken depends on, of points or
// of a set whose kind is not known yet.
func (f *flags) unused(taken map[string]bool, points bool) error {
	if taken["sw2"] || taken["as_asked"] || taken["frechet"] {
		return nil
	}
	for _, name := range []string{"solvers", "rtol", "atol", "guidance", "guidance-interval"} {
		if f.Changed(name) {
			return cli.Usagef("--%s: nothing that is measured depends on it, as only sw2, as_asked and frechet do", name)
		}
	}
	if f.Changed("num-samples") && (points || !taken["straightness"]) {
		return cli.Usagef("--num-samples: nothing that is measured depends on it")
	}
	return nil
}
