package flow

import torch "github.com/wangkuiyi/gotorch"

// TimeZero is t = 0 alone: from there a model learns the whole way in one step
// (distillation; Liu et al. 2023, section 2.2).
type TimeZero struct{}

// Sample: -> [n] of 0.
func (TimeZero) Sample(_ *torch.Generator, n int64, d torch.Device) torch.Tensor {
	return torch.Zeros([]int64{n}, torch.Options{Device: d})
}
