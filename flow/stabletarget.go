package flow

import torch "github.com/wangkuiyi/gotorch"

// averaged is the stable target (see StableTargets) of a Gaussian path, x_t =
// alpha x1 + sigma x0. Its velocity u(x_t | x1) is linear in x1: the average's
// differs from that of x1_i by the average's distance from x1_i times a slope.
//
// x0, x1, u: [B,D], ratio (alpha / sigma), slope: [B] -> u: [B,D].
func averaged(x0, x1, u, ratio, slope torch.Tensor) torch.Tensor {
	return torch.AddCMul(u, awayOf(x0, x1, ratio), slope.View(-1, 1), 1)
}

// awayOf is how far the data points x1 lie from the averages of those that their x_t
// may lead to. x0, x1: [B,D], ratio: [B] -> [B,D].
func awayOf(x0, x1, ratio torch.Tensor) torch.Tensor {
	if d := x1.Device(); x1.Dtype() == torch.Float && (!d.IsCUDA() || torch.CUDAKernels(d, "stable_target").OK) {
		return torch.RawStableTarget(x0, x1, ratio)
	}
	n := x1.Shape()[0]
	// Rows at a time, so that memory does not grow with the square of the batch.
	rows := min(n, max(1, stableElements/n))
	var parts []torch.Tensor
	for from := int64(0); from < n; from += rows {
		m := min(rows, n-from)
		torch.Scoped(func() {
			parts = append(parts, torch.Keep(fromAverage(x1, torch.Narrow(x0, 0, from, m), torch.Narrow(x1, 0, from, m), torch.Narrow(ratio, 0, from, m))))
		})
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return torch.Cat(parts, 0)
}

// stableElements bounds what is computed of the B x B weights at a time.
const stableElements = 1 << 24

// fromAverage is how far the data points x1: [m,D] of some of a batch's x_t lie
// from the averages, over all: [B,D], of those that x_t may lead to. x0: [m,D],
// ratio: [m] -> [m,D].
func fromAverage(all, x0, x1, ratio torch.Tensor) torch.Tensor {
	ratio = ratio.View(-1, 1)

	// (x_t,i - alpha x1_j) / sigma, one dimension after the other: [m,B]. From
	// differences, so that nothing cancels where sigma is small.
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
	// The difference is multiplied by the slope, 1,000 where t is .999: products
	// that round to TF32's 10 bits would leave nothing of it.
	var mean torch.Tensor
	torch.FullPrecision(func() { mean = torch.MatMul(w, all) })
	return torch.Sub(mean, x1, 1)
}
