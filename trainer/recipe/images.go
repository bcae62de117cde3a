package recipe

import (
	"flowmatch/datasets"
	"flowmatch/models"
	"flowmatch/trainer"
)

// images is the recipe of a set of images.
func images(in datasets.Info) Recipe {
	r := Recipe{
		Config: trainer.Config{
			Recipe: "default", BatchSize: 128, LearningRate: 1e-3, Warmup: 100, Schedule: "cosine",
			WeightDecay: 0.01, EMADecay: 0.999, GradClip: 1, Accumulate: 1, Precision: "fp32",
		},
		Epochs: 10,
	}
	if in.Shape != nil { // else only the files tell
		r.Network = UNet(in)
	}
	switch c, t := &r.Config, datasets.TraitsOf(in.Name); {
	case t.Few:
		c.Iterations, c.BatchSize, c.LearningRate, c.EMADecay = 1600, 64, 2e-3, 0.998
	case t.Photographs:
		c.EMADecay = 0.9999
	}
	return r
}

// UNet is the usual network for images of the set's size, in its classes.
func UNet(in datasets.Info) models.UNetConfig {
	c := models.UNetConfig{Channels: in.Shape[0], Size: in.Shape[1], NumChannels: 64, AttentionResolutions: []int{16}, NumClasses: in.Classes()}
	if c.Size <= 8 { // as digits
		c.NumChannels = 32
	}
	if half := c.Size / 2; half < 8 { // of small ones attention is there, as digits have it
		c.AttentionResolutions = []int{max(1, half)}
	}
	return c.Defaults()
}
