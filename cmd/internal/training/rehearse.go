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
)

// Rehearse prints what a run would be, as --dry-run asks: its values, and what it costs by
// a few steps in memory.
func Rehearse(ctx context.Context, w io.Writer, r *RunRecord, sub *Subject, c trainer.Config, d torch.Device) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "setting\tvalue\tfrom")
	for _, name := range slices.Sorted(maps.Keys(r.Values)) {
		fmt.Fprintf(t, "%s\t%s\t%s\n", name, r.Values[name], r.From[name])
	}
	if err := t.Flush(); err != nil {
		return err
	}
	torch.ManualSeed(c.Seed)
	net, err := sub.Build()
	if err != nil {
		return err
	}
	net.To(d)
	const warm, timed = 2, 3
	var began, ended time.Time
	run := trainer.Run{Config: c, Network: net, Open: sub.Open, Device: d, MaxSteps: warm + timed, Interval: time.Nanosecond,
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
	fmt.Fprintf(w, "%s; %s parameters\n", sub.About, terminal.Count(models.Count(net)))
	if !began.IsZero() && ended.After(began) {
		all := time.Duration(float64(ended.Sub(began)) / timed * float64(c.Iterations))
		fmt.Fprintf(w, "%s steps take about %s, by the time of %d steps here and now\n", terminal.Count(int64(c.Iterations)), terminal.Duration(all), timed)
	}
	resident, gpu := PeakMemory(d)
	fmt.Fprintf(w, "memory: %s", terminal.Bytes(resident))
	if d.IsCUDA() {
		fmt.Fprintf(w, " and %s on the GPU", terminal.Bytes(gpu))
	}
	_, err = fmt.Fprintln(w, ", the most that these steps held; nothing was written")
	return err
}
