package training

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/terminal"
	"flowmatch/models"
	"flowmatch/trainer"
	"flowmatch/trainer/recipe"
)

// Rehearsal is what Train would do, as --dry-run tells it.
type Rehearsal struct {
	Values     map[string]json.RawMessage `json:"values"`
	From       map[string]string          `json:"from"`
	About      string                     `json:"data"`
	Parameters int64                      `json:"parameters"`
	Steps      int                        `json:"steps"`             // that are planned
	After      int                        `json:"after"`             // steps that are done already
	To         int                        `json:"to"`                // the last one that would be done
	Seconds    *float64                   `json:"seconds,omitempty"` // by the time of a few steps
	Resident   int64                      `json:"peak_bytes"`        // of the process
	GPU        int64                      `json:"peak_gpu_bytes"`    // of tensors, 0 on a processor

	// Pairs are those that reflow draws before, 0 for none; then it is round Round of Rounds.
	Pairs        int      `json:"pairs,omitempty"`
	PairsSeconds *float64 `json:"pairs_seconds,omitempty"`
	PairsBytes   int64    `json:"pairs_bytes,omitempty"`
	Round        int      `json:"round,omitempty"`
	Rounds       int      `json:"rounds,omitempty"`

	goesOn bool
	warmup string // where it comes from, for people
}

// Rehearse finds out what Train would do: from which step to which it would go, and what
// that costs by a few steps in memory.
func (s Session) Rehearse(ctx context.Context, r *RunRecord, c trainer.Config, sub *Subject, start *Start) (*Rehearsal, error) {
	torch.ManualSeed(c.Seed)
	net, err := sub.Build()
	if err != nil {
		return nil, err
	}
	out := &Rehearsal{
		Values: r.Values, From: r.From, About: sub.About, Parameters: models.Count(net), Steps: c.Iterations,
		After: start.Step(), To: s.end(c, start), goesOn: start.From != nil, warmup: r.warmup(c, sub),
	}
	s.tell(start)
	if out.nothingLeft() {
		return out, nil
	}
	net.To(start.Device)
	var last trainer.Progress
	run := trainer.Run{Config: c, Network: net, Open: sub.Open, Device: start.Device, MaxSteps: trainer.TimedSteps, Interval: time.Nanosecond,
		Observers: []trainer.Observer{trainer.Watch(func(l trainer.Look) { last = l.Progress })}}
	if _, err := run.Train(ctx, nil); err != nil {
		return nil, err
	}
	if last.Timed {
		seconds := float64(out.To-out.After) / last.StepsPerSecond
		out.Seconds = &seconds
	}
	out.Resident, out.GPU = PeakMemory(start.Device)
	return out, nil
}

// Print tells it on w, and which command comes next: the same one in earnest.
func (r *Rehearsal) Print(cmd *cli.Command, env cli.Env) error {
	if cmd.JSON {
		return cli.WriteJSON(env.Stdout, r)
	}
	page := terminal.NewPage(env.Stdout)
	settings := terminal.Table{
		Columns: []terminal.Column{{Title: "setting"}, {Title: "value"}, {Title: "from"}},
		Line:    func(row []string) string { return fmt.Sprintf("%s %s (%s)", row[0], row[1], row[2]) },
	}
	for _, name := range slices.Sorted(maps.Keys(r.Values)) {
		from := r.From[name]
		if name == "warmup" {
			from = r.warmup
		}
		settings.Rows = append(settings.Rows, []string{name, string(r.Values[name]), from})
	}
	page.Table(settings)
	if r.nothingLeft() {
		page.Linef("%s; nothing was written", nothingLeft(r.After, r.Steps))
		r.ofRounds(page)
		return page.Flush()
	}
	page.Linef("%s; %s", r.About, terminal.Counted(r.Parameters, "parameter"))
	switch {
	case r.goesOn:
		page.Linef("the run goes on after step %s, to step %s", count(r.After), count(r.To))
	case r.To < r.Steps:
		page.Linef("the run stops after step %s of %s", count(r.To), count(r.Steps))
	}
	if r.Seconds != nil {
		page.Linef("%s about %s, by the time of a few steps here and now", stepsTake(r.To-r.After), terminal.Duration(seconds(*r.Seconds)))
	}
	memory := terminal.Bytes(r.Resident)
	if r.GPU > 0 {
		memory += fmt.Sprintf(" and %s on the GPU", terminal.Bytes(r.GPU))
	}
	page.Linef("memory: %s, the most that these steps held; nothing was written", memory)
	if r.Pairs > 0 {
		about := terminal.Bytes(r.PairsBytes) + " on disk"
		if r.PairsSeconds != nil {
			about = "about " + terminal.Duration(seconds(*r.PairsSeconds)) + ", and " + about
		}
		page.Linef("%s drawn before that: %s", terminal.Counted(r.Pairs, "pair"), about)
	}
	r.ofRounds(page)
	if err := page.Flush(); err != nil {
		return err
	}
	words := slices.DeleteFunc(slices.Clone(env.Args), func(w string) bool { return w == "--dry-run" || w == "--dry_run" })
	cmd.Next(append([]string{"bin/" + cmd.Name}, words...)...)
	return nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func (r *Rehearsal) ofRounds(page *terminal.Page) {
	if r.Rounds > 1 {
		page.Linef("that is round %d of %d", r.Round, r.Rounds)
	}
}

// nothingLeft tells whether the run has come to its end already.
func (r *Rehearsal) nothingLeft() bool { return r.goesOn && r.After >= r.To }

// warmup says where the warm-up comes from: by a recipe it may follow the length.
func (r *RunRecord) warmup(c trainer.Config, sub *Subject) string {
	from := r.From["warmup"]
	if rule := recipe.For(sub.Info); from == fromRecipe && rule.WarmupShare > 0 && c.Recipe == rule.Config.Recipe {
		from += fmt.Sprintf(": one in %d steps, at most %d", rule.WarmupShare, rule.Config.Warmup)
	}
	return from
}
