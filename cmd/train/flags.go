package main

import (
	"fmt"
	"slices"
	"strings"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/cli"
	"flowmatch/datasets"
	"flowmatch/models"
	"flowmatch/trainer"
)

// flags of train. Where the default depends on the set or the recipe, the zero
// value means "not given".
type flags struct {
	*cli.Common
	network *cli.Network

	dataset, recipe, schedule           string
	iterations, epochs, maxSteps        int
	batchSize, warmup, accumulate       int
	learningRate, weightDecay, emaDecay float64
	gradClip, sigmaMin, classDropout    float64
	horizontalFlip, download            bool
	hiddenDim, imageSize                int

	resume, fresh         bool
	resumeFrom            string
	checkpointEvery, keep int
	noFigures             bool
}

func init() {
	cli.Forms["train"] = `train --dataset digits                    train on a set; --dataset help lists them
train --dataset mnist --data-dir DIR      on files in DIR/mnist
train --dataset digits --resume           go on after a stop; the same command can be restarted blindly`
}

func newFlags() *flags {
	f := &flags{Common: cli.New("train", "train a flow-matching model")}
	f.StringVar(&f.dataset, "dataset", "", "the set to train on; help lists them")
	f.AddDataDir()
	f.StringVar(&f.recipe, "recipe", "default", "default, or reference: constant learning rate, no warm-up, no average")
	f.IntVar(&f.iterations, "iterations", 0, "steps to train (points 10,000, reference 20,000; digits 1,600; else by --epochs)")
	f.IntVar(&f.epochs, "epochs", 0, "the same in passes over the set (10)")
	f.IntVar(&f.maxSteps, "max-steps", 0, "stop after this step in all; the schedule stays that of the planned length")
	f.IntVar(&f.batchSize, "batch-size", 0, "samples a step (points 1,024, reference 4,096; digits 64, else 128)")
	f.Float64Var(&f.learningRate, "learning-rate", 0, "of AdamW (points 3e-3, digits 2e-3, else and reference 1e-3)")
	f.IntVar(&f.warmup, "warmup", 0, "steps over which it grows from 0 (images 100, points 200, reference 0)")
	f.StringVar(&f.schedule, "schedule", "", "then constant or cosine to 0 (default recipe cosine, reference constant)")
	f.Float64Var(&f.weightDecay, "weight-decay", 0.01, "of AdamW")
	f.Float64Var(&f.emaDecay, "ema-decay", 0, "decay of the moving average of the weights; 0 is off (digits 0.998, cifar10 and folders 0.9999, else 0.999; reference 0)")
	f.Float64Var(&f.gradClip, "grad-clip", 0, "greatest norm of the gradient; 0 is off (images 1, points 0)")
	f.IntVar(&f.accumulate, "accumulate", 1, "batches whose gradients make a step")
	f.Float64Var(&f.sigmaMin, "sigma-min", 0, "noise left on the data at the end of the path")
	f.Float64Var(&f.classDropout, "class-dropout", 0, "part of the labels replaced by the null class, for guidance")
	f.BoolVar(&f.horizontalFlip, "horizontal-flip", false, "mirror every other image")
	f.network = cli.AddNetwork(f.FlagSet)
	f.IntVar(&f.hiddenDim, "hidden-dim", 512, "features of the MLP's hidden layers, for points")
	f.IntVar(&f.imageSize, "image-size", 64, "height and width that a folder's pictures get")
	f.BoolVar(&f.download, "download", false, "fetch the set's public files if they are missing")
	f.BoolVar(&f.resume, "resume", false, "go on with the run in the folder, or start if there is none")
	f.BoolVar(&f.fresh, "fresh", false, "move the run in the folder aside, and start")
	f.StringVar(&f.resumeFrom, "resume-from", "", "go on from this state file")
	f.IntVar(&f.checkpointEvery, "checkpoint-every", 0, "steps between saves; 0 is every 5 minutes")
	f.IntVar(&f.keep, "keep", 2, "states to keep")
	f.BoolVar(&f.noFigures, "no-figures", false, "write no pictures")
	f.AddCommon()
	return f
}

