package train

import (
	"context"
	"fmt"
	"io"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/terminal"
	"flowmatch/cmd/internal/training"
	"flowmatch/datasets"
	"flowmatch/datasets/plane"
	"flowmatch/models"
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
	if images, ok := set.(*datasets.Images); ok && sized {
		err = f.settings.ChooseFor(f.cmd.Flags(), images, was, f.init)
	}
	return set, err
}

// subject is the network that is trained on the set.
func (f *flags) subject(set datasets.Set, say func(string, ...any)) (*training.Subject, error) {
	if points, ok := set.(*plane.Set); ok {
		return f.points(points)
	}
	return f.images(set.(*datasets.Images), say)
}

func (f *flags) images(images *datasets.Images, say func(string, ...any)) (*training.Subject, error) {
	traits := datasets.TraitsOf(images.Name)
	if (traits.Sized || f.attribute != "") && images.Classes() > 0 && !f.network.Unconditional() {
		say("classes: %s", classLine(images.ClassNames))
	}
	network, err := f.network.Config(images.Info, f.classDropout > 0)
	if err != nil {
		return nil, err
	}
	if network, err = f.init.Network(network, images.Info); err != nil {
		return nil, err
	}
	if network.Classes() == 0 {
		images = images.Unlabelled()
	}
	s := images.Shape
	return &training.Subject{
		Info: images.Info, Set: images, Network: network,
		Advice: advice(traits, s[1]),
		About:  fmt.Sprintf("%s images of %dx%dx%d", terminal.Count(int64(images.Len())), s[0], s[1], s[2]),
		Build:  network.Build,
		Open:   trainer.Data(images),
	}, nil
}

// advice is flags of a smaller job.
func advice(traits datasets.Traits, size int) string {
	const fewer = "--num-res-blocks 1 --attention-resolutions none"
	switch {
	case !traits.Sized:
		return "--num-channels 32 " + fewer + " --batch-size 64 --iterations 1700"
	case size > 32:
		return "--image-size 32 " + fewer
	}
	return fewer + " --iterations 1000"
}

// inFrameOf opens a file of points anew in the frame of the run that is gone on with:
// its flow knows no other.
func (f *flags) inFrameOf(start *training.Start, sub *training.Subject) (*training.Subject, error) {
	if start.From == nil || !f.resume.NewData || !sub.Info.Is2D() || sub.Info.Frame.Equal(start.From.Record.Dataset.Frame) {
		return sub, nil
	}
	frame := start.From.Record.Dataset.Frame
	set, err := plane.OpenIn(sub.Info.Name, frame)
	if err != nil {
		return nil, err
	}
	start.Notes = append(start.Notes, fmt.Sprintf("the flow takes the points as it did: %s", frame))
	return f.points(set)
}

func (f *flags) points(set *plane.Set) (*training.Subject, error) {
	network, err := f.init.Network(models.MLPConfig{HiddenDim: f.hiddenDim}.Defaults(), set.Info)
	if err != nil {
		return nil, err
	}
	return &training.Subject{
		Info: set.Info, Set: set, Network: network, About: "points of the plane", Build: network.Build,
		Open: trainer.Data(set),
	}, nil
}

// classLine says which number stands for which class, for the first of many.
func classLine(names []string) string {
	parts := make([]string, len(names))
	for c, name := range names {
		parts[c] = fmt.Sprintf("%d is %s", c, name)
	}
	return terminal.Some(parts)
}

// checkKind refuses flags that do not apply to the set.
func (f *flags) checkKind(in datasets.Info) error {
	refuse := func(why string, names ...string) error {
		for _, n := range names {
			if f.cmd.Changed(n) {
				return cli.Usagef("--%s: %s %s", n, in.Name, why)
			}
		}
		return nil
	}
	if in.Is2D() {
		return refuse("is a set of points", append(f.network.Flags(), "epochs", "class-dropout", "horizontal-flip", "image-size", "image-channels", "attribute", "download")...)
	}
	if err := refuse("is a set of images", "stable-targets", "hidden-dim", "figure-samples"); err != nil {
		return err
	}
	traits := datasets.TraitsOf(in.Name)
	if !traits.Sized {
		if err := refuse("has images of one kind", "image-size", "image-channels"); err != nil {
			return err
		}
	}
	if !traits.Attributes {
		if err := refuse("has no list of attributes, as celeba has", "attribute"); err != nil {
			return err
		}
	}
	if f.download && !datasets.Downloadable(in.Name) {
		return cli.Usagef("--download: %s has nothing to fetch", in.Name)
	}
	return nil
}
