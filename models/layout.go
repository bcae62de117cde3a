package models

import (
	"slices"
	"sync"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn"
)

// hasAMX tells whether the processor multiplies tiles of bf16.
var hasAMX = sync.OnceValue(func() bool { return slices.Contains(torch.CPUFlags(), "amx_bf16") })

// normalises tells whether a GPU has normalisations for what lies pixel by pixel: our
// own. libtorch's are given copies in the other order.
func normalises(d torch.Device, bf16 bool) bool {
	program := "group_norm_f32x4"
	if bf16 {
		program = "group_norm_bf16x8"
	}
	return torch.CUDAKernels(d, program).OK
}

// laidOut is h in the order of elements in which a network of images is
// computed fastest; all layers keep the order that they are given. That
// is pixel by pixel, not channel by channel: on a processor convolutions of float32 are
// then our own (Winograd's algorithm), those of bf16 take a third of the time with AMX and
// a little less without it, and the normalisations keep the order; on a GPU it is the order
// in which its products of bf16 compute convolutions. h: [B,C,H,W].
func laidOut(h torch.Tensor) torch.Tensor {
	if d := h.Device(); d.IsCUDA() && !normalises(d, h.Dtype() == torch.BFloat16) {
		return h
	}
	return torch.ChannelsLast(h)
}

// LayOut gives the weights of m's convolutions, which are on d, the order of elements that
// laidOut gives what they multiply in training in bf16, and on a GPU in any precision. In
// another order they were brought into this one before each convolution, and again for its
// gradients.
func LayOut(m nn.IModule, d torch.Device, bf16 bool) {
	if d.IsCUDA() && !normalises(d, bf16) || !d.IsCUDA() && !(bf16 && hasAMX()) {
		return
	}
	m.Apply(func(c nn.IModule) {
		if l, ok := c.(*nn.Conv2dModule); ok {
			torch.Scoped(func() { torch.NoGrad(func() { l.Weight.SetData(torch.ChannelsLast(l.Weight)) }) })
		}
	})
}
