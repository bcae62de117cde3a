package training

import (
	"flowmatch/datasets"
	"flowmatch/trainer"
)

// recipe is the configuration for a set before any flag. Iterations is 0 where
// the number of epochs decides it.
func recipe(name string, job Job, in datasets.Info) (c trainer.Config, epochs int) {
	c = trainer.Config{
		Recipe: name, BatchSize: 128, LearningRate: 1e-3, Warmup: 100, Schedule: "cosine",
		EMADecay: 0.999, GradClip: 1, Precision: "fp32",
	}
	traits := datasets.TraitsOf(in.Name)
	switch {
	case in.Is2D():
		// The best of those measured on checkerboard (README, "Points of the
		// plane"): what is left of the likelihood is the noise of the targets,
		// so averaging them does more than longer training.
		c.Iterations, c.BatchSize, c.LearningRate, c.Warmup, c.GradClip = 7500, 1024, 8e-3, 200, 0
		c.StratifiedTimes, c.StableTargets = true, true
	case traits.Few:
		c.Iterations, c.BatchSize, c.LearningRate, c.EMADecay = 1600, 64, 2e-3, 0.998
	case traits.Photographs:
		c.EMADecay = 0.9999
	}
	if name == "reference" {
		c.Warmup, c.Schedule, c.EMADecay = 0, "constant", 0
		if in.Is2D() {
			c.Iterations, c.BatchSize, c.LearningRate = 20000, 4096, 1e-3
			c.StratifiedTimes, c.StableTargets = false, false
		}
	}
	if job == Reflow {
		c.Iterations = 2000
		c.StableTargets = false // pairs belong together
		if in.Is2D() {
			c.LearningRate = 1e-3
		}
	}
	return c, 10
}
