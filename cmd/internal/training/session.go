package training

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/terminal"
	"flowmatch/datasets"
	"flowmatch/models"
	"flowmatch/trainer"
)

// Subject is a network and what it is trained on.
type Subject struct {
	Info    datasets.Info
	Set     datasets.Set // that it is trained on; nil for pairs
	About   string       // "1,797 images of 1x8x8"
	Network models.Config
	Advice  string // flags of a smaller job, said where the run takes hours
	Waiting string // what the time without a step is spent on; "waiting for data"
	Build   func() (models.Network, error)
	Open    trainer.Opener
}

// Session trains a subject in a folder.
type Session struct {
	Stops *Stops
	Env   cli.Env
	Label string // of the progress bar: "training"
	// Pictures are drawn on the way; nil: none are.
	Pictures *Pictures
}

// Outcome is what a session came to.
type Outcome struct {
	trainer.Result
	Film string // of the pictures on the way; "" for none
}

// Train trains from the start to the end, or --max-steps.
func (s Session) Train(ctx context.Context, c trainer.Config, sub *Subject, start *Start) (out Outcome, err error) {
	folder := start.folder
	torch.ManualSeed(c.Seed)
	net, err := sub.Build()
	if err != nil {
		return out, err
	}
	net.To(start.Device)

	total := s.end(c, start)
	if start.From != nil {
		if note := trainer.Elsewhere(start.From.Record, start.Device); note != "" {
			start.Notes = append(start.Notes, note)
		}
	}
	if err := start.keepDamaged(); err != nil {
		return out, err
	}
	s.tell(start)
	if start.From != nil && start.From.Step() >= total {
		s.Stops.cmd.Say("note: %s", nothingLeft(start.Step(), c.Iterations))
		out.Result = trainer.Result{Steps: start.From.Step(), Losses: start.From.Losses}
		return out, folder.Finish(start.From)
	}
	s.Stops.cmd.Say("%s: %s, %s, on %s in %s", sub.Info.Name, sub.About, terminal.Counted(models.Count(net), "parameter"), place(start.Device), c.Precision)

	bar := terminal.New(s.Env.Stderr, s.Stops.cmd.Quiet, s.Label, total)
	waiting := sub.Waiting
	switch {
	case waiting == "" && c.Coupling != "":
		waiting = "waiting for pairs of noise and data"
	case waiting == "":
		waiting = "waiting for data"
	}
	report := &reporter{
		bar: bar, advice: sub.Advice, waiting: waiting, device: start.Device, total: total, samples: c.BatchSize * c.Accumulate, unit: unit(sub, c), now: time.Now,
	}
	observers := s.Stops.observers(start.Dir)
	pictures := s.Pictures.observer(ctx, c, sub, start, s.title(sub), total)
	if pictures != nil {
		pictures.Note = bar.Note
		for _, o := range observers {
			if b, ok := o.(*trainer.TensorBoard); ok {
				b.Earlier, pictures.Board = pictures.Earlier, b
			}
		}
		observers = append(observers, pictures)
	}
	data := trainer.Describe(sub.Info)
	data.Before = start.before
	r := trainer.Run{
		Config: c, Network: net, Dataset: data, Device: start.Device, Folder: folder,
		MaxSteps: s.Stops.MaxSteps, CheckpointEvery: s.Stops.CheckpointEvery,
		Interval: bar.Interval(), Observers: append(observers, report), Note: bar.Note, Warn: bar.Warn,
		Open: sub.Open, NoGraph: s.Stops.cmd.NoGraph,
	}
	res, err := r.Train(ctx, start.From)
	out.Result = res
	bar.Done()
	for _, w := range torch.TakeWarnings() {
		s.Stops.cmd.Say("note: libtorch: %s", w)
	}
	if err != nil {
		var stop *trainer.InterruptedError
		if errors.As(err, &stop) {
			return out, fmt.Errorf("%w; the same command with --resume goes on", err)
		}
		return out, err
	}
	s.Stops.cmd.Say("%s in %s, %s a second; %.1f %% of the time was spent %s, %.0f %% of the gradients were clipped",
		terminal.Counted(res.New, "step"), terminal.Duration(res.Time), terminal.Rate(float64(res.New)/res.Time.Seconds()), 100*res.Waited.Seconds()/res.Time.Seconds(), waiting, 100*res.Clipped)
	if n := len(res.TimeLosses); n/trainer.TimeBins*trainer.TimeWindow > start.Step() { // of this session
		last := n / trainer.TimeBins * trainer.TimeWindow
		s.Stops.cmd.Say("loss by time, of steps %d to %d, t from 0 to 1: %s", last-trainer.TimeWindow+1, last, tenths(res.TimeLosses[n-trainer.TimeBins:]))
	}
	if e := res.Exploded; e != nil {
		s.Stops.cmd.Say("note: the loss rose to %.3g at step %d, where %.3g was usual, and came down again; a lower --learning-rate or --grad-clip 1 may learn more", e.Loss, e.Step, e.Usual)
	}
	if pictures != nil {
		if out.Film, err = pictures.Film(); err != nil {
			s.Stops.cmd.Say("note: %v", err)
		}
	}
	return out, nil
}