// check finds what is wrong without files and libtorch.
func (f *flags) check() (datasets.Info, error) {
	var in datasets.Info
	if err := f.NoArgs(); err != nil {
		return in, err
	}
	if f.dataset == "" {
		return in, cli.Usagef("--dataset is missing: %s, or help", strings.Join(datasets.Names(), ", "))
	}
	if f.imageSize < 1 || f.imageSize > 4096 {
		return in, cli.Usagef("--image-size %d: 1 to 4096", f.imageSize)
	}
	in, err := datasets.LookupWith(f.dataset, datasets.Options{ImageSize: f.imageSize})
	if err != nil {
		return in, err
	}
	if err := f.checkKind(in); err != nil {
		return in, err
	}
	set := func(name string) bool { return f.Changed(name) }
	switch {
	case f.recipe != "default" && f.recipe != "reference":
		return in, cli.Usagef("--recipe %q: default or reference", f.recipe)
	case f.recipe == "reference" && !slices.Contains(inReference, in.Name):
		return in, cli.Usagef("--recipe reference: the reference system has no %s, only %s", in.Name, strings.Join(inReference, ", "))
	case set("iterations") && set("epochs"):
		return in, cli.Usagef("--iterations and --epochs exclude each other")
	case set("iterations") && f.iterations < 1:
		return in, cli.Usagef("--iterations %d: at least 1", f.iterations)
	case set("epochs") && f.epochs < 1:
		return in, cli.Usagef("--epochs %d: at least 1", f.epochs)
	case set("max-steps") && f.maxSteps < 1:
		return in, cli.Usagef("--max-steps %d: at least 1", f.maxSteps)
	case set("batch-size") && f.batchSize < 1:
		return in, cli.Usagef("--batch-size %d: at least 1", f.batchSize)
	case set("learning-rate") && !(f.learningRate > 0):
		return in, cli.Usagef("--learning-rate %v: above 0", f.learningRate)
	case f.checkpointEvery < 0:
		return in, cli.Usagef("--checkpoint-every %d: at least 1, or 0 for every 5 minutes", f.checkpointEvery)
	case f.keep < 2:
		return in, cli.Usagef("--keep %d: at least 2", f.keep)
	case f.resume && f.fresh, f.resumeFrom != "" && (f.resume || f.fresh):
		return in, cli.Usagef("--resume, --resume-from and --fresh exclude each other")
	case f.classDropout > 0 && set("unconditional"):
		return in, cli.Usagef("--class-dropout needs classes, and --unconditional has none")
	}
	// The number of images is not known yet; any will do for the check.
	if _, err := f.configuration(in, 1<<30); err != nil {
		return in, err
	}
	if in.Is2D() {
		err = cli.AsUsage(models.MLPConfig{HiddenDim: f.hiddenDim}.Defaults().Check())
	} else {
		_, err = f.network.Config(in, f.classDropout > 0)
	}
	if err != nil {
		return in, err
	}
	return in, f.CheckPrecision()
}

// inReference are the sets that the reference system has.
var inReference = []string{"checkerboard", "moons", "mixture", "siggraph", "invertocat", "mnist", "fashion_mnist", "cifar10"}

// configuration is what decides the weights: the recipe for the set, and the
// flags that were given.
func (f *flags) configuration(in datasets.Info, images int) (trainer.Config, error) {
	c := trainer.Config{
		Recipe: f.recipe, BatchSize: 128, LearningRate: 1e-3, Warmup: 100, Schedule: "cosine",
		WeightDecay: f.weightDecay, EMADecay: 0.999, GradClip: 1, Accumulate: f.accumulate,
		SigmaMin: f.sigmaMin, ClassDropout: f.classDropout, HorizontalFlip: f.horizontalFlip,
		Precision: "fp32", Seed: f.Seed,
	}
	epochs := 10
	switch {
	case in.Is2D():
		// The best of those measured: the likelihood still falls with the
		// number of steps, the distance has reached its floor.
		c.Iterations, c.BatchSize, c.LearningRate, c.Warmup, c.GradClip = 10000, 1024, 3e-3, 200, 0
	case in.Name == "digits":
		c.Iterations, c.BatchSize, c.LearningRate, c.EMADecay = 1600, 64, 2e-3, 0.998
	case in.Name == "cifar10" || datasets.IsFolder(in.Name):
		c.EMADecay = 0.9999
	}
	if f.recipe == "reference" {
		c.Warmup, c.Schedule, c.EMADecay = 0, "constant", 0
		if in.Is2D() {
			c.Iterations, c.BatchSize, c.LearningRate = 20000, 4096, 1e-3
		}
	}
	given := func(name string, set func()) {
		if f.Changed(name) {
			set()
		}
	}
	given("batch-size", func() { c.BatchSize = f.batchSize })
	given("learning-rate", func() { c.LearningRate = f.learningRate })
	given("warmup", func() { c.Warmup = f.warmup })
	given("schedule", func() { c.Schedule = f.schedule })
	given("ema-decay", func() { c.EMADecay = f.emaDecay })
	given("epochs", func() { epochs, c.Iterations = f.epochs, 0 })
	given("iterations", func() { c.Iterations = f.iterations })
	given("grad-clip", func() { c.GradClip = f.gradClip })
	if !in.Is2D() && c.BatchSize > images {
		return c, cli.Usagef("--batch-size %d: the set has %d images", c.BatchSize, images)
	}
	if c.Iterations == 0 {
		c.Iterations = epochs * datasets.StepsPerEpoch(images, c.BatchSize)
	}
	return c, cli.AsUsage(c.Check())
}

// startingPoint is the state to go on from, nil to start anew.
func (f *flags) startingPoint(dir string) (from *trainer.State, notes []string, err error) {
	switch {
	case f.resumeFrom != "":
		from, err = trainer.ReadState(f.resumeFrom)
	case f.fresh && trainer.HoldsRun(dir):
		var to string
		to, err = trainer.MoveAside(dir)
		notes = append(notes, "the old run is now in "+to)
	case f.resume && !trainer.HoldsRun(dir):
		notes = append(notes, dir+" holds no run: a new one starts")
	case f.resume:
		var name string
		var skipped []string
		from, name, skipped, err = trainer.Newest(dir)
		for _, s := range skipped {
			notes = append(notes, "passed over: "+s)
		}
		if err == nil {
			notes = append(notes, fmt.Sprintf("going on after step %d, from %s", from.Step(), name))
		}
	}
	return from, notes, err
}

// choosePrecision settles auto: as the run that goes on, or by the device.
func (f *flags) choosePrecision(c *trainer.Config, d torch.Device, from *trainer.State, notes *[]string) error {
	want := f.Precision
	if want == "auto" && from != nil {
		want = from.Record.Training.Configuration.Precision
	}
	got, warning, err := trainer.Precision(want, d)
	if err != nil {
		return cli.AsUsage(err)
	}
	if warning != "" {
		*notes = append(*notes, warning)
	}
	c.Precision = got
	return nil
}
