package flow

import torch "github.com/wangkuiyi/gotorch"

// StratifiedTimes are one time in each n-th of [0,1), (i + U(0,1)) / n: the same
// distribution as UniformTimes', and a gradient of less variance.
type StratifiedTimes struct{}

// Sample: -> [n], rising.
func (StratifiedTimes) Sample(gen *torch.Generator, n int64, d torch.Device) torch.Tensor {
	u := UniformTimes{}.Sample(gen, n, d)
	return torch.MulScalar(torch.Add(u, torch.ArangeWith(0, float64(n), 1, torch.Options{Device: d}), 1), 1/float64(n))
}
