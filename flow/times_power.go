package flow

import torch "github.com/wangkuiyi/gotorch"

// LateTimes are 1 - (1-u)^Power of times u: above 1, more of them near the data.
// The minimiser of the loss is the same, the effort is spent elsewhere.
type LateTimes struct {
	Of    TimeSampler // of u; nil: UniformTimes
	Power float64     // above 0; 1 changes nothing
}

// Sample: -> [n].
func (l LateTimes) Sample(gen *torch.Generator, n int64, d torch.Device) torch.Tensor {
	of := l.Of
	if of == nil {
		of = UniformTimes{}
	}
	late := torch.PowScalar(torch.AddScalar(torch.Neg(of.Sample(gen, n, d)), 1), l.Power) // (1-u)^p
	return torch.AddScalar(torch.Neg(late), 1)
}
