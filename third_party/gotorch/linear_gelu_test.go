package gotorch

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// RawLinearGelu against float64: by tiles, and where the product is libtorch's.

func plainLinearGelu(x, w, b Tensor) Tensor { return GeluTanh(RawLinear(x, w, b)) }

func autocastLinearGelu(x, w, b Tensor) Tensor {
	return autocast(func() Tensor { return RawLinearGelu(x, w, b) })
}

func TestKernelTiledLinearGelu(t *testing.T) {
	needsTiles(t)
	for _, c := range tiledCases {
		t.Run(c.String(), func(t *testing.T) {
			Scoped(func() {
				want := c.run(Double, plainLinearGelu)
				got := c.run(BFloat16, autocastLinearGelu)
				theirs := c.run(BFloat16, func(x, w, b Tensor) Tensor {
					return autocast(func() Tensor { return GeluTanh(autocastConv(x, w, b)) })
				})
				for i := range want {
					// Both round before and after GELU, in other places.
					ours, libtorch := off(got[i], want[i], want[i]), off(theirs[i], want[i], want[i])
					if !(ours <= max(1.1*libtorch, 1.0/512)) {
						t.Errorf("part %d: off by %.2g, libtorch's by %.2g", i, ours, libtorch)
					}
				}
			})
		})
	}
}

// Layers whose product is libtorch's: of other sizes, and in float32.
func TestKernelLinearGelu(t *testing.T) {
	for _, size := range [][2]int64{{30, 20}, {64, 96}, {7, 1}, {1, 33}} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			Scoped(func() {
				c := tiledCase{50, size[0], size[1], "view", false, false}
				want := c.run(Double, plainLinearGelu)
				for i, got := range c.run(Float, RawLinearGelu) {
					if d := off(got, want[i], want[i]); !(d <= 2e-6) {
						t.Errorf("float32, part %d: off by %.2g", i, d)
					}
				}
				theirs := c.run(BFloat16, func(x, w, b Tensor) Tensor {
					return autocast(func() Tensor { return GeluTanh(autocastConv(x, w, b)) })
				})
				for i, got := range c.run(BFloat16, autocastLinearGelu) {
					ours, libtorch := off(got, want[i], want[i]), off(theirs[i], want[i], want[i])
					if !(ours <= max(1.1*libtorch, 1.0/256)) {
						t.Errorf("bf16, part %d: off by %.2g, libtorch's by %.2g", i, ours, libtorch)
					}
				}
			})
		})
	}
}

// Without gradients it is the same to the bit, and GELU has no pass of its own.
func TestKernelLinearGeluInOnePass(t *testing.T) {
	needsTiles(t)
	Scoped(func() {
		x, w, b := Ones([]int64{70, 64}, false), MulScalar(Ones([]int64{96, 64}, false), 0.01).SetRequiresGrad(true), Ones([]int64{96}, false)
		var y, without Tensor
		names := Profile(func() {
			y = autocastLinearGelu(x, w, b)
			NoGrad(func() { without = autocastLinearGelu(x, w, b) })
		})
		if !Equal(y, without) {
			t.Error("without gradients it is another one")
		}
		if slices.ContainsFunc(names, func(o OperationProfile) bool { return strings.HasPrefix(o.Name, "aten::gelu") }) {
			t.Error("GELU has a pass of its own")
		}
		with := RawLinearGelu(x, w, b)
		NoGrad(func() {
			if !Equal(with, RawLinearGelu(x, w, b)) {
				t.Error("in float32 it is another one without gradients")
			}
		})
	})
}

// The formula itself, far from 0, too.
func TestKernelLinearGeluFormula(t *testing.T) {
	Scoped(func() {
		x := []float32{-1e4, -90, -20, -4, -1, -0.1, 0, 1e-20, 0.5, 3, 20, 90, 1e4}
		y := ToSlice[float32](RawLinearGelu(FromSlice(x, int64(len(x)), 1), Ones([]int64{1, 1}, false), Tensor{}))
		for i, v := range x {
			z := float64(v)
			want := z / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(z+0.044715*z*z*z)))
			if got := float64(y[i]); !(math.Abs(got-want) <= 1e-6*math.Abs(want)+1e-7) {
				t.Errorf("of %v: %v, want %v", v, got, want)
			}
		}
	})
}

func TestKernelLinearGeluTwice(t *testing.T) {
	twice := func(dtype int8) Tensor {
		x := source{Shape: []int64{6, 5}, K: 1, Scale: 2}.tensor().CastTo(dtype).SetRequiresGrad(true)
		w := source{Shape: []int64{4, 5}, K: 2, Scale: 1}.tensor().CastTo(dtype).SetRequiresGrad(true)
		g := AutogradGrad([]Tensor{SumAll(Square(RawLinearGelu(x, w, Tensor{})))}, []Tensor{x}, AutogradOptions{CreateGraph: true})[0]
		return AutogradGrad([]Tensor{SumAll(Square(g))}, []Tensor{w}, AutogradOptions{})[0].CastTo(Double)
	}
	Scoped(func() {
		want := twice(Double)
		if d := off(twice(Float), want, want); !(d <= 1e-5) {
			t.Errorf("off by %.2g", d)
		}
	})
}

func TestKernelLinearGeluOnLesserProcessors(t *testing.T) {
	onLesserProcessors(t, "^TestKernelLinearGelu(|Formula)$")
}
