package flow

import torch "github.com/wangkuiyi/gotorch"

// TimeSampler draws the times that a model is trained at.
type TimeSampler interface {
	// Sample is n times in [0,1): [n] on the device, drawn from gen.
	Sample(gen *torch.Generator, n int64, d torch.Device) torch.Tensor
}

// UniformTimes are drawn from U(0,1), each by itself.
type UniformTimes struct{}

// Sample: -> [n].
func (UniformTimes) Sample(gen *torch.Generator, n int64, d torch.Device) torch.Tensor {
	return torch.RandWith(gen, []int64{n}, torch.Options{Device: d})
}
