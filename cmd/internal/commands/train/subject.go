package train

import (
	"context"
	"fmt"
	"io"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/kinds"
	"flowmatch/cmd/internal/terminal"
	"flowmatch/cmd/internal/training"
	"flowmatch/datasets"
	"flowmatch/datasets/plane"
	"flowmatch/trainer"
)

// openData reads the set, fetching its files first if that was asked for. was is the state
// that the run goes on from, or nil.
func (f *flags) openData(ctx context.Context, in datasets.Info, was *trainer.State, w io.Writer, say func(string, ...any)) (datasets.Set, error) {
	if f.download && datasets.Missing(in.Name, f.cmd.DataDir) {
		if err := cli.Fetch(ctx, in.Name, f.cmd.DataDir, w, f.cmd.Quiet); err != nil {
			return nil, err
		}
	}
	sized := datasets.TraitsOf(in.Name).Sized
	if sized {
		if err := f.settings.ChooseSize(f.cmd.Flags(), was, f.init); err != nil {
			return nil, err
		}
	}
	bar := terminal.New(w, f.cmd.Quiet, "reading "+in.Name, 1)
	opts := f.dataOptions()
	opts.Progress = func(done, total int) { bar.Set(done, total, "") }
	set, err := datasets.OpenSet(ctx, in.Name, opts)
	bar.Done()
	if err != nil {
		return nil, err
	}
	for _, note := range set.Notes() {
		say("note: %s", note)
	}
	if sized {
		err = f.settings.ChooseFor(f.cmd.Flags(), set, was, f.init)
	}
	return set, err
}

// subject is the network that is trained on the set.
func (f *flags) subject(set datasets.Set, say func(string, ...any)) (*training.Subject, error) {
	in := set.Describe()
	if (datasets.TraitsOf(in.Name).Sized || f.attribute != "") && in.Classes() > 0 && !f.network.Unconditional() {
		say("classes: %s", classLine(in.ClassNames))
	}
	network, err := f.network.Config(in, f.classDropout > 0)
	if err != nil {
		return nil, err
	}
	if network, err = f.init.Network(network, in); err != nil {
		return nil, err
	}
	if network.Classes() == 0 {
		set = set.Unlabelled()
	}
	kind := kinds.Of(in)
	return &training.Subject{
		Info: in, Set: set, Network: network, About: kind.About(set), Advice: kind.Smaller(in),
		Build: network.Build, Open: trainer.Data(set),
	}, nil
}

// inFrameOf opens a file of points anew in the frame of the run that is gone on with:
// its flow knows no other.
func (f *flags) inFrameOf(start *training.Start, sub *training.Subject, say func(string, ...any)) (*training.Subject, error) {
	if start.From == nil || !f.stops.NewData || sub.Info.Frame.Equal(start.From.Record.Dataset.Frame) {
		return sub, nil
	}
	frame := start.From.Record.Dataset.Frame
	set, err := plane.OpenIn(sub.Info.Name, frame)
	if err != nil {
		return nil, err
	}
	start.Notes = append(start.Notes, fmt.Sprintf("the flow takes the points as it did: %s", frame))
	return f.subject(set, say)
}

// classLine says which number stands for which class, for the first of many.
func classLine(names []string) string {
	parts := make([]string, len(names))
	for c, name := range names {
		parts[c] = fmt.Sprintf("%d is %s", c, name)
	}
	return terminal.Some(parts)
}

// notFor are flags that mean nothing for a kind of set, besides those of networks.
var notFor = kinds.Each[[]string]{
	Points: []string{"epochs", "class-dropout", "horizontal-flip", "image-size", "image-channels", "attribute", "download"},
	Images: []string{"stable-targets", "hidden-dim", "figure-samples"},
}

// checkKind refuses flags that do not apply to the set.
func (f *flags) checkKind(in datasets.Info) error {
	wrong := append(kinds.Each[[]string]{Points: f.network.Flags()}.Of(in), notFor.Of(in)...)
	if err := f.cmd.Refuse(in, "is "+kinds.Of(in).What, wrong...); err != nil {
		return err
	}
	traits := datasets.TraitsOf(in.Name)
	if !traits.Sized {
		if err := f.cmd.Refuse(in, "has images of one kind", "image-size", "image-channels"); err != nil {
			return err
		}
	}
	if !traits.Attributes {
		if err := f.cmd.Refuse(in, "has no list of attributes, as celeba has", "attribute"); err != nil {
			return err
		}
	}
	if f.download && !datasets.Downloadable(in.Name) {
		return cli.Usagef("--download: %s has nothing to fetch", in.Name)
	}
	return nil
}
