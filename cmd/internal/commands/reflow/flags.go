package reflow

import (
	"fmt"
	"path/filepath"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/figures"
	"flowmatch/cmd/internal/modelfile"
	"flowmatch/cmd/internal/training"
	"flowmatch/flow"
	"flowmatch/trainer"
)

type flags struct {
	*cli.Common
	*modelfile.Flags
	*training.Hyper
	*training.Resume
	solver   *cli.Solver
	guidance *modelfile.Guidance
	figures  *figures.Flags

	rounds, pairs int
	distill       bool
}

func init() {
	cli.Forms["reflow"] = `reflow --dataset checkerboard             straighten the model that train made
reflow --dataset mnist --pairs 20000      on pairs drawn once and kept
reflow --dataset mnist --distill          then a student of one step, on the same pairs`
}

func newFlags() *flags {
	c := cli.New("reflow", "straighten a trained model's paths, so that few steps are enough")
	f := &flags{Common: c, Flags: modelfile.Add(c, "the teacher")}
	f.solver = cli.AddSolver(c.FlagSet, "the teacher's solver")
	f.guidance = modelfile.AddGuidance(c, "the teacher's, in the first round:")
	f.IntVar(&f.pairs, "pairs", 0, "the teacher's pairs, drawn once and kept; 0 draws fresh ones for every step (points 0, images 20,000)")
	f.IntVar(&f.rounds, "rounds", 1, "rounds; the student of one is the teacher of the next")
	f.BoolVar(&f.distill, "distill", false, "learn the whole way in one step, starting from --checkpoint or the reflow run")
	f.Hyper = training.AddHyper(c, training.Reflow)
	f.Resume = training.AddResume(c)
	f.figures = figures.AddFlags(c)
	f.AddNetwork()
	f.PrecisionHelp = "auto, fp32, tf32 (GPUs) or bf16; auto trains in bf16 where there are instructions for it (points on a GPU: tf32), and the teacher computes in float32"
	f.AddCommon()
	return f
}

// check finds what is wrong without files and libtorch.
func (f *flags) check() (flow.Solver, error) {
	if err := f.NoArgs(); err != nil {
		return nil, err
	}
	if err := f.Flags.Check(); err != nil {
		return nil, err
	}
	if err := f.Resume.Check(); err != nil {
		return nil, err
	}
	if err := f.figures.Check(); err != nil {
		return nil, err
	}
	if err := f.CheckFlags(); err != nil {
		return nil, err
	}
	if err := f.guidance.Check(); err != nil {
		return nil, err
	}
	switch {
	case f.distill && f.Changed("stratified-times"):
		return nil, cli.Usagef("--stratified-times: a student of one step is trained at t = 0 alone")
	case f.pairs > 100_000_000:
		return nil, cli.Usagef("--pairs %d: at most 100 million", f.pairs)
	case f.rounds < 1 || f.rounds > 100:
		return nil, cli.Usagef("--rounds %d: 1 to 100", f.rounds)
	case f.pairs < 0:
		return nil, cli.Usagef("--pairs %d: at least 1, or 0 for fresh ones at every step", f.pairs)
	case f.distill && f.rounds > 1:
		return nil, cli.Usagef("--distill comes after the rounds: run reflow --rounds %d first, then --distill", f.rounds)
	case f.rounds > 1 && (f.ResumeFrom != "" || f.MaxSteps > 0):
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
func (f *flags) openTeacher() (*modelfile.Model, error) {
	if f.distill {
		return f.Flags.Open("reflow")
	}
	return f.Flags.Open("cfm")
}

// roundDir is the folder of a round: the last one's is the command's own.
func (f *flags) roundDir(dir string, round int) string {
	if round == f.rounds {
		return dir
	}
	return filepath.Join(dir, fmt.Sprintf("round-%d", round))
}

// guard refuses to disturb a run. With --fresh it moves all rounds aside.
func (f *flags) guard(dir string, say func(string, ...any)) error {
	for round := 1; round <= f.rounds; round++ {
		if err := f.Guard(f.roundDir(dir, round)); err != nil {
			return err
		}
	}
	if f.Fresh {
		for round := 1; round <= f.rounds; round++ {
			if at := f.roundDir(dir, round); trainer.HoldsRun(at) {
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
				break
			}
		}
	}
	if !f.Changed("rounds") || !trainer.HoldsRun(dir) {
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
