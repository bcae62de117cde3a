// Command train trains a velocity field by flow matching.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/terminal"
	"flowmatch/datasets"
	"flowmatch/models"
	"flowmatch/trainer"
)

func main() { cli.Main("train", run) }

func run(ctx context.Context, env cli.Env) error {
	f := newFlags()
	if err := f.Read(env); err != nil {
		return err
	}
	if f.dataset == "help" {
		listDatasets(env.Stdout)
		return nil
	}
	info, err := f.check()
	if err != nil {
		return err
	}
	dir := f.RunDir("cfm", info.Slug())
	if trainer.HoldsRun(dir) && !f.resume && !f.fresh && f.resumeFrom == "" {
		return cli.Usagef("%s holds a run already: --resume goes on with it, --fresh moves it aside and starts anew", dir)
	}
	say := func(format string, args ...any) {
		if !f.Quiet {
			fmt.Fprintf(env.Stderr, format+"\n", args...)
		}
	}
	j, err := f.openData(ctx, info, env.Stderr, say)
	if err != nil {
		return err
	}
	config, err := f.configuration(info, j.images)
	if err != nil {
		return err
	}
	device, err := f.OpenDevice()
	if err != nil {
		return err
	}

	from, notes, err := f.startingPoint(dir)
	if err != nil {
		return err
	}
	if err := f.choosePrecision(&config, device, from, &notes); err != nil {
		return err
	}
	if from != nil {
		if err := sameRun(from, config, j.network, info); err != nil {
			return err
		}
	}
	folder, err := trainer.OpenFolder(dir, f.keep)
	if err != nil {
		return err
	}
	defer folder.Close()

	torch.ManualSeed(config.Seed)
	net, err := j.build()
	if err != nil {
		return err
	}
	net.To(device)

	total := config.Iterations
	if f.maxSteps > 0 {
		if f.maxSteps > total {
			notes = append(notes, fmt.Sprintf("--max-steps %d is past the planned end, %d", f.maxSteps, total))
		}
		total = min(total, f.maxSteps)
	}
	for _, n := range notes {
		say("note: %s", n)
	}
	if from != nil && from.Step() >= total {
		say("note: the run has done its %d steps already; nothing is left to do", from.Step())
		return errors.Join(folder.Derive(from), f.figures(dir, from.Losses))
	}
	say("%s: %s, %s parameters, on %s in %s", info.Name, j.about, terminal.Count(models.Count(net)), place(device), config.Precision)

	bar := terminal.New(env.Stderr, f.Quiet, "training", total)
	report := &reporter{bar: bar, device: device, started: time.Now(), first: stepOf(from)}
	r := trainer.Run{
		Config: config, Model: net, Kind: j.kind, Network: j.network, Dataset: record(info), Device: device, Folder: folder,
		HasDropout: j.dropout, NullClass: j.nullClass,
		MaxSteps: f.maxSteps, CheckpointEvery: f.checkpointEvery,
		Interval: bar.Interval(), Progress: report.progress, Note: bar.Note,
		Open: func(start int) (trainer.Source, error) { return j.open(config, device, start) },
	}
	res, err := r.Train(ctx, from)
	bar.Done()
	for _, w := range torch.TakeWarnings() {
		say("note: libtorch: %s", w)
	}
	if err != nil {
		var stop *trainer.InterruptedError
		if errors.As(err, &stop) {
			return fmt.Errorf("%w; the same command with --resume goes on", err)
		}
		return err
	}
	if err := f.figures(dir, res.Losses); err != nil {
		return err
	}
	say("%d steps in %s, %.2f a second; %.1f %% of the time was spent waiting for data, %.0f %% of the gradients were clipped",
		res.New, terminal.Duration(res.Time), float64(res.New)/res.Time.Seconds(), 100*res.Waited.Seconds()/res.Time.Seconds(), 100*res.Clipped)
	fmt.Fprintf(env.Stdout, "%s\n", filepath.Join(dir, trainer.CheckpointFile))
	if !f.noFigures {
		fmt.Fprintf(env.Stdout, "%s\n", filepath.Join(dir, "losses.png"))
	}
	return nil
}

func listDatasets(w io.Writer) {
	for _, name := range datasets.Names() {
		fmt.Fprintf(w, "%-14s %s\n", name, datasets.About(name))
	}
}

// place is the device for people.
func place(d torch.Device) string {
	if d.IsCUDA() {
		return fmt.Sprintf("%s (%s)", d, torch.CUDADeviceInfo(d).Name)
	}
	return fmt.Sprintf("cpu with %d threads", torch.NumThreads())
}

func record(in datasets.Info) trainer.DatasetRecord {
	shape := in.Shape[:]
	if in.Is2D() {
		shape = shape[:1]
	}
	return trainer.DatasetRecord{Name: in.Name, Shape: shape, Classes: in.Classes(), ClassNames: in.ClassNames, Levels: in.Levels}
}

func stepOf(s *trainer.State) int {
	if s == nil {
		return 0
	}
	return s.Step()
}

// sameRun refuses to go on with another configuration, and names the
// differences.
func sameRun(s *trainer.State, c trainer.Config, network any, in datasets.Info) error {
	if s.Record.Dataset.Name != in.Name {
		return cli.Usagef("the state is of a run on %s, not %s", s.Record.Dataset.Name, in.Name)
	}
	diff := append(trainer.Differences(c, s.Record.Training.Configuration), trainer.Differences(network, s.Record.Model)...)
	if len(diff) > 0 {
		return cli.Usagef("the run has another configuration: %s; give its flags, or start anew with --fresh", join(diff))
	}
	return nil
}

func join(parts []string) string {
	if len(parts) > 3 {
		parts = append(parts[:3:3], fmt.Sprintf("and %d more", len(parts)-3))
	}
	s := parts[0]
	for _, p := range parts[1:] {
		s += ", " + p
	}
	return s
}

// figures draws losses.png.
func (f *flags) figures(dir string, losses []float32) error {
	if f.noFigures {
		return nil
	}
	return drawLosses(filepath.Join(dir, "losses.png"), losses)
}
