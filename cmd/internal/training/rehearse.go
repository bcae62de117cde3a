package training

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/terminal"
	"flowmatch/models"
	"flowmatch/trainer"
	"flowmatch/trainer/recipe"
)

// Rehearse prints what Train would do, as --dry-run asks: the run's values, from which step
// to which it would go, and what that costs by a few steps in memory.
func (s Session) Rehearse(ctx context.Context, r *RunRecord, c trainer.Config, sub *Subject, start *Start) error {
	w := s.Env.Stdout
	if err := r.table(w, c, sub); err != nil {
		return err
	}
	torch.ManualSeed(c.Seed)
	net, err := sub.Build()
	if err != nil {
		return err
	}
	total, done := s.end(c, start), start.Step()
	s.tell(start)
	if start.From != nil && done >= total {
		_, err := fmt.Fprintf(w, "%s; nothing was written\n", nothingLeft(done))
		return err
	}
	net.To(start.Device)
	const warm, timed = 2, 3
	var began, ended time.Time
	run := trainer.Run{Config: c, Network: net, Open: sub.Open, Device: start.Device, MaxSteps: warm + timed, Interval: time.Nanosecond,
		Observers: []trainer.Observer{trainer.Watch(func(l trainer.Look) {
			switch l.Step {
			case warm:
				began = time.Now()
			case min(c.Iterations, warm+timed):
				ended = time.Now()
			}
		})}}
	if _, err := run.Train(ctx, nil); err != nil {
		return err
	}
	fmt.Fprintf(w, "%s; %s\n", sub.About, terminal.Counted(models.Count(net), "parameter"))
	switch {
	case start.From != nil:
		fmt.Fprintf(w, "the run goes on after step %s, to step %s\n", count(done), count(total))
	case total < c.Iterations:
		fmt.Fprintf(w, "the run stops after step %s of %s\n", count(total), count(c.Iterations))
	}
	if !began.IsZero() && ended.After(began) {
		all := time.Duration(float64(ended.Sub(began)) / timed * float64(total-done))
		fmt.Fprintf(w, "%s about %s, by the time of %d steps here and now\n", stepsTake(total-done), terminal.Duration(all), timed)
	}
	resident, gpu := PeakMemory(start.Device)
	fmt.Fprintf(w, "memory: %s", terminal.Bytes(resident))
	if start.Device.IsCUDA() {
		fmt.Fprintf(w, " and %s on the GPU", terminal.Bytes(gpu))
	}
	_, err = fmt.Fprintln(w, ", the most that these steps held; nothing was written")
	return err
}

// table prints the values, and where each came from.
func (r *RunRecord) table(w io.Writer, c trainer.Config, sub *Subject) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "setting\tvalue\tfrom")
	for _, name := range slices.Sorted(maps.Keys(r.Values)) {
		from := r.From[name]
		if rule := recipe.For(sub.Info); name == "warmup" && from == fromRecipe && rule.WarmupShare > 0 && c.Recipe == rule.Config.Recipe {
			from += fmt.Sprintf(": one in %d steps, at most %d", rule.WarmupShare, rule.Config.Warmup)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", name, r.Values[name], from)
	}
	return t.Flush()
}
