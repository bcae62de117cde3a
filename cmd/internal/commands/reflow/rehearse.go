package reflow

import (
	"context"
	"path/filepath"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/training"
	"flowmatch/flow"
	"flowmatch/trainer"
	"flowmatch/trainer/trained"
)

// record is what a round's run.json says. Of pairs that another run has drawn it says
// nothing: repeating it takes them again.
func (r *rounds) record(c trainer.Config, p *trainer.Pairs) *training.RunRecord {
	out := &training.RunRecord{Format: 1, Command: r.cmd.Name, Earlier: c.Earlier, Data: r.info.Data}
	flags := r.cmd.Flags()
	c.Reflow = nil // which its flags tell
	out.Values, out.From = r.settings.Resolved(flags, c, r.info, nil)
	out.PutDefaults(flags, "rounds")
	if r.distill {
		out.Leave("stratified-times") // at t = 0 alone nothing is to be spread
	}
	if p.Borrowed {
		out.Leave("seed") // another one is of other pairs
		return out
	}
	solver := []string{"method", "steps"}
	if flow.IsAdaptive(flags.Lookup("method").Value.String()) {
		solver = []string{"method", "rtol", "atol"}
	}
	out.PutDefaults(flags, append(solver, "guidance", "pairs")...)
	return out
}

// rehearse prints what the first round would be that is not done, as --dry-run asks.
func (r *rounds) rehearse(ctx context.Context, dir string, teacher *trained.Model) error {
	for n := 1; ; n++ {
		at := r.roundDir(dir, n)
		start, err := r.stops.Look(at, r.device)
		if err != nil {
			return err
		}
		c, pairs, err := r.settle(n, at, teacher, start)
		if err != nil {
			return err
		}
		if n == r.rounds || start.Step() < c.Iterations {
			return r.rehearseRound(ctx, n, teacher, c, pairs, start)
		}
		if teacher, err = r.model.At(filepath.Join(at, trainer.CheckpointFile), teacher.Info); err != nil {
			return err
		}
	}
}

func (r *rounds) rehearseRound(ctx context.Context, n int, teacher *trained.Model, c trainer.Config, pairs *trainer.Pairs, start *training.Start) error {
	sub := r.subject(teacher, pairs)
	left := pairs.Config.Pairs - pairs.Ready()
	if left > 0 && pairs.Borrowed && start.Step() < c.Iterations { // they are not drawn: what is missing is told
		if err := pairs.Load(ctx, func(int, int) {}, func(string) {}); err != nil {
			return err
		}
	}
	if pairs.Config.Pairs > 0 { // kept ones cost a step nothing
		sub.Open = func(c trainer.Config, _ torch.Device, start int) (trainer.Source, error) {
			return &again{Source: pairs.Teacher.Fresh(c, start)}, nil
		}
	}
	out, err := r.session.Rehearse(ctx, r.record(c, pairs), c, sub, start)
	if err != nil {
		return err
	}
	out.Round, out.Rounds = n, r.rounds
	if left > 0 && start.Step() < c.Iterations {
		out.Pairs, out.PairsBytes = left, pairs.Bytes()
		if took, ok := pairs.Estimate(); ok {
			seconds := took.Seconds()
			out.PairsSeconds = &seconds
		}
	}
	return out.Print(r.cmd, r.session.Env)
}

// again is a source that gives its first batch again and again.
type again struct {
	trainer.Source
	batch trainer.Batch
	have  bool
}

func (a *again) Batch() (trainer.Batch, error) {
	if a.have {
		return a.batch, nil
	}
	var err error
	torch.Outside(func() { // the scope of a step
		torch.Scoped(func() {
			if a.batch, err = a.Source.Batch(); err != nil {
				return
			}
			for _, t := range []torch.Tensor{a.batch.X1, a.batch.X0, a.batch.Y} {
				if t.T != nil {
					torch.Keep(t)
				}
			}
			a.have = true
		})
	})
	return a.batch, err
}

func (a *again) Waited() time.Duration { return 0 }
