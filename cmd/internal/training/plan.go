package training

import (
	"fmt"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/terminal"
	"flowmatch/datasets"
	"flowmatch/trainer"
	"flowmatch/trainer/recipe"
)

// Plan settles the length of a run. One that starts has the plans of the run that it
// repeats; one that goes on what was planned, or more where the command asks for more.
func (r *Stops) Plan(s *Start, c *trainer.Config, in datasets.Info) error {
	err := r.plan(s, c, in)
	end := c.Iterations
	if r.MaxSteps > 0 {
		end = min(end, r.MaxSteps)
	}
	s.done = s.From != nil && s.Step() >= end
	return err
}

func (r *Stops) plan(s *Start, c *trainer.Config, in datasets.Info) error {
	if s.From == nil {
		note, err := r.Settings.repeatPlans(c)
		if note != "" {
			s.Notes = append(s.Notes, note)
		}
		return err
	}
	was := s.From.Record.Training.Configuration
	c.Earlier = was.Earlier
	asked := c.Iterations
	if asked == was.Iterations {
		return nil
	}
	if recipe.For(in).WarmupShare > 0 && !r.cmd.Changed("warmup") {
		c.Warmup = was.Warmup // by itself it follows the length
	}
	switch {
	case !r.asksForLength(s):
		c.Iterations = was.Iterations
		s.Notes = append(s.Notes, fmt.Sprintf("the planned length stays %s; a larger --iterations makes it longer", terminal.Counted(was.Iterations, "step")))
	case asked > was.Iterations:
		c.Iterations = was.Iterations
		*c = c.Longer(asked)
		s.longer = true
		s.Notes = append(s.Notes, longer(was, *c))
	default:
		return r.fewer(asked, was.Iterations, s.Step())
	}
	return nil
}

// fewer refuses a plan of fewer steps than the run has: its schedule is that of its length.
func (r *Stops) fewer(asked, planned, done int) error {
	what := fmt.Sprintf("--iterations %d", asked)
	if r.Settings.ByHand(r.cmd, "epochs") {
		what = fmt.Sprintf("--epochs, %s", terminal.Counted(asked, "step"))
	}
	how := "leave it out"
	if asked > done {
		how = fmt.Sprintf("--max-steps %d stops there", asked)
	}
	return cli.Usagef("%s: the run is planned for %s, and has done %s; only a larger number makes it longer; %s",
		what, terminal.Counted(planned, "step"), count(done), how)
}

// repeatPlans gives a run that --config repeats the plans of one that was made longer, so
// that its cosine begins again where that one's did. The note says what else it is where
// the length is another one.
func (s *Settings) repeatPlans(c *trainer.Config) (note string, err error) {
	if s == nil || len(s.earlier) == 0 || c.Schedule != "cosine" {
		return "", nil
	}
	if s.from["iterations"] != fromConfig {
		return fmt.Sprintf("the run of %s was made longer, after %s planned steps; this one is planned for %s from the start, in one cosine",
			s.Config, counts(s.earlier), count(c.Iterations)), nil
	}
	c.Earlier = s.earlier
	if err := c.Check(); err != nil {
		return "", cli.Usagef("--config %s: %v", s.Config, err)
	}
	return fmt.Sprintf("the run of %s was made longer, after %s planned steps: the cosine begins again there", s.Config, counts(s.earlier)), nil
}

// counts lists numbers of steps: "2,000 and 4,000".
func counts(steps []int) string {
	text := ""
	for i, n := range steps {
		switch {
		case i > 0 && i == len(steps)-1:
			text += " and "
		case i > 0:
			text += "; "
		}
		text += count(n)
	}
	return text
}

// asksForLength tells whether the length is one that the user means. A number of passes
// over a set that has changed is another number of steps, which nobody has asked for.
func (r *Stops) asksForLength(s *Start) bool {
	given := func(flag string) bool { return r.Settings.ByHand(r.cmd, flag) }
	return given("iterations") || given("epochs") && len(s.before) == 0
}

// longer says what becomes of the learning rate.
func longer(was, now trainer.Config) string {
	to := fmt.Sprintf("the run is made longer, from %s to %s: ", terminal.Counted(was.Iterations, "planned step"), count(now.Iterations))
	if len(now.Earlier) == 0 {
		return to + fmt.Sprintf("the learning rate stays %g", now.LearningRate)
	}
	return to + fmt.Sprintf("the cosine ends at step %s, then begins again at %g, over %s more",
		count(was.Iterations), now.LearningRate, terminal.Counted(now.Iterations-was.Iterations, "step"))
}

func count(steps int) string { return terminal.Count(int64(steps)) }
