package train

import (
	"strings"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/figures"
	"flowmatch/cmd/internal/modelfile"
	"flowmatch/cmd/internal/training"
	"flowmatch/datasets"
	"flowmatch/trainer"
)

// flags of train.
type flags struct {
	cmd      *cli.Command
	hyper    *training.Hyper
	stops    *training.Stops
	network  *cli.Network
	figures  *figures.Flags
	pictures *training.Pictures
	init     *training.Init // of --init-from; nil without

	dataset, attribute       string
	initFrom                 string
	settings                 training.Settings
	sigmaMin, classDropout   float64
	horizontalFlip, download bool
	imageSize                int
	imageChannels            int
	summary                  bool
}

// Command is train.
func Command() *cli.Command {
	f := newFlags()
	f.cmd.Run = f.run
	return f.cmd
}

func newFlags() *flags {
	c := &cli.Command{Name: "train", Saves: true, About: "train a flow-matching model", Forms: []cli.Form{
		{Line: "train --preset moons-quick", What: "a first run, of seconds; --preset help lists others"},
		{Line: "train --dataset digits", What: "train on a set; --dataset help lists them"},
		{Line: "train --dataset mnist --data-dir DIR", What: "on files in DIR/mnist"},
		{Line: "train --dataset digits --resume", What: "go on after a stop; the same command can be restarted blindly"},
	}}
	f := &flags{cmd: c}
	settings := c.Group("Settings")
	f.settings.Add(settings, training.Train)
	data := c.Group("Data")
	data.StringVar(&f.dataset, "dataset", "", "the set to train on; help lists them")
	data.Datasets("dataset")
	c.AddDataDir(data)
	data.BoolVar(&f.download, "download", false, "fetch the set's public files if they are missing")
	data.IntVar(&f.imageSize, "image-size", 0, "height and width that a folder's pictures get (theirs, at most 64)")
	data.IntVar(&f.imageChannels, "image-channels", 0, "of a folder's pictures: 1 for grey, 3 for colours (grey if all of them are)")
	data.StringVar(&f.attribute, "attribute", "", "of celeba: two classes, faces without it and with it, as in Smiling")
	data.BoolVar(&f.horizontalFlip, "horizontal-flip", false, "mirror every other image")
	f.hyper = training.AddHyper(c, training.Train)
	fit := c.Group("Training")
	fit.Float64Var(&f.sigmaMin, "sigma-min", 0, "noise left on the data at the end of the path")
	fit.Float64Var(&f.classDropout, "class-dropout", 0, "part of the labels replaced by the null class, for guidance")
	net := c.Group("Network")
	f.network = c.AddNetwork(net, "")
	net.BoolVar(&f.summary, "summary", false, "print the network's layers, shapes and parameters, and train nothing")
	f.stops = training.AddStops(c)
	f.stops.Settings = &f.settings
	f.stops.AddNewData()
	begin := c.Group(training.StopsTitle)
	begin.StringVar(&f.initFrom, "init-from", "", "begin with the weights of this file: its network; classes that it knows by name keep their rows")
	begin.Files("init-from", modelfile.WeightFiles...)
	f.figures = figures.AddFlags(c)
	f.pictures = training.AddPictures(c.Group(figures.FlagsTitle), &f.figures.Off)
	c.AddCommon("auto, fp32, tf32 (GPUs) or bf16; auto is bf16 where its products are the faster ones, and tf32 for points on a GPU",
		"print one line of JSON at the end, of a stop too: files, steps, loss (mean of the last 100 steps), pace, memory")
	c.AddNoGraph()
	return f
}

// check finds what is wrong without files and libtorch.
func (f *flags) check() (datasets.Info, error) {
	var in datasets.Info
	if f.dataset == "" {
		return in, cli.Usagef("--dataset is missing: %s, or help; to begin with, --preset moons-quick takes seconds", strings.Join(datasets.Names(), ", "))
	}
	if err := f.network.CheckHiddenDim(); err != nil {
		return in, err
	}
	if f.cmd.Changed("image-size") && (f.imageSize < 1 || f.imageSize > 4096) {
		return in, cli.Usagef("--image-size %d: 1 to 4096", f.imageSize)
	}
	if f.cmd.Changed("image-channels") && f.imageChannels != 1 && f.imageChannels != 3 {
		return in, cli.Usagef("--image-channels %d: 1 for grey or 3 for colours", f.imageChannels)
	}
	in, err := datasets.LookupWith(f.dataset, f.dataOptions())
	if err != nil {
		return in, err
	}
	if err := f.checkKind(in); err != nil {
		return in, err
	}
	if err := f.hyper.Check(in); err != nil {
		return in, err
	}
	if err := f.stops.Check(); err != nil {
		return in, err
	}
	if err := f.figures.Check(); err != nil {
		return in, err
	}
	if err := f.pictures.Check(); err != nil {
		return in, err
	}
	if f.settings.DryRun && f.download {
		return in, cli.Usagef("--dry-run is of data that is there: leave --download out")
	}
	if f.initFrom != "" && f.stops.ResumeFrom != "" {
		return in, cli.Usagef("--init-from and --resume-from exclude each other: a state has weights of its own")
	}
	switch {
	case f.classDropout > 0 && f.network.Unconditional():
		return in, cli.Usagef("--class-dropout needs classes, and --unconditional has none")
	case f.classDropout > 0 && in.Classes() == 0:
		return in, cli.Usagef("--class-dropout needs classes, and %s has none", in.Name)
	}
	// The number of images is not known yet; any will do for the check.
	if _, err := f.configuration(in, training.MostSamples); err != nil {
		return in, err
	}
	if in.Shape == nil { // which reading the pictures will tell
		err = f.network.Check()
	} else {
		_, err = f.network.Config(in, f.classDropout > 0)
	}
	if err != nil {
		return in, err
	}
	return in, f.cmd.CheckPrecision()
}

// dataOptions are those of datasets for these flags.
func (f *flags) dataOptions() datasets.Options {
	return datasets.Options{DataDir: f.cmd.DataDir, ImageSize: f.imageSize, Channels: f.imageChannels, Attribute: f.attribute}
}

// configuration is what decides the weights.
func (f *flags) configuration(in datasets.Info, images int) (trainer.Config, error) {
	c, err := f.hyper.Config(in, images)
	if err != nil {
		return c, err
	}
	c.SigmaMin, c.ClassDropout, c.HorizontalFlip = f.sigmaMin, f.classDropout, f.horizontalFlip
	return c, cli.AsUsage(c.Check())
}
