package reflow

import (
	"context"
	"fmt"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/terminal"
	"flowmatch/cmd/internal/training"
	"flowmatch/flow"
	"flowmatch/trainer"
	"flowmatch/trainer/trained"
)

// record is what a round's run.json says. Of pairs that another run has drawn it says
// nothing: repeating it takes them again.
func (r *rounds) record(c trainer.Config, p *trainer.Pairs) *training.RunRecord {
	out := &training.RunRecord{Format: 1, Command: r.cmd.Name, Data: r.info.Data}
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

// rehearse prints what the first round would be, as --dry-run asks.
func (r *rounds) rehearse(ctx context.Context, teacher *trained.Model) error {
	c, w := r.config, r.session.Env.Stdout
	pairs := r.kept(1, r.roundDir(r.cmd.RunDir(r.kind(), r.info.Slug()), 1), teacher)
	c.Reflow = &pairs.Config
	if err := r.hyper.ChoosePrecision(&c, &training.Start{Device: r.device}, teacher.Config); err != nil {
		return err
	}
	if err := r.teach(pairs, teacher); err != nil {
		return err
	}
	sub := r.subject(teacher, pairs)
	left := pairs.Config.Pairs - pairs.Ready()
	if pairs.Config.Pairs > 0 { // kept ones cost a step nothing
		sub.Open = func(c trainer.Config, _ torch.Device, start int) (trainer.Source, error) {
			return &again{Source: pairs.Teacher.Fresh(c, start)}, nil
		}
	}
	if err := training.Rehearse(ctx, w, r.record(c, pairs), sub, c, r.device); err != nil {
		return err
	}
	if left > 0 {
		about := terminal.Bytes(pairs.Bytes()) + " on disk"
		if took, ok := pairs.Estimate(); ok {
			about = "about " + terminal.Duration(took) + ", and " + about
		}
		if _, err := fmt.Fprintf(w, "before that %s pairs are drawn: %s\n", terminal.Count(int64(left)), about); err != nil {
			return err
		}
	}
	if r.flags.rounds > 1 {
		_, err := fmt.Fprintf(w, "that is one of %d rounds\n", r.flags.rounds)
		return err
	}
	return nil
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
