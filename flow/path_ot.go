package flow

import torch "github.com/wangkuiyi/gotorch"

// OTPath is the conditional optimal-transport path (Lipman et al. 2023, section
// 4.1, example II), a straight line at an even speed.
type OTPath struct {
	SigmaMin float64 // standard deviation left around the data point at t = 1; 0
}

// At: x0, x1: [B,...], t: [B] -> xt, u: [B,...].
func (p OTPath) At(x0, x1, t torch.Tensor) (xt, u torch.Tensor) {
	u = torch.AddScaled(x1, x0, p.SigmaMin-1)
	// t x1 + (1 - (1-s) t) x0 = x0 + t (x1 - (1-s) x0)
	return torch.AddCMul(x0, u, perSample(t, x1), 1), u
}

// StableTarget: x0, x1: [B,D], t: [B] -> xt, u: [B,D].
func (p OTPath) StableTarget(x0, x1, t torch.Tensor) (xt, u torch.Tensor) {
	xt, u = p.At(x0, x1, t)
	// std of x_t around t x1, 1 - (1-s) t: [B]
	std := torch.Clamp(torch.AddScalar(torch.MulScalar(t, p.SigmaMin-1), 1), 1e-6, 1)
	ratio := torch.Div(t, std)
	// u(x_t | x1) = (x1 - (1-s) x_t) / std, so its slope in x1 is 1 + (1-s) t / std.
	slope := torch.AddScalar(torch.MulScalar(ratio, 1-p.SigmaMin), 1)
	return xt, averaged(x0, x1, u, ratio, slope)
}

// Coefficients: t: [B].
func (p OTPath) Coefficients(t torch.Tensor) Coefficients {
	t = t.CastTo(torch.Double)
	one := torch.AddScalar(torch.ZerosLike(t), 1)
	return Coefficients{t, torch.AddScalar(torch.MulScalar(t, p.SigmaMin-1), 1), one, torch.MulScalar(one, p.SigmaMin-1)}
}

// Span is all times.
func (p OTPath) Span() (from, to float64) { return 0, 1 }

func (p OTPath) String() string { return "ot" }
