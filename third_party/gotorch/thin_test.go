package gotorch

import (
	"fmt"
	"testing"
)

// Layers of few inputs or outputs, whose loops are our own, forward and backward,
// against float64, which libtorch's operations compute.

type thinCase struct {
	rows, in, out int64
	layout        string // contiguous, view (columns of a wider tensor)
	plain         bool   // without bias
}

var thinCases = []thinCase{
	{200, 3, 512, "contiguous", false}, // the first layer of points
	{200, 512, 2, "contiguous", false}, // the last one
	{1, 1, 9, "contiguous", false},
	{33, 2, 17, "contiguous", false}, // a block and one row; a vector and one element
	{33, 17, 2, "contiguous", false},
	{65, 5, 40, "view", false},
	{65, 40, 5, "view", false},
	{70, 8, 33, "contiguous", true},
	{70, 33, 8, "contiguous", true},
	{7, 33, 1, "contiguous", false},
}

func (c thinCase) String() string {
	return fmt.Sprint(c.rows, "x", c.in, " to ", c.out, ", ", c.layout, ", plain ", c.plain)
}

// run is the output and the gradients of x, if learns, weight and bias, in float64.
func (c thinCase) run(dtype int8, layer func(x, w, b Tensor) Tensor, learns bool) (out []Tensor) {
	leaf := func(k uint32, scale float64, shape ...int64) Tensor {
		return Clone(source{Shape: shape, K: k, Scale: scale}.tensor().CastTo(BFloat16).CastTo(dtype))
	}
	x := leaf(1, 4, c.rows, c.in)
	var leaves []Tensor
	if learns {
		leaves = append(leaves, x.SetRequiresGrad(true))
	}
	w := leaf(2, 1, c.out, c.in).SetRequiresGrad(true)
	leaves = append(leaves, w)
	var b Tensor
	if !c.plain {
		b = leaf(3, 2, c.out).SetRequiresGrad(true)
		leaves = append(leaves, b)
	}
	laid := x
	if c.layout == "view" {
		laid = Narrow(Cat([]Tensor{x, x}, 1), 1, 0, c.in)
	}
	y := layer(laid, w, b)
	dy := leaf(4, 2, c.rows, c.out).CastTo(y.Dtype())
	out = append([]Tensor{y.Detach()}, AutogradGrad([]Tensor{y}, leaves, AutogradOptions{GradOutputs: []Tensor{dy}})...)
	for i := range out {
		out[i] = out[i].CastTo(Double)
	}
	return out
}

func silu(x, w, b Tensor) Tensor { return Silu(RawLinear(x, w, b)) }

func TestKernelThin(t *testing.T) {
	for _, c := range thinCases {
		for _, learns := range []bool{false, true} {
			for name, layer := range map[string][2]func(x, w, b Tensor) Tensor{
				"linear": {RawLinear, RawLinear}, "with SiLU": {RawLinearSilu, silu},
			} {
				Scoped(func() {
					want := c.run(Double, layer[1], learns)
					for i, got := range c.run(Float, layer[0], learns) {
						if d := off(got, want[i], want[i]); !(d <= 4e-6) {
							t.Errorf("%v, %s, x learns %v, float32, part %d: off by %.2g", c, name, learns, i, d)
						}
					}
					if learns && c.in <= 8 && name != "linear" {
						return // the product is libtorch's
					}
					var got, theirs []Tensor
					Autocast(CPU, BFloat16, func() {
						got = c.run(Float, layer[0], learns)
						theirs = c.run(Float, func(x, w, b Tensor) Tensor { // libtorch's product, whatever the shape
							y := RawConv1d(Unsqueeze(x, 2), Unsqueeze(w, 2), b, []int64{1}, []int64{0}, []int64{1}, 1)
							if y = Squeeze(y, 2); name == "linear" {
								return y
							}
							return Silu(y)
						}, learns)
					})
					for i := range got {
						ours, libtorch := off(got[i], want[i], want[i]), off(theirs[i], want[i], want[i])
						if !(ours <= max(1.1*libtorch, 1.0/512)) {
							t.Errorf("%v, %s, x learns %v, bf16, part %d: off by %.2g, libtorch's by %.2g", c, name, learns, i, ours, libtorch)
						}
					}
				})
			}
		}
	}
}

