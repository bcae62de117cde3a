package reflow

import (
	"fmt"
	"path/filepath"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/figures"
	"flowmatch/cmd/internal/kinds"
	"flowmatch/cmd/internal/modelfile"
	"flowmatch/cmd/internal/training"
	"flowmatch/flow"
	"flowmatch/trainer"
	"flowmatch/trainer/trained"
)

type flags struct {
	cmd      *cli.Command
	model    *modelfile.Flags
	hyper    *training.Hyper
	stops    *training.Stops
	solver   *cli.Solver
	guidance *modelfile.Guidance
	figures  *figures.Flags
	pictures *training.Pictures
	settings training.Settings

	rounds, pairs int
	distill       bool
}

// Command is reflow.
func Command() *cli.Command {
	f := newFlags()
	f.cmd.Run = f.run
	return f.cmd
}

func newFlags() *flags {
	c := &cli.Command{Name: "reflow", Saves: true, About: "straighten a trained model's paths, so that few steps are enough", Forms: []cli.Form{
		{Line: "reflow --preset checkerboard", What: "a minute, after train --dataset checkerboard; --preset help lists others"},
		{Line: "reflow --dataset checkerboard", What: "straighten the model that train made"},
		{Line: "reflow --dataset mnist --pairs 20000", What: "on pairs drawn once and kept"},
		{Line: "reflow --dataset mnist --distill", What: "then a student of one step, on the same pairs"},
	}}
	f := &flags{cmd: c}
	f.settings.Add(c.Group("Settings"), training.Reflow)
	f.model = modelfile.Add(c, "the teacher")
	pairs := c.Group("Pairs of the teacher")
	pairs.IntVar(&f.pairs, "pairs", 0, "the teacher's pairs, drawn once and kept; 0 draws fresh ones for every step (points 0, images 20,000)")
	pairs.IntVar(&f.rounds, "rounds", 1, "rounds; the student of one is the teacher of the next")
	pairs.BoolVar(&f.distill, "distill", false, "learn the whole way in one step, starting from --checkpoint or the reflow run")
	f.solver = c.AddSolver(pairs, "the teacher's solver")
	f.guidance = modelfile.AddGuidance(pairs, "the teacher's, in the first round:")
	f.hyper = training.AddHyper(c, training.Reflow)
	f.stops = training.AddStops(c)
	f.stops.Settings = &f.settings
	f.figures = figures.AddFlags(c)
	f.pictures = training.AddPictures(c.Group(figures.FlagsTitle), &f.figures.Off)
	f.model.AddNetwork()
	c.AddCommon("auto, fp32, tf32 (GPUs) or bf16; auto trains in bf16 where its products are the faster ones (points on a GPU: tf32), and the teacher computes in float32",
		"print lines of JSON instead of paths: one of each round, then a summary")
	c.AddNoGraph()
	return f
}

// notFor are flags that mean nothing for a kind of set, and that no other place refuses.
var notFor = kinds.Each[[]string]{Images: []string{"figure-samples"}}

// check finds what is wrong without files and libtorch.
func (f *flags) check() (flow.Solver, error) {
	if err := f.model.Check(); err != nil {
		return nil, err
	}
	if err := f.stops.Check(); err != nil {
		return nil, err
	}
	if err := f.figures.Check(); err != nil {
		return nil, err
	}
	if err := f.pictures.Check(); err != nil {
		return nil, err
	}
	if err := f.hyper.CheckFlags(); err != nil {
		return nil, err
	}
	if err := f.guidance.Check(); err != nil {
		return nil, err
	}
	switch {
	case f.distill && f.cmd.Changed("stratified-times"):
		return nil, cli.Usagef("--stratified-times: a student of one step is trained at t = 0 alone")
	case f.pairs > 100_000_000:
		return nil, cli.Usagef("--pairs %d: at most 100 million", f.pairs)
	case f.rounds < 1 || f.rounds > 100:
		return nil, cli.Usagef("--rounds %d: 1 to 100", f.rounds)
	case f.pairs < 0:
		return nil, cli.Usagef("--pairs %d: at least 1, or 0 for fresh ones at every step", f.pairs)
	case f.distill && f.rounds > 1:
		return nil, cli.Usagef("--distill comes after the rounds: run reflow --rounds %d first, then --distill", f.rounds)
	case f.rounds > 1 && (f.stops.ResumeFrom != "" || f.stops.MaxSteps > 0):
		return nil, cli.Usagef("--resume-from and --max-steps are of one round: leave --rounds out")
	}
	return f.solver.Solver()
}

// kind is the folder of the results.
func (f *flags) kind() string {
	if f.distill {
		return "distill"
	}
	return "reflow"
}

// openTeacher reads the model that makes the first round's pairs. The student
// starts from it.
func (f *flags) openTeacher() (*trained.Model, error) {
	if f.distill {
		return f.model.Open("reflow")
	}
	return f.model.Open("cfm")
}

// roundDir is the folder of a round: the last one's is the command's own.
func (f *flags) roundDir(dir string, round int) string {
	if round == f.rounds {
		return dir
	}
	return filepath.Join(dir, fmt.Sprintf("round-%d", round))
}

// guard refuses to disturb a run.
func (f *flags) guard(dir string) error {
	for round := 1; round <= f.rounds; round++ {
		if err := f.stops.Guard(f.roundDir(dir, round)); err != nil && !f.settings.Untouched(f.stops) {
			return err
		}
	}
	if f.stops.Fresh || !f.cmd.Changed("rounds") || !trainer.HoldsRun(dir) {
		return nil
	}
	s, _, _, err := trainer.Newest(dir)
	if err != nil {
		return err
	}
	if r := s.Record.Training.Configuration.Reflow; r != nil && r.Round != f.rounds {
		return cli.Usagef("%s holds a run of --rounds %d: give that, or start anew with --fresh", dir, r.Round)
	}
	return nil
}

// freshen moves all rounds aside, as --fresh asks.
func (f *flags) freshen(dir string, say func(string, ...any)) error {
	for round := 1; round <= f.rounds; round++ {
		at := f.roundDir(dir, round)
		if !trainer.HoldsRun(at) {
			continue
		}
		free, err := trainer.OpenFolder(at, 2)
		if err != nil {
			return err // another process trains there
		}
		free.Close()
		to, err := trainer.MoveAside(dir)
		if err != nil {
			return err
		}
		say("note: the old run is now in %s", to)
		return nil
	}
	return nil
}
