package flow

import torch "github.com/wangkuiyi/gotorch"

// divergence is a field's velocity and the trace of its Jacobian, by one
// vector-Jacobian product for each of the D numbers of a sample. It holds for
// any shape, and for any field whose samples do not depend on each other.
// x: [B,...] -> v: [B,...], div: [B,1].
func divergence(f Field, x torch.Tensor, t float64) (v, div torch.Tensor) {
	b, d := x.Shape()[0], numel(x)
	return differentiate(f, x, t, func(x, flat torch.Tensor) torch.Tensor {
		div := torch.Zeros([]int64{b}, torch.Options{Device: x.Device()})
		for i := range d {
			torch.Scoped(func() { // an image has thousands of these
				row := vjp(torch.Select(flat, 1, i), x, torch.Tensor{}, i < d-1).View(b, d)
				torch.NoGrad(func() { div.AddI(torch.Select(row, 1, i), 1) })
			})
		}
		return div.View(b, 1)
	})
}

// hutchinson is a field's velocity and estimates e' J e of its divergence, one
// for each probe e (Hutchinson 1989; Grathwohl et al. 2019, eq. 7), by one
// vector-Jacobian product for each probe.
// x: [B,...], probes: [P,B,D] -> v: [B,...], div: [B,P].
func hutchinson(f Field, x torch.Tensor, t float64, probes torch.Tensor) (v, div torch.Tensor) {
	b, d, p := x.Shape()[0], numel(x), probes.Shape()[0]
	return differentiate(f, x, t, func(x, flat torch.Tensor) torch.Tensor {
		each := make([]torch.Tensor, p)
		for i := range p {
			torch.Scoped(func() {
				e := torch.Select(probes, 0, i) // [B,D]
				each[i] = torch.Keep(torch.SumDims(torch.Mul(vjp(flat, x, e, i < p-1).View(b, d), e), []int64{1}, false))
			})
		}
		return torch.Stack(each, 1)
	})
}

// exactAndHutchinson is hutchinson by the rows of the Jacobian, which takes fewer
// products where there are more probes than numbers in a sample; the exact
// divergence, which costs nothing more, is the last column: div: [B,P+1].
func exactAndHutchinson(f Field, x torch.Tensor, t float64, probes torch.Tensor) (v, div torch.Tensor) {
	v, j := jacobian(f, x, t)
	trace := torch.Einsum("bii->b", j).View(-1, 1)
	return v, torch.Cat([]torch.Tensor{torch.Einsum("pbi,bik,pbk->bp", probes, j, probes), trace}, 1)
}

// jacobian is a field's velocity and its Jacobian, j[b,i,k] = dv_i/dx_k.
// x: [B,...] -> v: [B,...], j: [B,D,D].
func jacobian(f Field, x torch.Tensor, t float64) (v, j torch.Tensor) {
	b, d := x.Shape()[0], numel(x)
	return differentiate(f, x, t, func(x, flat torch.Tensor) torch.Tensor {
		var rows []torch.Tensor
		for i := range d {
			rows = append(rows, vjp(torch.Select(flat, 1, i), x, torch.Tensor{}, i < d-1).View(b, d))
		}
		return torch.Stack(rows, 1)
	})
}

// differentiate evaluates f at a copy of x through which gradients are taken,
// and returns the velocity and what use makes of it: flat is the velocity as
// [B,D]. Only these two remain of all that is computed.
func differentiate(f Field, x torch.Tensor, t float64, use func(x, flat torch.Tensor) torch.Tensor) (v, made torch.Tensor) {
	torch.Scoped(func() {
		torch.WithGrad(func() {
			in := x.Detach()
			in.SetRequiresGrad(true)
			out := f(in, t)
			made = torch.Keep(use(in, torch.Reshape(out, []int64{x.Shape()[0], -1})))
			v = torch.Keep(out.Detach())
		})
	})
	return v, made
}

// vjp is the gradient of sum(weights out) with respect to x, in x's shape; no
// weights: of sum(out). again: the computation is kept for another one.
func vjp(out, x, weights torch.Tensor, again bool) torch.Tensor {
	if !out.RequiresGrad() {
		return torch.ZerosLike(x) // the velocity does not depend on x
	}
	if weights.T == nil {
		weights = torch.FullWith(out.Shape(), 1, torch.Options{Device: out.Device()})
	}
	o := torch.AutogradOptions{RetainGraph: again, GradOutputs: []torch.Tensor{weights}}
	g := torch.AutogradGrad([]torch.Tensor{out}, []torch.Tensor{x}, o)[0]
	if g.T == nil || !g.Defined() {
		return torch.ZerosLike(x)
	}
	return torch.Contiguous(g)
}

// numel is the number of numbers of a sample.
func numel(x torch.Tensor) int64 { return x.Numel() / max(1, x.Shape()[0]) }
