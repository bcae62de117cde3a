package flow

import torch "github.com/wangkuiyi/gotorch"

// jacobian is a field's velocity and its Jacobian at x: [B,...] -> v: [B,...],
// j: [B,D,D] with j[b,i,k] = dv_i/dx_k, by one vector-Jacobian product for each
// of the D numbers of a sample. It holds for any field whose samples do not
// depend on each other.
func jacobian(f Field, x torch.Tensor, t float64) (v, j torch.Tensor) {
	b, d := x.Shape()[0], numel(x)
	v = withInput(f, x, t, func(x, flat torch.Tensor) {
		var rows []torch.Tensor
		for i := range d {
			rows = append(rows, vjp(torch.Select(flat, 1, i), x, torch.Tensor{}, i < d-1).View(b, d))
		}
		j = torch.Stack(rows, 1)
	})
	return v, j
}

// divergence is a field's velocity and the trace of its Jacobian:
// x: [B,...] -> v: [B,...], div: [B].
func divergence(f Field, x torch.Tensor, t float64) (v, div torch.Tensor) {
	b, d := x.Shape()[0], numel(x)
	v = withInput(f, x, t, func(x, flat torch.Tensor) {
		div = torch.Keep(torch.Zeros([]int64{b}, torch.Options{Device: x.Device()}))
		for i := range d {
			torch.Scoped(func() { // an image has thousands of these
				row := vjp(torch.Select(flat, 1, i), x, torch.Tensor{}, i < d-1).View(b, d)
				torch.NoGrad(func() { div.AddI(torch.Select(row, 1, i), 1) })
			})
		}
	})
	return v, div
}

// hutchinson is a field's velocity and estimates of its divergence, one for each
// probe (Hutchinson 1989; Grathwohl et al. 2019, eq. 7).
// x: [B,...], probes: [P,B,D] -> v: [B,...], div: [B,P].
func hutchinson(f Field, x torch.Tensor, t float64, probes torch.Tensor) (v, div torch.Tensor) {
	b, d, p := x.Shape()[0], numel(x), probes.Shape()[0]
	v = withInput(f, x, t, func(x, flat torch.Tensor) {
		var each []torch.Tensor
		for i := range p {
			e := torch.Select(probes, 0, i) // [B,D]
			each = append(each, torch.SumDims(torch.Mul(vjp(flat, x, e, i < p-1).View(b, d), e), []int64{1}, false))
		}
		div = torch.Stack(each, 1)
	})
	return v, div
}

// withInput evaluates f at a copy of x through which gradients are taken.
// flat is v as [B,D].
func withInput(f Field, x torch.Tensor, t float64, use func(x, flat torch.Tensor)) (v torch.Tensor) {
	torch.WithGrad(func() {
		in := x.Detach()
		in.SetRequiresGrad(true)
		out := f(in, t)
		use(in, out.View(x.Shape()[0], -1))
		v = out.Detach()
	})
	return v
}

// vjp is the gradient of sum(weights out) with respect to x, in x's shape.
func vjp(out, x, weights torch.Tensor, again bool) torch.Tensor {
	o := torch.AutogradOptions{RetainGraph: again, GradOutputs: []torch.Tensor{weights}}
	if weights.T == nil {
		o.GradOutputs[0] = torch.AddScalar(torch.ZerosLike(out), 1)
	}
	g := torch.AutogradGrad([]torch.Tensor{out}, []torch.Tensor{x}, o)[0]
	if g.T == nil || !g.Defined() {
		return torch.ZerosLike(x) // the velocity does not depend on x
	}
	return g
}

// numel is the number of numbers of a sample.
func numel(x torch.Tensor) int64 { return x.Numel() / max(1, x.Shape()[0]) }
