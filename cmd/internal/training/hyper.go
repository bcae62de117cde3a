package training

import (
	"fmt"
	"slices"
	"strings"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/cli"
	"flowmatch/datasets"
	"flowmatch/flow"
	"flowmatch/models"
	"flowmatch/trainer"
	"flowmatch/trainer/recipe"
)

// Hyper are the flags of the optimiser and its schedule. Where a default
// depends on the set or the recipe, the zero value means "not given".
type Hyper struct {
	Recipe string

	cmd                                   *cli.Command
	job                                   Job
	schedule                              string
	iterations, epochs, batchSize, warmup int
	accumulate                            int
	stratified, stable                    bool
	learningRate, weightDecay             float64
	emaDecay, gradClip, timePower         float64
	path, coupling, times                 string
}

// Job is what is trained.
type Job int

const (
	Train  Job = iota // a model on data
	Reflow            // a student on a teacher's pairs
)

// String is the command's name.
func (j Job) String() string {
	if j == Reflow {
		return "reflow"
	}
	return "train"
}

// AddHyper adds the flags.
func AddHyper(c *cli.Command, job Job) *Hyper {
	h := &Hyper{cmd: c, job: job}
	g := c.Group("Training")
	help := map[string]string{
		"iterations": "steps to train (points 7,500, reference 20,000; digits 1,600; else by --epochs); with --resume, more than were planned go on past the end",
		"batch":      "samples a step (points 1,024, reference 4,096; digits 64, else 128)",
		"rate":       "of AdamW (points 8e-3, digits 2e-3, else and reference 1e-3)",
	}
	if job == Reflow {
		help["iterations"] = "steps to train in each round (2,000); with --resume, more than were planned go on past the end"
		help["batch"] = "pairs a step (points 1,024, reference 4,096; digits 64, else 128)"
		help["rate"] = "of AdamW (digits 2e-3, else 1e-3)"
	}
	g.StringVar(&h.Recipe, "recipe", "default", "default, or reference: constant learning rate, no warm-up, no average")
	g.Choices("recipe", "default", "reference")
	g.IntVar(&h.iterations, "iterations", 0, help["iterations"])
	if job == Train {
		g.IntVar(&h.epochs, "epochs", 0, "the same in passes over the set (10)")
	}
	g.IntVar(&h.batchSize, "batch-size", 0, help["batch"])
	g.Float64Var(&h.learningRate, "learning-rate", 0, help["rate"])
	g.IntVar(&h.warmup, "warmup", 0, "steps over which it grows from 0 (images 100; points one in ten, at most 200; reference 0)")
	g.StringVar(&h.schedule, "schedule", "", "then constant or cosine to 0 (default recipe cosine, reference constant)")
	g.Choices("schedule", "constant", "cosine")
	g.Float64Var(&h.weightDecay, "weight-decay", 0.01, "of AdamW")
	g.Float64Var(&h.emaDecay, "ema-decay", 0, "decay of the moving average of the weights; 0 is off (digits 0.998, cifar10 and folders 0.9999, else 0.999; reference 0)")
	g.Float64Var(&h.gradClip, "grad-clip", 0, "greatest norm of the gradient; 0 is off (images 1, points 0)")
	if job == Train {
		g.StringVar(&h.path, "path", "ot", "way from noise to data: ot (a straight line), vp (variance-preserving diffusion) or cosine")
		g.Choices("path", flow.Paths()...)
		g.StringVar(&h.coupling, "coupling", "independent", "noise and data: independent, or ot, paired in each batch so that they lie near (smaller batches; --stable-targets is off)")
		g.Choices("coupling", flow.Couplings()...)
		g.BoolVar(&h.stable, "stable-targets", false, "average each target over the batch's points that it may lead to: less noise in the gradient (points: on, reference off; not for images)")
		g.StringVar(&h.times, "times", "uniform", "distribution of the times between noise and data: uniform, or logit-normal, more of them in the middle")
		g.Choices("times", flow.Times()...)
		g.Float64Var(&h.timePower, "time-power", 1, "times are 1-(1-u)^p with u uniform: above 1, more of them near the data")
	}
	g.BoolVar(&h.stratified, "stratified-times", false, "spread the times of a batch evenly: less noise in the gradient (points: on; else and reference off)")
	g.IntVar(&h.accumulate, "accumulate", 1, "batches whose gradients make a step")
	return h
}

// Check finds what is wrong with the flags for the set.
func (h *Hyper) Check(in datasets.Info) error {
	if err := h.CheckFlags(); err != nil {
		return err
	}
	_, err := h.recipe(in)
	return err
}

// recipe is that for the set before any flag.
func (h *Hyper) recipe(in datasets.Info) (r recipe.Recipe, err error) {
	r = recipe.For(in)
	if h.Recipe == "reference" {
		if r, err = recipe.Reference(in); err != nil {
			return r, cli.Usagef("--recipe reference: %v", err)
		}
	}
	if h.job == Reflow {
		r = r.Student()
	}
	return r, nil
}

