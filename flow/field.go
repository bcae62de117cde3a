package flow

import torch "github.com/wangkuiyi/gotorch"

// Field is a velocity field at one time for a whole batch: x: [B,...] -> [B,...].
type Field func(x torch.Tensor, t float64) torch.Tensor

// Model is what a velocity network offers to a solver (models.Velocity).
type Model interface {
	Velocity(x, t, y torch.Tensor) torch.Tensor
}

// ModelField is the field of a network for the labels y: [B] int64, or none.
// Each evaluation runs in a scope of its own, so that what the network computes
// on the way ends with it and not with the step.
func ModelField(m Model, y torch.Tensor) Field {
	return func(x torch.Tensor, t float64) (v torch.Tensor) {
		torch.Scoped(func() {
			v = torch.Keep(m.Velocity(x, torch.FullWith([]int64{x.Shape()[0]}, t, torch.Options{Device: x.Device()}), y))
		})
		return v
	}
}
