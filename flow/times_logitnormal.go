package flow

import (
	"math"

	torch "github.com/wangkuiyi/gotorch"
)

// LogitNormalTimes have a logit that is normal: more of them are in the middle of the way,
// where noise and data are hardest to tell apart (Esser et al. 2024, eq. 19). The minimiser of
// the loss is the same, the effort is spent elsewhere.
type LogitNormalTimes struct {
	Of    TimeSampler // of u, whose quantiles are taken; nil: UniformTimes
	Mean  float64     // of the logit: above 0, more of them are near the data
	Scale float64     // its standard deviation; 0: 1
}

// Sample: -> [n].
func (l LogitNormalTimes) Sample(gen *torch.Generator, n int64, d torch.Device) torch.Tensor {
	of, scale := l.Of, l.Scale
	if of == nil {
		of = UniformTimes{}
	}
	if scale == 0 {
		scale = 1
	}
	logit := torch.AddScalar(torch.MulScalar(normalQuantile(of.Sample(gen, n, d)), scale), l.Mean)
	return torch.Sigmoid(logit).CastTo(torch.Float)
}

// normalQuantile is that of N(0,1) at u: [n] in [0,1), the root of two times the inverse of erf
// at 2u-1: [n] float64. Winitzki's approximation of it (2008) is off by 2e-3 of it, and two
// steps of Newton's method make that less than 1e-6.
func normalQuantile(u torch.Tensor) torch.Tensor {
	const a = 0.147
	const least = 0x1p-25 // between 0 and the first number after it that u may be
	y := torch.AddScalar(torch.MulScalar(torch.Clamp(u.CastTo(torch.Double), least, 1-least), 2), -1)
	log := torch.Log1p(torch.Neg(torch.Square(y)))
	w := torch.AddScalar(torch.MulScalar(log, 0.5), 2/(math.Pi*a))
	x := torch.Mul(torch.Sign(y), torch.Sqrt(torch.Sub(torch.Sqrt(torch.Sub(torch.Square(w), torch.MulScalar(log, 1/a), 1)), w, 1)))
	for range 2 {
		slope := torch.MulScalar(torch.Exp(torch.Neg(torch.Square(x))), 2/math.Sqrt(math.Pi))
		x = torch.Sub(x, torch.Div(torch.Sub(torch.Erf(x), y, 1), slope), 1)
	}
	return torch.MulScalar(x, math.Sqrt2)
}
