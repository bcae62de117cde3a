package flow

import torch "github.com/wangkuiyi/gotorch"

// VPPath is the variance-preserving diffusion path (Song et al. 2021; Lipman et
// al. 2023, section 4.1, example I, eq. 19): with s = 1 - t
//
//	alpha = exp(-s^2 (BetaMax - BetaMin) / 4 - s BetaMin / 2),  sigma^2 = 1 - alpha^2
//
// so that noise of the rate beta(s) = BetaMin + s (BetaMax - BetaMin) was added
// to the data, and at t = 0 a little of them, alpha = .0066, is left.
//
// Near the data sigma grows like the root of s, and its derivative has no bound:
// velocities are learnt up to t = .999 only, where the samplers of Song et al. end
// too; sigma is .011 there.
type VPPath struct {
	BetaMin, BetaMax float64 // both 0: .1 and 20
}

// At: x0, x1: [B,...], t: [B] -> xt, u: [B,...].
func (p VPPath) At(x0, x1, t torch.Tensor) (xt, u torch.Tensor) { return p.Coefficients(t).at(x0, x1) }

// StableTarget: x0, x1: [B,D], t: [B] -> xt, u: [B,D].
func (p VPPath) StableTarget(x0, x1, t torch.Tensor) (xt, u torch.Tensor) {
	return p.Coefficients(t).stableTarget(x0, x1)
}

// Coefficients: t: [B].
func (p VPPath) Coefficients(t torch.Tensor) Coefficients {
	low, high := p.BetaMin, p.BetaMax
	if low == 0 && high == 0 {
		low, high = 0.1, 20
	}
	s := torch.AddScalar(torch.Neg(t.CastTo(torch.Double)), 1)
	log := torch.Mul(s, torch.AddScalar(torch.MulScalar(s, -(high-low)/4), -low/2)) // of alpha
	alpha := torch.Exp(log)
	sigma := torch.Sqrt(torch.Neg(torch.Expm1(torch.MulScalar(log, 2))))
	beta := torch.AddScalar(torch.MulScalar(s, high-low), low)
	dAlpha := torch.MulScalar(torch.Mul(alpha, beta), 0.5)
	return Coefficients{alpha, sigma, dAlpha, torch.Neg(torch.Div(torch.Mul(alpha, dAlpha), sigma))}
}

// Span ends before the data.
func (p VPPath) Span() (from, to float64) { return 0, 0.999 }

func (p VPPath) String() string { return "vp" }
