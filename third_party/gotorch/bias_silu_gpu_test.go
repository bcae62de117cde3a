package gotorch

import (
	"math"
	"testing"
)

// RawBiasSilu's kernels for GPUs, against float64 on the processor.

var gpuBiasCases = append([]biasCase{
	{[]int64{1, 8}, "contiguous", false},
	{[]int64{1030, 72}, "contiguous", false},   // more chunks than one; a tile that is not full
	{[]int64{2050, 5}, "contiguous", false},    // and lanes that are not
	{[]int64{5000, 3}, "contiguous", true},     // without a bias nothing is summed
	{[]int64{3, 2072}, "contiguous", false},    // many tiles
	{[]int64{700, 65}, "contiguous", false},    // of one element at a time
	{[]int64{70, 48}, "odd address", false},    // too
	{[]int64{2, 600, 16}, "contiguous", false}, // rows of two dimensions
	{[]int64{1100, 24}, "turned", false},
}, biasCases...)

// laidOn is x, contiguous and of a type of its own, on d in the case's layout.
func (c biasCase) laidOn(d Device, x Tensor) Tensor {
	if c.layout == "odd address" {
		return shifted(x.To(d))
	}
	return c.laid(x.To(d))
}

// shifted is x one element beyond where memory begins, which is no address for several elements at a time.
func shifted(x Tensor) Tensor {
	n := x.Numel()
	return View(Narrow(Cat([]Tensor{Narrow(View(x, -1), 0, 0, 1), View(x, -1)}, 0), 0, 1, n), x.Shape()...)
}

// asLeaf is x as it lies, with a gradient.
func asLeaf(x Tensor) Tensor { return (&x).Detach().SetRequiresGrad(true) }

// runOn is run by RawBiasSilu on d.
func (c biasCase) runOn(d Device, in []Tensor, dtype int8) []Tensor {
	x := asLeaf(c.laidOn(d, in[0].CastTo(dtype)))
	leaves := []Tensor{x}
	var b Tensor
	if !c.plain {
		b = in[1].CastTo(Float).To(d).SetRequiresGrad(true)
		leaves = append(leaves, b)
	}
	y := RawBiasSilu(x, b)
	if y.Dtype() != dtype || !equalShapes(y.Shape(), c.shape) {
		failf("runOn", "%v of type %d", y.Shape(), y.Dtype())
	}
	dy := c.laidOn(d, in[2].CastTo(dtype))
	out := append([]Tensor{y.Detach()}, AutogradGrad([]Tensor{y}, leaves, AutogradOptions{GradOutputs: []Tensor{dy}})...)
	for i := range out {
		out[i] = out[i].To(CPU).CastTo(Double)
	}
	return out
}

func TestGPUBiasSilu(t *testing.T) {
	d := kernels(t)
	for _, c := range gpuBiasCases {
		t.Run(c.String(), func(t *testing.T) { Scoped(func() { c.checkOn(t, d) }) })
	}
}

func (c biasCase) checkOn(t *testing.T, d Device) {
	in := c.inputs(false)
	want, got := c.run(in, Double, false), c.runOn(d, in, Float)
	for i := range want {
		if e := off(got[i], want[i], want[i]); !(e <= 1e-6) {
			t.Errorf("float32, %s: off by %.2g", biasParts[i], e)
		}
	}
	in = c.inputs(true)
	want = c.run(in, Double, false)
	got, theirs := c.runOn(d, in, BFloat16), c.run(in, BFloat16, false)
	for i := range want {
		ours, libtorch := off(got[i], want[i], want[i]), off(theirs[i], want[i], want[i])
		if !(ours <= max(1.05*libtorch, 1.0/512)) { // as in check
			t.Errorf("bf16, %s: off by %.2g, libtorch's by %.2g", biasParts[i], ours, libtorch)
		}
	}
	// Without gradients, and into x itself, there is the same to the bit.
	NoGrad(func() {
		for _, dtype := range []int8{Float, BFloat16} {
			x, b := c.laidOn(d, in[0].CastTo(dtype)), in[1].CastTo(Float).To(d)
			y := RawBiasSilu(x, b)
			RawBiasSiluI(x, b)
			if !Equal(x, y) {
				t.Error("another result in place")
			}
		}
	})
}

// Equal operands give equal bits, in whatever order a block's threads and the blocks run.
func TestGPUBiasSiluOrders(t *testing.T) {
	d := kernels(t)
	for _, c := range gpuBiasCases {
		Scoped(func() {
			for _, dtype := range []int8{Float, BFloat16} {
				in := c.inputs(true)
				first := c.runOn(d, in, dtype)
				for _, order := range []string{"reversed", "shuffled"} {
					t.Setenv("GOTORCH_STANDIN_ORDER", order)
					for i, got := range c.runOn(d, in, dtype) {
						if !Equal(got, first[i]) {
							t.Errorf("%v, type %d, %s: %s differs", c, dtype, order, biasParts[i])
						}
					}
				}
				t.Setenv("GOTORCH_STANDIN_ORDER", "")
			}
		})
	}
}

