package models

import torch "github.com/wangkuiyi/gotorch"

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
