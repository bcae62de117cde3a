// Package train is the command that trains a velocity field by flow matching.
package train

import (
	"context"
	"errors"
	"io"
	"path/filepath"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/figures"
	"flowmatch/cmd/internal/terminal"
	"flowmatch/cmd/internal/training"
	"flowmatch/datasets"
	"flowmatch/trainer"
)

func (f *flags) run(ctx context.Context, env cli.Env) error {
	if f.dataset == "help" {
		return listDatasets(env.Stdout, f.cmd.JSON)
	}
	if f.settings.Preset == "help" {
		return f.settings.ListPresets(env.Stdout, f.cmd.JSON)
	}
	if err := f.settings.Apply(f.cmd.Flags()); err != nil {
		return err
	}
	info, err := f.check()
	if err != nil {
		return err
	}
	dir := f.cmd.RunDir("cfm", info.Slug())
	if err := f.stops.Guard(dir); err != nil && !f.summary && !f.settings.Untouched(f.stops) {
		return err
	}
	if f.init, err = training.OpenInit(f.initFrom, f.cmd.Changed); err != nil {
		return err
	}
	session := training.Session{Stops: f.stops, Env: env, Label: "training", Pictures: f.pictures}
	start, err := f.goOn(dir)
	if err != nil {
		return err
	}
	defer func() { start.Close() }()
	set, err := f.openData(ctx, info, start.State(), env.Stderr, f.cmd.Say)
	if err != nil {
		return err
	}
	subject, err := f.subject(set, f.cmd.Say)
	if err != nil {
		return err
	}
	config, err := f.configuration(info, set.Len())
	if err != nil {
		return err
	}
	if datasets.TraitsOf(info.Name).Sized {
		f.cmd.Say("%s", f.settings.Own(set.Len(), config, subject.Network, start.State()))
		f.cmd.Say("%s", f.settings.Square(subject.Network, start.State(), f.init))
	}
	var device torch.Device
	if start != nil {
		device = start.Device
	} else if device, err = f.cmd.OpenDevice(); err != nil {
		return err
	}
	if f.summary {
		return summary(env.Stdout, subject, f.cmd.JSON)
	}
	if start == nil {
		if err := f.init.Fill(subject, config); err != nil {
			return err
		}
		err := f.stops.Checked(dir, device, func(s *training.Start) error {
			c := config
			return errors.Join(f.stops.Plan(s, &c, info), f.hyper.ChoosePrecision(&c, s, subject.Network))
		})
		if err != nil {
			return err
		}
		if start, err = f.open(dir, device); err != nil {
			return err
		}
	}
	if err := start.SameSet(subject.Info); err != nil {
		return err
	}
	if subject, err = f.inFrameOf(start, subject, f.cmd.Say); err != nil {
		return err
	}
	if err := f.stops.SameData(start, subject); err != nil {
		return err
	}
	if err := f.stops.Plan(start, &config, subject.Info); err != nil {
		return err
	}
	if err := f.hyper.ChoosePrecision(&config, start, subject.Network); err != nil {
		return err
	}
	f.init.Begin(start, subject, &config)
	if err := start.Same(config, subject.Network, subject.Info); err != nil {
		return err
	}
	if f.settings.DryRun {
		r, err := session.Rehearse(ctx, f.record(config, subject), config, subject, start)
		if err != nil {
			return err
		}
		return r.Print(f.cmd, env)
	}
	if err := start.KeepFiles(subject); err != nil {
		return err
	}
	if err := f.showData(start, subject, f.cmd.Say); err != nil {
		return err
	}
	record, part := f.record(config, subject), training.NewSession(env.Args, start)
	if err := record.Keep(start, part); err != nil {
		return err
	}
	checkpoint := filepath.Join(dir, trainer.CheckpointFile)
	result, err := session.Train(ctx, config, subject, start)
	if result.New > 0 {
		part.Steps, part.Seconds = result.New, result.Time.Seconds()
	}
	if kept := record.Keep(start, part); kept != nil {
		err = errors.Join(err, kept)
	}
	var stop *trainer.InterruptedError
	if errors.As(err, &stop) && f.cmd.JSON {
		return errors.Join(err, report(env.Stdout, result.Result, device, config.Precision, training.Files(dir)))
	}
	if err != nil {
		return err
	}
	if err := start.Held(); err != nil {
		return err
	}
	_, err = f.figures.Draw(ctx, env, figures.Run{
		Dir: dir, Info: subject.Info, Network: subject.Network, Device: device, Losses: result.Losses, Reference: f.hyper.Recipe == "reference",
	})
	if err != nil {
		return err
	}
	files := training.Files(dir)
	if f.cmd.JSON {
		return report(env.Stdout, result.Result, device, config.Precision, files)
	}
	if err := f.cmd.PrintWritten(env.Stdout, files); err != nil {
		return err
	}
	if goOn := session.Unfinished(config, result.Steps); goOn != nil {
		f.cmd.Next(goOn...)
		return nil
	}
	f.cmd.Next("bin/sample", "--checkpoint", checkpoint)
	return nil
}

// goOn opens the run that is gone on with before its data is read: it tells how pictures
// are taken. It is nil for a run that starts.
func (f *flags) goOn(dir string) (*training.Start, error) {
	if f.summary || !f.stops.GoesOn(dir) {
		return nil, nil
	}
	device, err := f.cmd.OpenDevice()
	if err != nil {
		return nil, err
	}
	return f.open(dir, device)
}

// open opens the run's folder, or with --dry-run looks at it.
func (f *flags) open(dir string, d torch.Device) (*training.Start, error) {
	if f.settings.DryRun {
		return f.stops.Look(dir, d)
	}
	return f.stops.Open(dir, d)
}

// showData draws what a run on pictures of a user's own is trained on, before it starts.
func (f *flags) showData(start *training.Start, sub *training.Subject, say func(string, ...any)) error {
	images, ok := sub.Set.(*datasets.Images)
	if !ok || !datasets.TraitsOf(images.Name).Sized || f.figures.Off || start.From != nil && !f.stops.NewData {
		return nil
	}
	path, err := figures.Data(start.Dir, images)
	if err != nil {
		return err
	}
	say("%s shows what was read", path)
	return nil
}

// datasetLine is a set in JSON.
type datasetLine struct {
	Name  string `json:"name"`
	About string `json:"about"`
}

func listDatasets(w io.Writer, asJSON bool) error {
	list, listed := terminal.List{}, []datasetLine{}
	for _, name := range datasets.Names() {
		list.Rows = append(list.Rows, []string{name, datasets.About(name)})
		listed = append(listed, datasetLine{name, datasets.About(name)})
	}
	if asJSON {
		return cli.WriteJSON(w, listed)
	}
	p := terminal.NewPage(w)
	p.List(list)
	return p.Flush()
}