// The formula itself, far from 0, too.
func TestGPUBiasSiluFormula(t *testing.T) {
	d := kernels(t)
	Scoped(func() {
		x := []float32{-200, -90, -20, -1, 0, 1e-30, 0.5, 3, 20, 90, 1e30, float32(math.Inf(1)), float32(math.NaN())}
		y := ToSlice[float32](RawBiasSilu(FromSlice(x, 1, int64(len(x))).To(d), Tensor{}).To(CPU))
		for i, v := range x {
			want := float64(v) / (1 + math.Exp(-float64(v)))
			// Below -86.5 the exponential is limited: what is left is next to nothing.
			if got := float64(y[i]); math.IsNaN(want) != math.IsNaN(got) || want != got && math.Abs(got-want) > 1e-6*math.Abs(want)+1e-30 {
				t.Errorf("of %v: %v, want %v", v, got, want)
			}
		}
	})
}

// A layer and its activation, with and without autocast and gradients.
func TestGPULinearSilu(t *testing.T) {
	d := kernels(t)
	Scoped(func() {
		in := []Tensor{
			source{Shape: []int64{50, 30}, K: 1, Scale: 4}.tensor(),
			source{Shape: []int64{24, 30}, K: 2, Scale: 1}.tensor(),
			source{Shape: []int64{24}, K: 3, Scale: 1}.tensor(),
		}
		run := func(d Device, dtype int8) []Tensor {
			leaves := make([]Tensor, len(in))
			for i := range in {
				leaves[i] = asLeaf(Clone(in[i].CastTo(dtype)).To(d))
			}
			y := RawLinearSilu(leaves[0], leaves[1], leaves[2])
			out := append([]Tensor{y.Detach()}, AutogradGrad([]Tensor{SumAll(Square(y))}, leaves, AutogradOptions{})...)
			NoGrad(func() { out = append(out, RawLinearSilu(leaves[0], leaves[1], leaves[2])) })
			for i := range out {
				out[i] = out[i].To(CPU).CastTo(Double)
			}
			return out
		}
		want := run(CPU, Double)
		compare := func(what string, got []Tensor, limit float64) {
			for i := range want {
				if e := off(got[i], want[i], want[i]); !(e <= limit) {
					t.Errorf("%s, part %d: off by %.2g", what, i, e)
				}
			}
		}
		compare("float32", run(d, Float), 1e-5)
		Autocast(d, BFloat16, func() { compare("bf16", run(d, Float), 1e-2) })
	})
}

// Gradients of gradients are libtorch's, of numbers that are ours.
func TestGPUBiasSiluTwice(t *testing.T) {
	d := kernels(t)
	twice := func(d Device, dtype int8) Tensor {
		x := source{Shape: []int64{6, 5}, K: 1, Scale: 4}.tensor().CastTo(dtype).To(d).SetRequiresGrad(true)
		b := source{Shape: []int64{5}, K: 2, Scale: 1}.tensor().CastTo(dtype).To(d).SetRequiresGrad(true)
		g := AutogradGrad([]Tensor{SumAll(Square(RawBiasSilu(x, b)))}, []Tensor{x}, AutogradOptions{CreateGraph: true})[0]
		return AutogradGrad([]Tensor{SumAll(Square(g))}, []Tensor{b}, AutogradOptions{})[0].To(CPU).CastTo(Double)
	}
	Scoped(func() {
		want := twice(CPU, Double)
		if e := off(twice(d, Float), want, want); !(e <= 1e-5) {
			t.Errorf("off by %.2g", e)
		}
	})
}

// A gradient that lies where no access gets several elements is one all the same.
func TestGPUBiasSiluGradientAtOddAddress(t *testing.T) {
	d := kernels(t)
	Scoped(func() {
		x := source{Shape: []int64{40, 16}, K: 1, Scale: 4}.tensor().CastTo(BFloat16).To(d).SetRequiresGrad(true)
		dy := source{Shape: []int64{40, 16}, K: 3, Scale: 2}.tensor().CastTo(BFloat16).To(d)
		of := func(dy Tensor) Tensor {
			y := RawBiasSilu(x, Tensor{})
			return AutogradGrad([]Tensor{y}, []Tensor{x}, AutogradOptions{GradOutputs: []Tensor{dy}})[0]
		}
		if !Equal(of(shifted(dy)), of(dy)) {
			t.Error("it is another")
		}
	})
}