// MostSamples is more than a set has, for checks before one is opened.
const MostSamples = 1 << 30

// CheckFlags finds what is wrong with them for any set.
func (h *Hyper) CheckFlags() error {
	set := h.cmd.Changed
	switch {
	case h.Recipe != "default" && h.Recipe != "reference":
		return cli.Usagef("--recipe %q: default or reference", h.Recipe)
	case set("iterations") && set("epochs"):
		return cli.Usagef("--iterations and --epochs exclude each other")
	case set("iterations") && h.iterations < 1:
		return cli.Usagef("--iterations %d: at least 1", h.iterations)
	case set("epochs") && h.epochs < 1:
		return cli.Usagef("--epochs %d: at least 1", h.epochs)
	case set("batch-size") && h.batchSize < 1:
		return cli.Usagef("--batch-size %d: at least 1", h.batchSize)
	case set("batch-size") && h.batchSize > MostSamples:
		return cli.Usagef("--batch-size %d: at most %d", h.batchSize, MostSamples)
	case set("path") && !slices.Contains(flow.Paths(), h.path):
		return unknown("path", h.path, flow.Paths())
	case set("coupling") && !slices.Contains(flow.Couplings(), h.coupling):
		return unknown("coupling", h.coupling, flow.Couplings())
	case set("times") && !slices.Contains(flow.Times(), h.times):
		return unknown("times", h.times, flow.Times())
	case set("time-power") && !(h.timePower > 0):
		return cli.Usagef("--time-power %v: above 0", h.timePower)
	case set("learning-rate") && !(h.learningRate > 0):
		return cli.Usagef("--learning-rate %v: above 0", h.learningRate)
	}
	return nil
}

// unknown refuses a name, and says the nearest one or all.
func unknown(flag, name string, known []string) error {
	hint := strings.Join(known, ", ")
	if near := datasets.Closest(name, known); near != "" {
		hint = "did you mean " + near + "?"
	}
	return cli.Usagef("--%s %q is unknown: %s", flag, name, hint)
}

// Config is what decides the weights: the recipe for the set, changed by the
// flags that were given. samples is the size of the set, 0 where fresh ones are drawn.
func (h *Hyper) Config(in datasets.Info, samples int) (trainer.Config, error) {
	r, err := h.recipe(in)
	if err != nil {
		return trainer.Config{}, err
	}
	c := &r.Config
	c.WeightDecay, c.Accumulate, c.Seed = h.weightDecay, h.accumulate, h.cmd.Seed
	given := func(name string, set func()) {
		if h.cmd.Changed(name) {
			set()
		}
	}
	given("batch-size", func() { c.BatchSize = h.batchSize })
	given("learning-rate", func() { c.LearningRate = h.learningRate })
	given("warmup", func() { c.Warmup, r.WarmupShare = h.warmup, 0 })
	given("schedule", func() { c.Schedule = h.schedule })
	given("ema-decay", func() { c.EMADecay = h.emaDecay })
	given("epochs", func() { r.Epochs, c.Iterations = h.epochs, 0 })
	given("iterations", func() { c.Iterations = h.iterations })
	given("time-power", func() {
		if c.TimePower = h.timePower; c.TimePower == 1 {
			c.TimePower = 0
		}
	})
	given("times", func() {
		if c.Times = h.times; c.Times == flow.Times()[0] {
			c.Times = "" // records of the default are as they were
		}
	})
	given("path", func() {
		if c.Path = h.path; c.Path == flow.Paths()[0] {
			c.Path = "" // records of the default are as they were
		}
	})
	given("coupling", func() {
		if h.coupling == flow.Couplings()[0] {
			return // records of the default are as they were
		}
		c.Coupling, c.StableTargets = h.coupling, false
	})
	given("stable-targets", func() { c.StableTargets = h.stable })
	given("stratified-times", func() { c.StratifiedTimes = h.stratified })
	given("grad-clip", func() { c.GradClip = h.gradClip })
	settled, err := r.Settle(samples)
	return settled, cli.AsUsage(err)
}

// ChoosePrecision settles auto: as the run that goes on, or by the device.
func (h *Hyper) ChoosePrecision(c *trainer.Config, s *Start, network models.Config) error {
	want := h.cmd.Precision
	if want == "auto" && s.From != nil {
		want = s.From.Record.Training.Configuration.Precision
	}
	got, warning, err := trainer.Precision(want, s.Device, network)
	if err != nil {
		return cli.AsUsage(err)
	}
	if warning != "" {
		s.Notes = append(s.Notes, warning)
	}
	c.Precision = got
	if s.Device.IsCUDA() {
		torch.AllowTF32(got != "fp32") // a run that goes on may have another than its flag says
	}
	return nil
}

// PastEnd is the note where --max-steps is more than the planned steps.
func pastEnd(maxSteps, total int) string {
	return fmt.Sprintf("--max-steps %d is past the planned end, %d", maxSteps, total)
}
