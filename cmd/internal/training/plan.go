package training

import (
	"fmt"

	"flowmatch/cmd/internal/terminal"
	"flowmatch/datasets"
	"flowmatch/trainer"
	"flowmatch/trainer/recipe"
)

// Plan settles the length of a run that goes on: what was planned, or more where the
// command asks for more. Fewer steps are left to Same, which refuses them.
func (r *Stops) Plan(s *Start, c *trainer.Config, in datasets.Info) {
	if s.From == nil {
		return
	}
	was := s.From.Record.Training.Configuration
	c.Earlier = was.Earlier
	asked := c.Iterations
	if asked == was.Iterations {
		return
	}
	if recipe.For(in).WarmupShare > 0 && !r.cmd.Changed("warmup") {
		c.Warmup = was.Warmup // by itself it follows the length
	}
	switch {
	case !r.asksForLength(s):
		c.Iterations = was.Iterations
		s.Notes = append(s.Notes, fmt.Sprintf("the planned length stays %s steps; a larger --iterations makes it longer", count(was.Iterations)))
	case asked > was.Iterations:
		c.Iterations = was.Iterations
		*c = c.Longer(asked)
		s.longer = true
		s.Notes = append(s.Notes, longer(was, *c))
	}
}

// asksForLength tells whether the length is one that the user means. A number of passes
// over a set that has changed is another number of steps, which nobody has asked for.
func (r *Stops) asksForLength(s *Start) bool {
	given := func(flag string) bool { return r.Settings.ByHand(r.cmd, flag) }
	return given("iterations") || given("epochs") && len(s.before) == 0
}

// longer says what becomes of the learning rate.
func longer(was, now trainer.Config) string {
	to := fmt.Sprintf("the run is made longer, from %s planned steps to %s: ", count(was.Iterations), count(now.Iterations))
	if len(now.Earlier) == 0 {
		return to + fmt.Sprintf("the learning rate stays %g", now.LearningRate)
	}
	return to + fmt.Sprintf("the cosine ends at step %s, then begins again at %g over the %s steps that are added",
		count(was.Iterations), now.LearningRate, count(now.Iterations-was.Iterations))
}

func count(steps int) string { return terminal.Count(int64(steps)) }
