package flow

import torch "github.com/wangkuiyi/gotorch"

// StableTarget is the velocity at x_t averaged over the data points of the batch
// that x_t may lead to, in place of the one that it was made from (Xu, Tong and
// Jaakkola 2023, "Stable Target Field", for the path of Lipman et al. 2023):
//
//	u_i = sum_j w_ij u(x_t,i | x1_j),  w_ij = p_t(x_t,i | x1_j) / sum_k p_t(x_t,i | x1_k)
//
// Its mean is the same: x1_i is drawn from the posterior of x_t,i and the others
// from the prior, and picking one of them by w leaves the posterior as it is
// (iterated sampling importance resampling, Andrieu et al. 2018), so only
// variance is lost. It pays where data have few dimensions; between images the
// weights are 0 or 1. The data must not have been paired with the noise.
//
// x0, x1: [B,D], t: [B] -> u: [B,D], xt: [B,D] as Path.At.
func (p Path) StableTarget(x0, x1, t torch.Tensor) (xt, u torch.Tensor) {
	xt, u = p.At(x0, x1, t)
	keep := 1 - p.SigmaMin
	// std = 1 - (1-s) t is that of x_t around t x1.
	std := torch.Clamp(torch.AddScalar(torch.MulScalar(t, -keep), 1), 1e-6, 1)
	ratio := torch.Div(t, std).View(-1, 1) // [B,1]

	// (x_t,i - t x1_j) / std, one dimension after the other: [B,B]. From
	// differences, so that nothing cancels where std is small.
	var squares torch.Tensor
	for d := range x1.Shape()[1] {
		own, all := torch.Narrow(x1, 1, d, 1), torch.Select(x1, 1, d).View(1, -1)
		z := torch.Add(torch.Mul(torch.Sub(own, all, 1), ratio), torch.Narrow(x0, 1, d, 1), 1)
		if d == 0 {
			squares = torch.Mul(z, z)
		} else {
			squares = torch.AddCMul(squares, z, z, 1)
		}
	}
	w := torch.Softmax(torch.MulScalar(squares, -0.5), 1)
	// u(x_t | x1) is linear in x1: the average's differs by the average's
	// distance from x1_i.
	away := torch.Sub(torch.MatMul(w, x1), x1, 1)
	return xt, torch.AddCMul(u, away, torch.AddScalar(torch.MulScalar(ratio, keep), 1), 1)
}
