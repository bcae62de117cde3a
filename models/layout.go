package models

import (
	"slices"
	"sync"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn"
)

// hasAMX tells whether the processor multiplies tiles of bf16.
var hasAMX = sync.OnceValue(func() bool { return slices.Contains(torch.CPUFlags(), "amx_bf16") })

// laidOut is h in the order of elements in which a network of images is
// computed fastest; all layers keep the order that they are given. On a processor
// that is pixel by pixel, not channel by channel: there convolutions of float32 are
// our own (Winograd's algorithm), those of bf16 take a third of the time with AMX and
// a little less without it, and the normalisations keep the order. h: [B,C,H,W].
func laidOut(h torch.Tensor) torch.Tensor {
	if h.Device().IsCUDA() {
		return h
	}
	return torch.ChannelsLast(h)
}

// LayOut gives the weights of m's convolutions the order of elements that laidOut gives
// what they multiply in training in bf16. In another order they were brought into this one
// before each convolution, and again for its gradients.
func LayOut(m nn.IModule) {
	if !hasAMX() {
		return
	}
	m.Apply(func(c nn.IModule) {
		if l, ok := c.(*nn.Conv2dModule); ok && !l.Weight.Device().IsCUDA() {
			torch.Scoped(func() { torch.NoGrad(func() { l.Weight.SetData(torch.ChannelsLast(l.Weight)) }) })
		}
	})
}
