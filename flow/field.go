package flow

import torch "github.com/wangkuiyi/gotorch"

// Field is a velocity field at one time for a whole batch: x: [B,...] -> [B,...].
type Field func(x torch.Tensor, t float64) torch.Tensor

// Velocity is what a model has learnt, dx/dt (a network's method of that name).
// x: [B,...], t: [B] in [0,1], y: [B] int64 or the zero Tensor -> [B,...].
type Velocity func(x, t, y torch.Tensor) torch.Tensor

// Field is that of the labels y: [B] int64, or none. Each evaluation runs in a
// scope of its own, so that what a network computes on the way ends with it and
// not with the step.
func (v Velocity) Field(y torch.Tensor) Field {
	return func(x torch.Tensor, t float64) (dx torch.Tensor) {
		torch.Scoped(func() {
			dx = torch.Keep(v(x, torch.FullWith([]int64{x.Shape()[0]}, t, torch.Options{Device: x.Device()}), y))
		})
		return dx
	}
}
