package flow

import torch "github.com/wangkuiyi/gotorch"

// Path leads from noise x0 at t = 0 to a data point x1 at t = 1.
type Path interface {
	// At is the point x_t on the way and the velocity u there.
	// x0, x1: [B,...], t: [B] -> xt, u: [B,...].
	At(x0, x1, t torch.Tensor) (xt, u torch.Tensor)
}

// StableTargets is what a path offers whose targets can be averaged over the
// data points of the batch that x_t may lead to, in place of the one that it was
// made from (Xu, Tong and Jaakkola 2023, "Stable Target Field", for the paths of
// Lipman et al. 2023):
//
//	u_i = sum_j w_ij u(x_t,i | x1_j),  w_ij = p_t(x_t,i | x1_j) / sum_k p_t(x_t,i | x1_k)
//
// Its mean is the same: x1_i is drawn from the posterior of x_t,i and the others
// from the prior, and picking one of them by w leaves the posterior as it is
// (iterated sampling importance resampling, Andrieu et al. 2018), so only
// variance is lost. It pays where data have few dimensions; between images the
// weights are 0 or 1. The data must not have been paired with the noise.
type StableTargets interface {
	// StableTarget is At with the averaged velocity, of points.
	// x0, x1: [B,D], t: [B] -> xt, u: [B,D].
	StableTarget(x0, x1, t torch.Tensor) (xt, u torch.Tensor)
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
