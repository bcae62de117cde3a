package models

import (
	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn"
)

// Velocity is a velocity field that can be trained.
type Velocity interface {
	nn.IModule
	// Velocity is dx/dt. x: [B,...], t: [B] in [0,1], y: [B] int64 or the zero
	// Tensor for a model without classes -> [B,...].
	Velocity(x, t, y torch.Tensor) torch.Tensor
	// Classes is the number of classes, 0 for a model without.
	Classes() int
}
