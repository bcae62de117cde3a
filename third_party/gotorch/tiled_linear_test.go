package gotorch

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Linear layers of bf16 by tiles, forward and backward, against float64, which
// libtorch's operations compute.

type tiledCase struct {
	rows, in, out int64
	layout        string // contiguous, view (columns of a wider tensor)
	plain         bool   // without bias
	half          bool   // parameters are bf16
}

var tiledCases = []tiledCase{
	{64, 64, 192, "contiguous", false, false},
	{1, 32, 32, "contiguous", false, false},
	{33, 96, 32, "contiguous", false, true}, // a block and one row
	{700, 32, 160, "view", true, false},     // more rows than are packed at a time, and threads
	{1100, 512, 64, "view", false, true},
	{300, 512, 512, "contiguous", false, false},
}

func (c tiledCase) String() string {
	return fmt.Sprint(c.rows, "x", c.in, " to ", c.out, ", ", c.layout, ", plain ", c.plain, ", half ", c.half)
}

// run is the output and the gradients of x, weight and bias, in float64, of a layer of
// x in half, if that is set, and else of all in the type.
func (c tiledCase) run(dtype int8, layer func(x, w, b Tensor) Tensor) (out []Tensor) {
	leaf := func(k uint32, scale float64, dtype int8, shape ...int64) Tensor {
		return Clone(source{Shape: shape, K: k, Scale: scale}.tensor().CastTo(BFloat16).CastTo(dtype))
	}
	parameters := dtype
	if dtype == BFloat16 && !c.half {
		parameters = Float
	}
	x := leaf(1, 4, dtype, c.rows, c.in).SetRequiresGrad(true)
	w := leaf(2, 1, parameters, c.out, c.in).SetRequiresGrad(true)
	leaves := []Tensor{x, w}
	var b Tensor
	if !c.plain {
		b = leaf(3, 2, parameters, c.out).SetRequiresGrad(true)
		leaves = append(leaves, b)
	}
	laid := x
	if c.layout == "view" {
		laid = Narrow(Cat([]Tensor{x, x}, 1), 1, 0, c.in)
	}
	y := layer(laid, w, b)
	out = append([]Tensor{y.Detach()}, AutogradGrad([]Tensor{y}, leaves, AutogradOptions{GradOutputs: []Tensor{leaf(4, 2, y.Dtype(), c.rows, c.out)}})...)
	for i, g := range out[1:] {
		if g.Dtype() != leaves[i].Dtype() {
			panic(fmt.Sprint("a gradient of another type than ", i, "'s"))
		}
	}
	for i := range out {
		out[i] = out[i].CastTo(Double)
	}
	return out
}

func autocastLinear(x, w, b Tensor) Tensor {
	return autocast(func() Tensor { return RawLinear(x, w, b) })
}

func autocastLinearSilu(x, w, b Tensor) Tensor {
	return autocast(func() Tensor { return RawLinearSilu(x, w, b) })
}

// libtorch's product of the same, of what is no matrix of tokens.
func autocastConv(x, w, b Tensor) Tensor {
	return autocast(func() Tensor {
		return Squeeze(RawConv1d(Unsqueeze(x.Transpose(0, 1), 0), Unsqueeze(w, 2), b, []int64{1}, []int64{0}, []int64{1}, 1), 0).Transpose(0, 1)
	})
}

func TestKernelTiledLinear(t *testing.T) {
	needsTiles(t)
	for _, c := range tiledCases {
		t.Run(c.String(), func(t *testing.T) {
			Scoped(func() {
				want := c.run(Double, RawLinear)
				got, theirs := c.run(BFloat16, autocastLinear), c.run(BFloat16, autocastConv)
				for i := range want {
					ours, libtorch := off(got[i], want[i], want[i]), off(theirs[i], want[i], want[i])
					// What is rounded once is off by 2^-9 at most.
					if !(ours <= max(libtorch, 1.0/512)) {
						t.Errorf("part %d: off by %.2g, libtorch's by %.2g", i, ours, libtorch)
					}
					if !c.half && i >= 2 && !(ours <= 1e-5) {
						t.Errorf("part %d, in float32: off by %.2g", i, ours)
					}
				}
			})
		})
	}
}

