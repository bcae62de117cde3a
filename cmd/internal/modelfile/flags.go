// Package modelfile finds and opens the trained model that a command is about:
// by --dataset, by --checkpoint, or both.
package modelfile

import (
	"path/filepath"
	"slices"
	"strings"

	"flowmatch/cmd/internal/cli"
	"flowmatch/datasets"
	"flowmatch/trainer"
	"flowmatch/trainer/pretrained"
)

// Flags say which model. Files that PyTorch saved have no record of their
// network: it is the reference network of the set, unless the network's flags
// say otherwise.
type Flags struct {
	Dataset, Checkpoint string
	Pretrained          string // a model of the program's own, see trainer/pretrained
	ImageSize           int
	imageChannels       int
	// Weights is --weights: raw, ema, or "" for what the file has, the average before
	// the other.
	Weights string

	cmd     *cli.Command
	network *cli.Network
	// describesFirst: the network's flags were of another file, which has no
	// record.
	describesFirst bool
	verb           string // "sampled"
}

// Add adds --dataset, --checkpoint and --pretrained. verb says what is done to the model:
// "sampled".
func Add(c *cli.Command, verb string) *Flags {
	f := &Flags{cmd: c, verb: verb}
	g := c.Group("Model")
	g.StringVar(&f.Dataset, "dataset", "", "the set whose model is "+verb)
	g.Datasets("dataset")
	g.StringVar(&f.Checkpoint, "checkpoint", "", "the weights, .pth or .safetensors, or a run's state (OUTPUT-DIR/cfm/SET/ckpt.pth)")
	g.Files("checkpoint", WeightFiles...)
	g.StringVar(&f.Pretrained, "pretrained", "", "a small model that is part of the program instead: "+strings.Join(pretrained.Names(false), " or "))
	g.Choices("pretrained", pretrained.Names(false)...)
	AddWeights(g, &f.Weights)
	return f
}

// WeightFiles are the endings of files of weights.
var WeightFiles = []string{"pth", "pt", "ckpt", "safetensors"}

// AddWeights adds --weights.
func AddWeights(g *cli.Group, to *string) {
	g.StringVar(to, "weights", "", weightsHelp)
	g.Choices("weights", string(trainer.Raw), string(trainer.Averaged))
}

const weightsHelp = "raw or ema, of a file that holds both: the weights as the optimiser left them, or their moving average (ema, where there is one)"

// CheckWeights refuses what --weights cannot be.
func CheckWeights(w string) error {
	switch trainer.Averaging(w) {
	case trainer.Best, trainer.Raw, trainer.Averaged:
		return nil
	}
	return cli.Usagef("--weights %q: raw or ema", w)
}

// AddNetwork adds the flags for files without a record, after the command's
// own.
func (f *Flags) AddNetwork() {
	g := f.cmd.Group(networkGroup)
	f.network = f.cmd.AddNetwork(g, " and files without a record")
	g.IntVar(&f.ImageSize, "image-size", 64, "height and width of a folder's pictures")
	g.IntVar(&f.imageChannels, "image-channels", 3, "of a folder's pictures, for files without a record: 1 for grey, 3 for colours")
	f.cmd.AddDataDir(f.cmd.Group("Model"))
}

// Check finds what is wrong without files.
func (f *Flags) Check() error {
	switch {
	case f.Pretrained != "" && (f.Dataset != "" || f.Checkpoint != "" || f.Weights != ""):
		return cli.Usagef("--pretrained is a model of the program's own: leave --dataset, --checkpoint and --weights out")
	case f.Pretrained != "" && !slices.Contains(pretrained.Names(false), f.Pretrained):
		return cli.Usagef("--pretrained %q: %s", f.Pretrained, strings.Join(pretrained.Names(false), " or "))
	case f.Dataset == "" && f.Checkpoint == "" && f.Pretrained == "":
		return cli.Usagef("--dataset, --checkpoint or --pretrained is missing: which model is to be %s?", f.verb)
	case f.cmd.Changed("image-size") && !datasets.TraitsOf(f.Dataset).Sized:
		return cli.Usagef("--image-size is for --dataset folder:DIR; the pictures of other sets have their sizes")
	case f.cmd.Changed("image-channels") && (f.imageChannels != 1 && f.imageChannels != 3 || !datasets.TraitsOf(f.Dataset).Sized):
		return cli.Usagef("--image-channels %d: 1 for grey or 3 for colours, for --dataset folder:DIR", f.imageChannels)
	case f.ImageSize < 1 || f.ImageSize > 4096:
		return cli.Usagef("--image-size %d: 1 to 4096", f.ImageSize)
	}
	if f.network != nil {
		if err := f.network.CheckHiddenDim(); err != nil {
			return err
		}
	}
	if err := CheckWeights(f.Weights); err != nil {
		return err
	}
	return f.cmd.CheckPrecision()
}

// DataOptions are those of datasets for these flags.
func (f *Flags) DataOptions() datasets.Options {
	return datasets.Options{DataDir: f.cmd.DataDir, ImageSize: f.ImageSize, Channels: f.imageChannels}
}

// Dir is where results go: beside the checkpoint that was named, or
// OUTPUT-DIR/cfm/SET; those of the program's own models into a folder of their own,
// OUTPUT-DIR/pretrained/SET.
func (f *Flags) Dir(in datasets.Info) string {
	if f.Pretrained != "" {
		return f.cmd.RunDir("pretrained", in.Slug())
	}
	if f.Checkpoint != "" && !f.cmd.Changed("output-dir") {
		return filepath.Dir(f.Checkpoint)
	}
	return f.cmd.RunDir("cfm", in.Slug())
}
