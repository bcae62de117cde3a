package models

import (
	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn"
)

// Network is a velocity field that can be trained.
type Network interface {
	nn.IModule
	// Config is what the network was built from.
	Config() Config
	// Velocity is dx/dt. x: [B,...], t: [B] in [0,1], y: [B] int64 or the zero
	// Tensor for a network without classes -> [B,...].
	Velocity(x, t, y torch.Tensor) torch.Tensor
	// Trace is Velocity that shows each layer, in the order in which they compute:
	// its name, PyTorch's, and what it gives.
	Trace(x, t, y torch.Tensor, see func(name string, layer nn.IModule, out torch.Tensor)) torch.Tensor
}
