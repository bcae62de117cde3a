package training

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/snapshots"
	"flowmatch/trainer"
)

// Pictures are the flags of pictures on the way.
type Pictures struct {
	asked string // "auto", or steps
	every int    // 0: as asked says
	off   *bool
}

const (
	progressEvery = "progress-every"
	byItself      = "auto"
)

// AddPictures adds the flag to a group. off is the flag that turns all pictures off.
func AddPictures(g *cli.Group, off *bool) *Pictures {
	p := &Pictures{off: off}
	g.StringVar(&p.asked, progressEvery, byItself,
		"steps between pictures of what is learnt so far, from the same noise, in the run's folder progress; 0 is none, auto one at the end and up to nine on the way, in a twentieth of the time")
	g.Values(progressEvery, "N", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return []string{byItself, "0"}, cobra.ShellCompDirectiveNoFileComp
	})
	return p
}

// Check finds what is wrong with the flag.
func (p *Pictures) Check() error {
	if p.asked == byItself {
		return nil
	}
	var err error
	p.every, err = strconv.Atoi(p.asked)
	switch {
	case err != nil:
		return cli.Usagef("--%s %.60q: a number of steps, or auto", progressEvery, p.asked)
	case p.every < 0:
		return cli.Usagef("--%s %d: at least 1, 0 for none, or auto", progressEvery, p.every)
	case p.every > 0 && *p.off:
		return cli.Usagef("--%s and --no-figures exclude each other", progressEvery)
	}
	return nil
}

// observer draws the pictures of a run; nil where there are none.
func (p *Pictures) observer(ctx context.Context, c trainer.Config, sub *Subject, start *Start, name string, total int) *snapshots.Observer {
	if p == nil || *p.off || p.asked != byItself && p.every == 0 {
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
