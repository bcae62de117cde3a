package flow

import torch "github.com/wangkuiyi/gotorch"

// Path is the conditional optimal-transport path from noise to a data point
// (Lipman et al. 2023, section 4.1, example II).
type Path struct {
	SigmaMin float64 // standard deviation left around the data point at t = 1; 0
}

// At is the point x_t and the velocity u there.
// x0, x1: [B,...], t: [B] -> xt, u: [B,...].
func (p Path) At(x0, x1, t torch.Tensor) (xt, u torch.Tensor) {
	u = torch.AddScaled(x1, x0, p.SigmaMin-1)
	// t x1 + (1 - (1-s) t) x0 = x0 + t (x1 - (1-s) x0)
	return torch.AddCMul(x0, u, perSample(t, x1), 1), u
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

// Loss is the mean squared difference of the velocities v and u: [].
func Loss(v, u torch.Tensor) torch.Tensor { return torch.RawMSELoss(v, u, 1) }
