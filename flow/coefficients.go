package flow

import torch "github.com/wangkuiyi/gotorch"

// Coefficients are those of an affine path at B times and their derivatives,
// float64, so that what cancels near an end does so without harm:
//
//	x_t = Alpha x1 + Sigma x0,  u = DAlpha x1 + DSigma x0
//
// What is expected of the noise, the data and the velocity at a point x_t obeys
// the same two equations, so that each of the three gives the others (Lipman et
// al. 2024, section 4).
type Coefficients struct {
	Alpha, Sigma, DAlpha, DSigma torch.Tensor // [B]
}

// Noise is the expected noise E[x0 | x_t = x] where the velocity is v.
// x, v: [B,...] -> [B,...].
func (c Coefficients) Noise(x, v torch.Tensor) torch.Tensor {
	return combined(torch.Div(c.DAlpha, c.wronskian()), x, torch.Div(torch.Neg(c.Alpha), c.wronskian()), v)
}

// Data is the expected data point E[x1 | x_t = x] where the velocity is v.
// x, v: [B,...] -> [B,...].
func (c Coefficients) Data(x, v torch.Tensor) torch.Tensor {
	return combined(torch.Div(c.Sigma, c.wronskian()), v, torch.Div(torch.Neg(c.DSigma), c.wronskian()), x)
}

// wronskian is DAlpha Sigma - Alpha DSigma: [B]. It is not 0 on any path here.
func (c Coefficients) wronskian() torch.Tensor {
	return torch.Sub(torch.Mul(c.DAlpha, c.Sigma), torch.Mul(c.Alpha, c.DSigma), 1)
}

// FromNoise is the velocity where the expected noise is x0; at times with Alpha
// above 0. x, x0: [B,...] -> [B,...].
func (c Coefficients) FromNoise(x, x0 torch.Tensor) torch.Tensor {
	ratio := torch.Div(c.DAlpha, c.Alpha)
	return combined(ratio, x, torch.Sub(c.DSigma, torch.Mul(ratio, c.Sigma), 1), x0)
}

// FromData is the velocity where the expected data point is x1; at times with
// Sigma above 0. x, x1: [B,...] -> [B,...].
func (c Coefficients) FromData(x, x1 torch.Tensor) torch.Tensor {
	ratio := torch.Div(c.DSigma, c.Sigma)
	return combined(ratio, x, torch.Sub(c.DAlpha, torch.Mul(ratio, c.Alpha), 1), x1)
}

// at is x_t and u of a pair. x0, x1: [B,...] -> xt, u: [B,...].
func (c Coefficients) at(x0, x1 torch.Tensor) (xt, u torch.Tensor) {
	return combined(c.Alpha, x1, c.Sigma, x0), combined(c.DAlpha, x1, c.DSigma, x0)
}

// stableTarget is at with the averaged velocity, of points. x0, x1: [B,D].
func (c Coefficients) stableTarget(x0, x1 torch.Tensor) (xt, u torch.Tensor) {
	xt, u = c.at(x0, x1)
	sigma := torch.Clamp(c.Sigma, 1e-6, 1)
	ratio := torch.Div(c.Alpha, sigma)
	slope := torch.Sub(c.DAlpha, torch.Mul(ratio, c.DSigma), 1) // of u(x_t | x1) in x1, by FromData
	return xt, averaged(x0, x1, u, ratio.CastTo(x1.Dtype()), slope.CastTo(x1.Dtype()))
}

// combined is a x + b y for each sample. a, b: [B], x, y: [B,...] -> [B,...].
func combined(a, x, b, y torch.Tensor) torch.Tensor {
	a, b = perSample(a.CastTo(x.Dtype()), x), perSample(b.CastTo(y.Dtype()), y)
	return torch.AddCMul(torch.Mul(a, x), b, y, 1)
}

// perSample gives t: [B] as many dimensions as x: [B,1,...].
func perSample(t, x torch.Tensor) torch.Tensor {
	shape := make([]int64, x.Dim())
	for i := range shape {
		shape[i] = 1
	}
	shape[0] = -1
	return t.View(shape...)
}
