package recipe

import (
	"errors"
	"fmt"
	"strings"

	"flowmatch/datasets"
	"flowmatch/datasets/set"
	"flowmatch/models"
	"flowmatch/trainer"
)

// Recipe is how a network is trained on a set.
type Recipe struct {
	Network models.Config  // nil where the shape of the samples is not known yet
	Config  trainer.Config // Iterations are 0 where Epochs decide
	// Epochs are the passes over the set, where Iterations are 0.
	Epochs int
	// WarmupShare: at most one in so many steps is warm-up; 0: all that Config says.
	WarmupShare int

	points bool
}

// For is the recipe of a set, which need not be one that is known.
func For(in datasets.Info) Recipe {
	if in.Is2D() {
		return points()
	}
	return images(in)
}

// Reference is the recipe of the reference system: a constant learning rate, no warm-up, no
// average. There is one for the sets that the system has.
func Reference(in datasets.Info) (Recipe, error) {
	r := For(in)
	if !datasets.TraitsOf(in.Name).Reference {
		has := datasets.WithTrait(func(t datasets.Traits) bool { return t.Reference })
		return r, fmt.Errorf("the reference system has no %s, only %s", in.Name, strings.Join(has, ", "))
	}
	c := &r.Config
	c.Recipe, c.Warmup, c.Schedule, c.EMADecay = "reference", 0, "constant", 0
	if r.points {
		c.Iterations, c.BatchSize, c.LearningRate = 20000, 4096, 1e-3
		c.StratifiedTimes, c.StableTargets = false, false
	}
	return r, nil
}

// Student is the recipe of a student, which learns the pairs of a teacher that was trained by r:
// it begins with the teacher's weights, and needs less.
func (r Recipe) Student() Recipe {
	r.Config.Iterations, r.Config.StableTargets = 2000, false // pairs belong together
	if r.points {
		r.Config.LearningRate = 1e-3
	}
	return r
}

// Settle is the configuration of a run on so many samples, 0 where fresh ones are drawn without
// end. The error is a *models.FieldError where it cannot be one.
func (r Recipe) Settle(samples int) (trainer.Config, error) {
	c := r.Config
	if samples > 0 && c.BatchSize > samples {
		one := "image"
		if r.points {
			one = "point"
		}
		return c, models.Wrong("batch_size", "%d: the set has %d %s", c.BatchSize, samples, set.Noun(samples, one))
	}
	if c.Iterations == 0 && r.Epochs > 0 {
		if samples == 0 {
			return c, errors.New("recipe: epochs of a set that has no end: say Iterations")
		}
		c.Iterations = r.Epochs * datasets.StepsPerEpoch(samples, c.BatchSize)
	}
	if r.WarmupShare > 0 { // of a short run, too, most is not warm-up
		c.Warmup = min(c.Warmup, c.Iterations/r.WarmupShare)
	}
	return c, c.Check()
}
