package flow

import (
	"math"

	torch "github.com/wangkuiyi/gotorch"
)

// CosinePath is alpha = sin(pi t / 2), sigma = cos(pi t / 2) (Nichol and Dhariwal
// 2021, section 3.2, without their offset; the trigonometric interpolant of Albergo
// and Vanden-Eijnden 2023): the variance of data of variance 1 stays, and the speed
// along the path is even. Its velocity is bounded at both ends.
type CosinePath struct{}

// At: x0, x1: [B,...], t: [B] -> xt, u: [B,...].
func (p CosinePath) At(x0, x1, t torch.Tensor) (xt, u torch.Tensor) {
	return p.Coefficients(t).at(x0, x1)
}

// StableTarget: x0, x1: [B,D], t: [B] -> xt, u: [B,D].
func (p CosinePath) StableTarget(x0, x1, t torch.Tensor) (xt, u torch.Tensor) {
	return p.Coefficients(t).stableTarget(x0, x1)
}

// Coefficients: t: [B].
func (p CosinePath) Coefficients(t torch.Tensor) Coefficients {
	angle := torch.MulScalar(t.CastTo(torch.Double), math.Pi/2)
	sin, cos := torch.Sin(angle), torch.Cos(angle)
	return Coefficients{sin, cos, torch.MulScalar(cos, math.Pi/2), torch.MulScalar(sin, -math.Pi/2)}
}

// Span is all times.
func (p CosinePath) Span() (from, to float64) { return 0, 1 }

func (p CosinePath) String() string { return "cosine" }
