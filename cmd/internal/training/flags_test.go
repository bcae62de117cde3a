package training

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"flowmatch/cmd/internal/cli"
	"flowmatch/datasets"
	"flowmatch/models"
	"flowmatch/trainer"
)

var (
	moons  = datasets.Info{Name: "moons", Shape: []int{2}}
	digits = datasets.Info{Name: "digits", Shape: []int{1, 8, 8}}
	mnist  = datasets.Info{Name: "mnist", Shape: []int{1, 28, 28}}
	cifar  = datasets.Info{Name: "cifar10", Shape: []int{3, 32, 32}}
)

// read parses a command line of train's or reflow's flags.
func read(t *testing.T, job Job, args ...string) (*Hyper, *Stops) {
	t.Helper()
	c := &cli.Command{Name: "train"}
	h, r := AddHyper(c, job), AddStops(c)
	r.AddNewData()
	c.AddCommon("", "")
	if err := c.Execute(t.Context(), cli.Env{Args: args, Stdout: io.Discard, Stderr: io.Discard}); err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return h, r
}

func wrongUse(t *testing.T, args []string, err error, want string) {
	t.Helper()
	var u *cli.UsageError
	if !errors.As(err, &u) || !strings.Contains(err.Error(), want) {
		t.Errorf("%q: %v, want wrong use that says %q", args, err, want)
	}
}

// What the recipes say of each set, by the table of --help.
func TestRecipes(t *testing.T) {
	image := trainer.Config{Recipe: "default", Iterations: 4680, BatchSize: 128, LearningRate: 1e-3, Warmup: 100, Schedule: "cosine",
		WeightDecay: 0.01, EMADecay: 0.999, GradClip: 1, Accumulate: 1, Precision: "fp32", Seed: 42}
	with := func(c trainer.Config, change func(*trainer.Config)) trainer.Config {
		change(&c)
		return c
	}
	plain := func(c *trainer.Config) { c.Recipe, c.Warmup, c.Schedule, c.EMADecay = "reference", 0, "constant", 0 }
	plane := with(image, func(c *trainer.Config) {
		c.Iterations, c.BatchSize, c.LearningRate, c.Warmup, c.GradClip = 7500, 1024, 8e-3, 200, 0
		c.StratifiedTimes, c.StableTargets = true, true
	})
	for _, c := range []struct {
		name string
		job  Job
		in   datasets.Info
		args []string
		want trainer.Config
	}{
		{"mnist", Train, mnist, nil, image},
		{"mnist, reference", Train, mnist, []string{"--recipe", "reference"}, with(image, plain)},
		{"cifar10", Train, cifar, nil, with(image, func(c *trainer.Config) { c.EMADecay = 0.9999 })},
		{"digits", Train, digits, nil, with(image, func(c *trainer.Config) {
			c.Iterations, c.BatchSize, c.LearningRate, c.EMADecay = 1600, 64, 2e-3, 0.998
		})},
		{"points", Train, moons, nil, plane},
		{"points, reference", Train, moons, []string{"--recipe", "reference"}, with(with(image, plain), func(c *trainer.Config) {
			c.Iterations, c.BatchSize, c.GradClip = 20000, 4096, 0
		})},
		{"a short run of points", Train, moons, []string{"--iterations", "50"}, with(plane, func(c *trainer.Config) { c.Iterations, c.Warmup = 50, 5 })},
		{"a student of points", Reflow, moons, nil, with(plane, func(c *trainer.Config) {
			c.Iterations, c.LearningRate, c.StableTargets = 2000, 1e-3, false
		})},
		{"two epochs", Train, mnist, []string{"--epochs", "2", "--batch-size", "100"}, with(image, func(c *trainer.Config) { c.Iterations, c.BatchSize = 1200, 100 })},
		{"every flag", Train, mnist, []string{"--iterations", "9", "--learning-rate", "0.5", "--warmup", "3", "--schedule", "constant", "--weight-decay", "0",
			"--ema-decay", "0", "--grad-clip", "2", "--accumulate", "4", "--time-power", "1", "--stratified-times", "--seed", "1"},
			with(image, func(c *trainer.Config) {
				c.Iterations, c.LearningRate, c.Warmup, c.Schedule, c.WeightDecay, c.EMADecay = 9, 0.5, 3, "constant", 0, 0
				c.GradClip, c.Accumulate, c.StratifiedTimes, c.Seed = 2, 4, true, 1
			})},
		{"flags that do not decide weights", Train, mnist, []string{"--tensorboard", "--keep", "3", "--max-steps", "7", "--checkpoint-every", "5"}, image},
	} {
		h, _ := read(t, c.job, c.args...)
		if err := h.Check(c.in); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got, err := h.Config(c.in, 60000); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, %v, want\n%+v", c.name, got, err, c.want)
		}
	}
}

func TestHyperRefuses(t *testing.T) {
	for _, args := range [][]string{
		{"--recipe", "best"}, {"--iterations", "0"}, {"--epochs", "0"}, {"--iterations", "1", "--epochs", "1"}, {"--batch-size", "0"},
		{"--learning-rate", "0"}, {"--learning-rate", "NaN"}, {"--time-power", "0"}, {"--path", "vq"}, {"--times", "beta"}, {"--times", "logit-normal", "--time-power", "2"}, {"--coupling", "ott"},
		{"--ema-decay", "1"}, {"--grad-clip", "-1"}, {"--schedule", "linear"}, {"--accumulate", "0"}, {"--batch-size", "60001"},
	} {
		h, _ := read(t, Train, args...)
		err := h.Check(mnist)
		if err == nil {
			_, err = h.Config(mnist, 60000)
		}
		wrongUse(t, args, err, args[0])
	}
	h, _ := read(t, Train, "--recipe", "reference")
	wrongUse(t, nil, h.Check(digits), "the reference system has no digits")
}

