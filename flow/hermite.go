package flow

import torch "github.com/wangkuiyi/gotorch"

// hermite is the cubic that has the values a, b and the slopes ka, kb at the
// ends of a step of h, at the part s of the way.
func hermite(a, b, ka, kb torch.Tensor, h, s float64) torch.Tensor {
	r := torch.Lerp(a, b, s*s*(3-2*s))
	r = torch.AddScaled(r, ka, h*s*(s-1)*(s-1))
	return torch.AddScaled(r, kb, h*s*s*(s-1))
}
