package compare

import (
	"fmt"
	"path/filepath"

	"flowmatch/cmd/internal/terminal"
	"flowmatch/trainer"
	"flowmatch/trainer/trained"
)

// name is that of a model by what made it. usual is of one whose file does not say.
func name(m *trained.Model, usual string) string {
	r := m.Checkpoint.Record
	switch {
	case r == nil:
		return usual
	case r.Training.Configuration.Reflow == nil:
		return "flow matching"
	case r.Training.Configuration.Reflow.Round > 1:
		return fmt.Sprintf("rectified %d times", r.Training.Configuration.Reflow.Round)
	}
	return "rectified"
}

// namesOf are those of two models, as they are shown.
func namesOf(models [2]*trained.Model) [2]string {
	a, b := name(models[0], "flow matching"), name(models[1], "rectified")
	if a == b {
		a, b = a+", first", b+", second"
	}
	return [2]string{a, b}
}

// taught tells whether the second model comes of the first by reflow, through the rounds in
// the folder of its run where there were several. It is nil where nobody can tell.
func taught(first, second *trained.Model) *bool {
	if first.Checkpoint.Record == nil || second.Checkpoint.Record == nil {
		return nil
	}
	yes, no := true, false
	wanted, of := trainer.Fingerprint(first.Checkpoint.Tensors), second.Checkpoint
	for {
		r := of.Record.Training.Configuration.Reflow
		switch {
		case r == nil:
			return &no
		case r.Teacher == wanted:
			return &yes
		case r.Round <= 1:
			return &no
		}
		before, err := trainer.ReadCheckpoint(filepath.Join(filepath.Dir(second.Checkpoint.Path), fmt.Sprintf("round-%d", r.Round-1), trainer.CheckpointFile))
		if err != nil || before.Record == nil || trainer.Fingerprint(before.Tensors) != r.Teacher {
			return nil
		}
		of = before
	}
}

// begin tells which models are compared, and where the pictures go.
func (c *comparison) begin() {
	a, b := c.models[0], c.models[1]
	together := ""
	if c.taught != nil && *c.taught {
		together = ", which the first one taught"
	}
	c.cmd.Say("comparing %s with %s%s; pictures go to %s", c.about(0), c.about(1), together, terminal.Whole(c.dir+string(filepath.Separator)))
	if c.taught != nil && !*c.taught {
		c.cmd.Note("%s did not come of %s by reflow: what differs is not reflow's doing alone; reflow --checkpoint %s makes one that does",
			terminal.Whole(b.Checkpoint.Path), terminal.Whole(a.Checkpoint.Path), terminal.Whole(a.Checkpoint.Path))
	}
}

// about says which model it is.
func (c *comparison) about(k int) string {
	said, r := c.names[k], c.models[k].Checkpoint.Record
	if r != nil {
		said += fmt.Sprintf(", after %s", terminal.Counted(r.Training.Step, "step"))
	}
	return fmt.Sprintf("%s (%s)", terminal.Whole(c.models[k].Checkpoint.Path), said)
}
