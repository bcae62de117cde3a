package training

import (
	"context"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/snapshots"
	"flowmatch/trainer"
)

// Pictures are the flags of pictures on the way.
type Pictures struct {
	every int
	cmd   *cli.Command
	off   *bool
}

const progressEvery = "progress-every"

// AddPictures adds the flag to a group. off is the flag that turns all pictures off.
func AddPictures(c *cli.Command, g *cli.Group, off *bool) *Pictures {
	p := &Pictures{cmd: c, off: off}
	g.IntVar(&p.every, progressEvery, 0,
		"steps between pictures of what is learnt so far, from the same noise, in the run's folder progress; 0 is none (one at the end, and up to nine on the way, in a twentieth of the time)")
	return p
}

// Check finds what is wrong with the flag.
func (p *Pictures) Check() error {
	switch {
	case p.every < 0:
		return cli.Usagef("--%s %d: at least 1, or 0 for none", progressEvery, p.every)
	case p.every > 0 && *p.off:
		return cli.Usagef("--%s and --no-figures exclude each other", progressEvery)
	}
	return nil
}

// observer draws the pictures of a run; nil where there are none.
func (p *Pictures) observer(ctx context.Context, c trainer.Config, sub *Subject, start *Start, name string, total int) *snapshots.Observer {
	if p == nil || *p.off || p.cmd.Changed(progressEvery) && p.every == 0 {
		return nil
	}
	step := c.BatchSize * c.Accumulate
	model := snapshots.Model{
		Info: sub.Info, Network: sub.Network, Device: start.Device, Seed: c.Seed, Trained: step * c.Iterations,
		OneStep: c.Reflow != nil && c.Reflow.Distill,
	}
	return &snapshots.Observer{
		Run: start.Dir, Name: name, Painter: model.Painter(), Total: total, Batch: step, Every: p.every, Context: ctx, Held: start.Held,
	}
}