// end is the step that a session ends after.
func (s Session) end(c trainer.Config, start *Start) int {
	most := s.Stops.MaxSteps
	if most > c.Iterations {
		start.Notes = append(start.Notes, pastEnd(most, c.Iterations))
	}
	if most > 0 {
		return min(most, c.Iterations)
	}
	return c.Iterations
}

// tell prints the notes of a start.
func (s Session) tell(start *Start) {
	for _, n := range start.Passed {
		terminal.Say(s.Env.Stderr, "note: "+n)
	}
	for _, n := range start.Notes {
		s.Stops.cmd.Say("note: %s", n)
	}
}

// nothingLeft says that a session has nothing to do after so many steps of those planned.
func nothingLeft(done, planned int) string {
	if done < planned {
		return fmt.Sprintf("the run has done %s of %s already, and --max-steps asks for no more", count(done), terminal.Counted(planned, "step"))
	}
	return fmt.Sprintf("the run has done its %s already; nothing is left to do", terminal.Counted(done, "step"))
}

// Unfinished is the command line that goes on with a run that --max-steps ended, nil for
// one that has come to its planned end. It says so, too.
func (s Session) Unfinished(c trainer.Config, done int) []string {
	if done >= c.Iterations {
		return nil
	}
	s.Stops.cmd.Say("stopped by --max-steps after step %s of %s; --resume goes on", count(done), count(c.Iterations))
	words := []string{"bin/" + s.Stops.cmd.Name}
	for i := 0; i < len(s.Env.Args); i++ {
		name, _, joined := strings.Cut(s.Env.Args[i], "=")
		switch strings.ReplaceAll(name, "_", "-") {
		case "--max-steps":
			if !joined {
				i++
			}
		case "--fresh", "--resume":
		default:
			words = append(words, s.Env.Args[i])
		}
	}
	return append(words, "--resume")
}

// unit is that of the samples that a run trains on in a second.
func unit(sub *Subject, c trainer.Config) string {
	switch {
	case c.Reflow != nil:
		return "pairs/s"
	case sub.Info.Is2D():
		return "points/s"
	}
	return "images/s"
}

// title names what is trained.
func (s Session) title(sub *Subject) string {
	if s.Label == trainingLabel {
		return sub.Info.Slug()
	}
	return sub.Info.Slug() + ", " + s.Label
}

// trainingLabel is that of a training on data.
const trainingLabel = "training"

// tenths are the losses by time in few digits.
func tenths(losses []float32) string {
	var words []string
	for _, v := range losses {
		words = append(words, fmt.Sprintf("%.3g", v))
	}
	return strings.Join(words, " ")
}

// place is the device for people.
func place(d torch.Device) string {
	if d.IsCUDA() {
		return fmt.Sprintf("%s (%s)", d, torch.CUDADeviceInfo(d).Name)
	}
	return "cpu with " + threads()
}

// threads is how many compute.
func threads() string { return terminal.Counted(torch.NumThreads(), "thread") }
