package models

import (
	"slices"
	"sync"

	torch "github.com/wangkuiyi/gotorch"
)

// hasAMX tells whether the processor multiplies tiles of bf16.
var hasAMX = sync.OnceValue(func() bool { return slices.Contains(torch.CPUFlags(), "amx_bf16") })

// laidOut is h in the order of elements in which a network of images is
// computed fastest; all layers keep the order that they are given. In bf16 with
// AMX that is pixel by pixel, not channel by channel: convolutions take a
// third of the time, which the normalisations keep (nn.GroupNormModule).
// h: [B,C,H,W].
func laidOut(h torch.Tensor) torch.Tensor {
	if h.Dtype() == torch.BFloat16 && !h.Device().IsCUDA() && hasAMX() {
		return torch.ChannelsLast(h)
	}
	return h
}
