package train

import (
	"context"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/training"
	"flowmatch/trainer"
)

// record is what run.json says of the run.
func (f *flags) record(c trainer.Config, sub *training.Subject) *training.RunRecord {
	r := &training.RunRecord{Format: 1, Command: f.cmd.Name, Data: sub.Info.Data}
	r.Values, r.From = f.settings.Resolved(f.cmd.Flags(), c, sub.Info, sub.Network)
	return r
}

// rehearse prints what a run would be, as --dry-run asks.
func (f *flags) rehearse(ctx context.Context, env cli.Env, sub *training.Subject, c trainer.Config, d torch.Device) error {
	start := &training.Start{Device: d}
	if err := f.hyper.ChoosePrecision(&c, start, sub.Network); err != nil {
		return err
	}
	f.init.Begin(start, sub, &c)
	return training.Rehearse(ctx, env.Stdout, f.record(c, sub), sub, c, d)
}
