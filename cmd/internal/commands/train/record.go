package train

import (
	"flowmatch/cmd/internal/training"
	"flowmatch/trainer"
)

// record is what run.json says of the run.
func (f *flags) record(c trainer.Config, sub *training.Subject) *training.RunRecord {
	r := &training.RunRecord{Format: 1, Command: f.cmd.Name, Earlier: c.Earlier, Data: sub.Digest()}
	r.Values, r.From = f.settings.Resolved(f.cmd.Flags(), c, sub.Info, sub.Network)
	r.PutDefaults(f.cmd.Flags(), "path", "coupling", "times", "time-power") // which a configuration leaves out where they are the usual ones
	return r
}