func TestResumeRefuses(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--max-steps", "0"}, "--max-steps"},
		{[]string{"--checkpoint-every", "-1"}, "--checkpoint-every"},
		{[]string{"--keep", "1"}, "--keep"},
		{[]string{"--resume", "--fresh"}, "exclude"},
		{[]string{"--resume", "--resume-from", "x"}, "exclude"},
		{[]string{"--new-data"}, "--resume"},
	} {
		_, r := read(t, Train, c.args...)
		wrongUse(t, c.args, r.Check(), c.want)
	}
	if _, r := read(t, Train, "--resume", "--new-data", "--max-steps", "1"); r.Check() != nil {
		t.Error(r.Check())
	}
}

// Observers are chosen by flags, and belong to the run's folder.
func TestObservers(t *testing.T) {
	if _, r := read(t, Train); len(r.observers("run")) != 0 {
		t.Error("an observer that nobody asked for")
	}
	for _, o := range observers {
		_, r := read(t, Reflow, "--"+o.flag)
		if all := r.observers("run"); len(all) != 1 {
			t.Errorf("--%s: %d observers", o.flag, len(all))
		}
	}
	_, r := read(t, Train, "--tensorboard")
	if b, ok := r.observers("run")[0].(*trainer.TensorBoard); !ok || b.Dir != filepath.Join("run", "tensorboard") {
		t.Errorf("%+v", r.observers("run")[0])
	}
}

// Pictures on the way are drawn unless a flag says otherwise.
func TestPictures(t *testing.T) {
	for _, c := range []struct {
		args  string
		drawn bool
		every int
		wrong string
	}{
		{"", true, 0, ""},
		{"--progress-every=200", true, 200, ""},
		{"--progress-every=auto --off", false, 0, ""},
		{"--progress-every=often", false, 0, `--progress-every "often"`},
		{"--progress-every=0", false, 0, ""},
		{"--off", false, 0, ""},
		{"--off --progress-every=0", false, 0, ""},
		{"--off --progress-every=7", false, 0, "--no-figures"},
		{"--progress-every=-1", false, 0, "--progress-every -1"},
	} {
		command := &cli.Command{Name: "train"}
		g := command.Group("Figures")
		off := g.Bool("off", false, "")
		p := AddPictures(g, off)
		if err := command.Execute(t.Context(), cli.Env{Args: strings.Fields(c.args), Stdout: io.Discard, Stderr: io.Discard}); err != nil {
			t.Fatal(err)
		}
		if err := p.Check(); c.wrong != "" {
			wrongUse(t, []string{c.args}, err, c.wrong)
			continue
		} else if err != nil {
			t.Errorf("%q: %v", c.args, err)
		}
		sub := &Subject{Info: moons, Network: models.MLPConfig{}.Defaults()}
		o := p.observer(t.Context(), trainer.Config{BatchSize: 8, Accumulate: 2, Iterations: 100}, sub, &Start{Dir: "run"}, "moons", 100)
		if (o != nil) != c.drawn || o != nil && (o.Every != c.every || o.Run != "run" || o.Batch != 16) {
			t.Errorf("%q: %+v", c.args, o)
		}
	}
	var none *Pictures
	if none.observer(t.Context(), trainer.Config{}, nil, nil, "", 1) != nil {
		t.Error("pictures that nobody asked for")
	}
}

// A run that goes on has the same set and configuration, or the difference is named.
func TestSame(t *testing.T) {
	h, _ := read(t, Train)
	config, err := h.Config(mnist, 60000)
	if err != nil {
		t.Fatal(err)
	}
	anew := &Start{}
	if anew.Step() != 0 || anew.Reflow() != nil || anew.Same(config, nil, mnist) != nil {
		t.Error("a start from nothing has something to be the same as")
	}
	s := &Start{From: &trainer.State{Record: &trainer.Record{
		Dataset:  trainer.DatasetRecord{Name: "mnist"},
		Training: trainer.TrainingRecord{Configuration: config, Step: 30},
	}}}
	if err := s.Same(config, nil, mnist); err != nil || s.Step() != 30 {
		t.Errorf("%v", err)
	}
	wrongUse(t, nil, s.Same(config, nil, moons), "mnist, not moons")
	other := config
	other.BatchSize, other.Seed = 64, 7
	wrongUse(t, nil, s.Same(other, nil, mnist), "--batch-size 64, was 128, --seed 7, was 42")
	other.Warmup, other.GradClip = 1, 0
	wrongUse(t, nil, s.Same(other, nil, mnist), "and 1 more")
}

// A folder that holds a run is left alone, unless a flag says what becomes of it.
func TestGuardFolder(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	guard := func(args ...string) error {
		_, r := read(t, Train, args...)
		return r.Guard(dir)
	}
	if err := guard(); err != nil {
		t.Errorf("an empty folder: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, trainer.StateFile), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	wrongUse(t, nil, guard(), "holds a run already")
	wrongUse(t, nil, guard("--resume-from", filepath.Join(other, trainer.StateFile)), "is of another")
	for _, args := range [][]string{{"--resume"}, {"--fresh"}, {"--resume-from", filepath.Join(dir, trainer.PrevStateFile)}} {
		if err := guard(args...); err != nil {
			t.Errorf("%q: %v", args, err)
		}
	}
}
