package recipe

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"flowmatch/datasets"
	"flowmatch/models"
	"flowmatch/trainer"
)

// info is what is known of a set; of names that are none, of an image of 28x28.
func info(t *testing.T, name string) datasets.Info {
	t.Helper()
	in, err := datasets.Lookup(name)
	if err != nil {
		in = datasets.Info{Name: name, Shape: []int{1, 28, 28}}
	}
	return in
}

// What the recipes say of each set, by the table of flags in the README.
func TestRecipes(t *testing.T) {
	image := trainer.Config{
		Recipe: "default", BatchSize: 128, LearningRate: 1e-3, Warmup: 100, Schedule: "cosine",
		WeightDecay: 0.01, EMADecay: 0.999, GradClip: 1, Accumulate: 1, Precision: "fp32",
	}
	with := func(c trainer.Config, change func(*trainer.Config)) trainer.Config {
		change(&c)
		return c
	}
	photographs := with(image, func(c *trainer.Config) { c.EMADecay = 0.9999 })
	plane := with(image, func(c *trainer.Config) {
		c.Iterations, c.BatchSize, c.LearningRate, c.Warmup, c.GradClip = 7500, 1024, 8e-3, 200, 0
		c.StratifiedTimes, c.StableTargets = true, true
	})
	for name, want := range map[string]trainer.Config{
		"mnist": image, "kmnist": image, "a set of somebody's own": image,
		"cifar10": photographs, "cifar100": photographs, "cifar100_coarse": photographs, "celeba": photographs, "folder:cats": photographs,
		"digits": with(image, func(c *trainer.Config) { c.Iterations, c.BatchSize, c.LearningRate, c.EMADecay = 1600, 64, 2e-3, 0.998 }),
		"moons":  plane, "points:mine.csv": plane,
	} {
		if got := For(info(t, name)).Config; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want\n%+v", name, got, want)
		}
	}

	plain := func(c *trainer.Config) { c.Recipe, c.Warmup, c.Schedule, c.EMADecay = "reference", 0, "constant", 0 }
	for name, want := range map[string]trainer.Config{
		"mnist":   with(image, plain),
		"cifar10": with(image, plain),
		"moons":   with(with(image, plain), func(c *trainer.Config) { c.Iterations, c.BatchSize, c.GradClip = 20000, 4096, 0 }),
	} {
		if got, err := Reference(info(t, name)); err != nil || !reflect.DeepEqual(got.Config, want) {
			t.Errorf("%s: %+v, %v, want\n%+v", name, got.Config, err, want)
		}
	}
	if _, err := Reference(info(t, "digits")); err == nil || !strings.HasPrefix(err.Error(), "the reference system has no digits, only checkerboard, moons, ") {
		t.Errorf("%v", err)
	}

	students := map[string]trainer.Config{
		"mnist": with(image, func(c *trainer.Config) { c.Iterations = 2000 }),
		"moons": with(plane, func(c *trainer.Config) { c.Iterations, c.LearningRate, c.StableTargets = 2000, 1e-3, false }),
	}
	for name, want := range students {
		if got := For(info(t, name)).Student().Config; !reflect.DeepEqual(got, want) {
			t.Errorf("a student of %s: %+v, want\n%+v", name, got, want)
		}
	}
}

func TestNetworks(t *testing.T) {
	for name, want := range map[string]models.Config{
		"moons":  models.MLPConfig{Dim: 2, HiddenDim: 512},
		"digits": models.UNetConfig{Channels: 1, Size: 8, NumChannels: 32, ChannelMult: []int{1, 2}, NumResBlocks: 2, AttentionResolutions: []int{4}, NumHeads: 1, NumClasses: 10},
		"cifar10": models.UNetConfig{Channels: 3, Size: 32, NumChannels: 64, ChannelMult: []int{1, 2, 2, 2}, NumResBlocks: 2, AttentionResolutions: []int{16},
			NumHeads: 1, NumClasses: 10},
		"celeba": models.UNetConfig{Channels: 3, Size: 64, NumChannels: 64, ChannelMult: []int{1, 2, 3, 4}, NumResBlocks: 2, AttentionResolutions: []int{16}, NumHeads: 1},
	} {
		if got := For(info(t, name)).Network; !reflect.DeepEqual(got, want) || got.Check() != nil {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

func TestSettle(t *testing.T) {
	mnist, moons := For(info(t, "mnist")), For(info(t, "moons"))
	with := func(r Recipe, change func(*Recipe)) Recipe {
		change(&r)
		return r
	}
	for name, c := range map[string]struct {
		r          Recipe
		samples    int
		iterations int
		warmup     int
	}{
		"ten passes":      {mnist, 60000, 4680, 100},
		"two passes":      {with(mnist, func(r *Recipe) { r.Epochs, r.Config.BatchSize = 2, 100 }), 60000, 1200, 100},
		"steps":           {with(mnist, func(r *Recipe) { r.Config.Iterations = 9 }), 60000, 9, 100},
		"points":          {moons, 0, 7500, 200},
		"a short run":     {with(moons, func(r *Recipe) { r.Config.Iterations = 50 }), 0, 50, 5},
		"all warm-up":     {with(moons, func(r *Recipe) { r.Config.Iterations, r.WarmupShare = 50, 0 }), 0, 50, 200},
		"pairs of images": {mnist.Student(), 0, 2000, 100},
	} {
		if got, err := c.r.Settle(c.samples); err != nil || got.Iterations != c.iterations || got.Warmup != c.warmup {
			t.Errorf("%s: %+v, %v, want %d steps and %d of warm-up", name, got, err, c.iterations, c.warmup)
		}
	}
	var f *models.FieldError
	for one, r := range map[string]Recipe{"image": mnist, "point": moons} {
		if _, err := r.Settle(100); !errors.As(err, &f) || f.Field != "batch_size" || !strings.HasSuffix(err.Error(), "the set has 100 "+one+"s") {
			t.Errorf("a batch of more %ss than there are: %v", one, err)
		}
	}
	if _, err := mnist.Settle(0); err == nil {
		t.Error("passes over a set without end")
	}
	if _, err := with(moons, func(r *Recipe) { r.Config.EMADecay = 1 }).Settle(0); !errors.As(err, &f) || f.Field != "ema_decay" {
		t.Errorf("%v", err)
	}
}
