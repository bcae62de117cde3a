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
	n := x1.Shape()[0]
	// Rows at a time, so that memory does not grow with the square of the batch.
	rows := min(n, max(1, stableElements/n))
	away := make([]torch.Tensor, 0, (n+rows-1)/rows)
	for from := int64(0); from < n; from += rows {
		m := min(rows, n-from)
		torch.Scoped(func() {
			away = append(away, torch.Keep(p.fromAverage(x1, torch.Narrow(x0, 0, from, m), torch.Narrow(x1, 0, from, m), torch.Narrow(t, 0, from, m))))
		})
	}
	d := away[0]
	if len(away) > 1 {
		d = torch.Cat(away, 0)
	}
	// u(x_t | x1) is linear in x1: the average's differs by the average's
	// distance from x1_i.
	ratio := torch.Div(t, p.std(t)).View(-1, 1)
	return xt, torch.AddCMul(u, d, torch.AddScalar(torch.MulScalar(ratio, keep), 1), 1)
}

// stableElements bounds what is computed of the B x B weights at a time.
const stableElements = 1 << 24

// std: [B] is that of x_t around t x1, 1 - (1-s) t.
func (p Path) std(t torch.Tensor) torch.Tensor {
	return torch.Clamp(torch.AddScalar(torch.MulScalar(t, p.SigmaMin-1), 1), 1e-6, 1)
}

// fromAverage is how far the data points x1: [m,D] of some of a batch's x_t lie
// from the averages, over all: [B,D], of those that x_t may lead to: [m,D].
func (p Path) fromAverage(all, x0, x1, t torch.Tensor) torch.Tensor {
	ratio := torch.Div(t, p.std(t)).View(-1, 1) // [m,1]

	// (x_t,i - t x1_j) / std, one dimension after the other: [m,B]. From
	// differences, so that nothing cancels where std is small.
	var squares torch.Tensor
	for d := range x1.Shape()[1] {
		own, others := torch.Narrow(x1, 1, d, 1), torch.Select(all, 1, d).View(1, -1)
		z := torch.Add(torch.Mul(torch.Sub(own, others, 1), ratio), torch.Narrow(x0, 1, d, 1), 1)
		if d == 0 {
			squares = torch.Mul(z, z)
		} else {
			squares = torch.AddCMul(squares, z, z, 1)
		}
	}
	w := torch.Softmax(torch.MulScalar(squares, -0.5), 1)
	return torch.Sub(torch.MatMul(w, all), x1, 1)
}