// Under autocast a layer of few outputs gives bf16, as others do, and the parameters'
// gradients are theirs in type.
func TestKernelThinTypes(t *testing.T) {
	Scoped(func() {
		x, wide, in, out := Ones([]int64{4, 3}, false), Ones([]int64{4, 16}, false), Ones([]int64{16, 3}, true), Ones([]int64{2, 16}, true)
		for name, c := range map[string]struct {
			f    func() Tensor
			want int8
			w    Tensor
		}{
			"widened":                {func() Tensor { return RawLinearSilu(x, in, Tensor{}) }, Float, in},
			"narrowed":               {func() Tensor { return RawLinear(wide, out, Tensor{}) }, Float, out},
			"widened under autocast": {func() Tensor { return autocast(func() Tensor { return RawLinearSilu(x, in, Tensor{}) }) }, BFloat16, in},
			"narrowed under autocast": {func() Tensor {
				return autocast(func() Tensor { return RawLinear(wide.CastTo(BFloat16), out, Tensor{}) })
			}, BFloat16, out},
		} {
			y := c.f()
			if y.Dtype() != c.want {
				t.Errorf("%s: type %d, want %d", name, y.Dtype(), c.want)
			}
			if g := AutogradGrad([]Tensor{SumAll(y.CastTo(Float))}, []Tensor{c.w}, AutogradOptions{})[0]; g.Dtype() != Float {
				t.Errorf("%s: a gradient of type %d", name, g.Dtype())
			}
		}
	})
}

func autocast(f func() Tensor) (y Tensor) {
	Autocast(CPU, BFloat16, func() { y = f() })
	return y
}

// The number of threads changes no bit.
func TestKernelThinThreads(t *testing.T) {
	n := NumThreads()
	defer SetNumThreads(int32(n))
	Scoped(func() {
		for _, c := range []thinCase{{3000, 3, 70, "contiguous", false}, {3000, 70, 2, "contiguous", false}} {
			var first []Tensor
			for _, threads := range []int32{1, 2, 5} {
				SetNumThreads(threads)
				Scoped(func() { // takes the number
					got := c.run(Float, RawLinearSilu, false)
					if first == nil {
						first = got
						for _, g := range got {
							Keep(g)
						}
						return
					}
					for i := range got {
						if !Equal(got[i], first[i]) {
							t.Errorf("%v, %d threads: part %d differs", c, threads, i)
						}
					}
				})
			}
		}
	})
}

// Gradients of gradients.
func TestKernelThinTwice(t *testing.T) {
	Scoped(func() {
		twice := func(dtype int8, in, out int64, layer func(x, w, b Tensor) Tensor) Tensor {
			leaf := func(k uint32, shape ...int64) Tensor {
				return Clone(source{Shape: shape, K: k, Scale: 1}.tensor().CastTo(dtype)).SetRequiresGrad(true)
			}
			leaves := []Tensor{leaf(1, 9, in), leaf(2, out, in), leaf(3, out)}
			x, w, b := leaves[0].Detach(), leaves[1], leaves[2]
			g := AutogradGrad([]Tensor{SumAll(Square(layer(x, w, b)))}, []Tensor{w}, AutogradOptions{CreateGraph: true})[0]
			return AutogradGrad([]Tensor{SumAll(Square(g))}, []Tensor{b}, AutogradOptions{})[0].CastTo(Double)
		}
		for _, c := range []struct {
			in, out int64
			layer   func(x, w, b Tensor) Tensor
			theirs  func(x, w, b Tensor) Tensor
		}{{3, 20, RawLinearSilu, silu}, {20, 3, RawLinear, RawLinear}} {
			want := twice(Double, c.in, c.out, c.theirs)
			if d := off(twice(Float, c.in, c.out, c.layer), want, want); !(d <= 1e-5) {
				t.Errorf("%d to %d: off by %.2g", c.in, c.out, d)
			}
		}
	})
}

func TestKernelThinOutOfMemory(t *testing.T) {
	Scoped(func() {
		everyAllocationFails(t, 5, func() { thinCases[5].run(Float, RawLinearSilu, false) })
		everyAllocationFails(t, 5, func() { thinCases[6].run(Float, RawLinear, true) })
	})
}

func TestKernelThinOnLesserProcessors(t *testing.T) {
	onLesserProcessors(t, "^TestKernelThin(|Threads)$")
}