// A layer followed by SiLU, as one operation.
func TestKernelTiledLinearSilu(t *testing.T) {
	needsTiles(t)
	silu := func(x, w, b Tensor) Tensor { return Silu(RawLinear(x, w, b)) }
	for _, c := range tiledCases {
		t.Run(c.String(), func(t *testing.T) {
			Scoped(func() {
				want := c.run(Double, silu)
				got := c.run(BFloat16, autocastLinearSilu)
				theirs := c.run(BFloat16, func(x, w, b Tensor) Tensor {
					return autocast(func() Tensor { return Silu(autocastConv(x, w, b)) })
				})
				for i := range want {
					// Both round before and after SiLU, in other places.
					ours, libtorch := off(got[i], want[i], want[i]), off(theirs[i], want[i], want[i])
					if !(ours <= max(1.1*libtorch, 1.0/512)) {
						t.Errorf("part %d: off by %.2g, libtorch's by %.2g", i, ours, libtorch)
					}
				}
			})
		})
	}
	Scoped(func() {
		x, w, b := Ones([]int64{70, 64}, false), MulScalar(Ones([]int64{96, 64}, false), 0.01).SetRequiresGrad(true), Ones([]int64{96}, false)
		var y, without Tensor
		names := Profile(func() {
			y = autocastLinearSilu(x, w, b)
			NoGrad(func() { without = autocastLinearSilu(x, w, b) })
		})
		if !Equal(y, without) {
			t.Error("without gradients it is another one")
		}
		if slices.ContainsFunc(names, func(o OperationProfile) bool { return strings.HasPrefix(o.Name, "gotorch::bias_silu") }) {
			t.Error("SiLU has a pass of its own")
		}
	})
}

// The same number of threads gives the same bits, with SiLU, too.
func TestKernelTiledLinearThreads(t *testing.T) {
	n := NumThreads()
	defer SetNumThreads(int32(n))
	c := tiledCases[4]
	for _, threads := range []int32{1, 3} {
		SetNumThreads(threads)
		for _, layer := range []struct{ plain, tiled func(x, w, b Tensor) Tensor }{
			{RawLinear, autocastLinear},
			{func(x, w, b Tensor) Tensor { return Silu(RawLinear(x, w, b)) }, autocastLinearSilu},
		} {
			Scoped(func() {
				want := c.run(Double, layer.plain)
				first, second := c.run(BFloat16, layer.tiled), c.run(BFloat16, layer.tiled)
				for i := range first {
					if d := off(first[i], want[i], want[i]); !(d <= 1.0/256) {
						t.Errorf("%d threads: part %d is off by %.2g", threads, i, d)
					}
					if !Equal(first[i], second[i]) {
						t.Errorf("%d threads: part %d differs", threads, i)
					}
				}
			})
		}
	}
}

// What is no number does not get lost.
func TestKernelTiledLinearNotANumber(t *testing.T) {
	Scoped(func() {
		x := Ones([]int64{40, 32}, false)
		x.DivI(Zeros([]int64{40, 1}, Options{}))
		y := autocastLinear(MulScalar(x, 0), Ones([]int64{32, 32}, true), Tensor{})
		if s := SumAll(y.CastTo(Float)).ItemFloat(); s == s {
			t.Error("a sum of ", s)
		}
	})
}

// Gradients of gradients, and those of some operands alone.
func TestKernelTiledLinearGradients(t *testing.T) {
	for name, layer := range map[string]struct{ plain, tiled func(x, w, b Tensor) Tensor }{
		"linear":    {RawLinear, autocastLinear},
		"with SiLU": {func(x, w, b Tensor) Tensor { return Silu(RawLinear(x, w, b)) }, autocastLinearSilu},
	} {
		t.Run(name, func(t *testing.T) {
			Scoped(func() {
				x := source{Shape: []int64{40, 32}, K: 1, Scale: 2}.tensor().CastTo(BFloat16).CastTo(Float).SetRequiresGrad(true)
				w := source{Shape: []int64{64, 32}, K: 2, Scale: 1}.tensor().CastTo(BFloat16).CastTo(Float).SetRequiresGrad(true)
				twice := func(f func(x, w, b Tensor) Tensor) Tensor {
					g := AutogradGrad([]Tensor{SumAll(Square(f(x, w, Tensor{}).CastTo(Float)))}, []Tensor{w}, AutogradOptions{CreateGraph: true})[0]
					return AutogradGrad([]Tensor{SumAll(Square(g))}, []Tensor{x}, AutogradOptions{})[0]
				}
				if want := twice(layer.plain); !(off(twice(layer.tiled), want, want) <= 1.0/64) {
					t.Errorf("twice: off by %.2g", off(twice(layer.tiled), want, want))
				}
				bias := Ones([]int64{64}, true)
				for name, leaf := range map[string]Tensor{"x": x, "w": w, "bias": bias} {
					operands := []Tensor{x.Detach(), w.Detach(), bias.Detach()}
					operands[slices.Index([]string{"x", "w", "bias"}, name)] = leaf
					of := func(f func(x, w, b Tensor) Tensor) Tensor {
						y := f(operands[0], operands[1], operands[2])
						return AutogradGrad([]Tensor{SumAll(y.CastTo(Float))}, []Tensor{leaf}, AutogradOptions{})[0]
					}
					if got, want := of(layer.tiled), of(layer.plain); !(off(got, want, want) <= 1.0/256) {
						t.Errorf("%s alone: off by %.2g", name, off(got, want, want))
					}
				}
			})
		})
	}
}

func TestKernelTiledLinearOutOfMemory(t *testing.T) {
	Scoped(func() {
		everyAllocationFails(t, 5, func() { tiledCases[2].run(BFloat16, autocastLinear) })
		everyAllocationFails(t, 7, func() { tiledCases[2].run(BFloat16, autocastLinearSilu) })
	})
}
