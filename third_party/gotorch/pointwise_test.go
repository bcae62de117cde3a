package gotorch

import (
	"fmt"
	"testing"
)

// Convolutions by a kernel of one element against float64 and libtorch's own, where
// they are products (pixels: channels side by side, bf16) and where they are not.
func TestKernelPointwise(t *testing.T) {
	for _, c := range []struct {
		shape  []int64 // of x
		out    int64
		pixels bool
		bias   bool
	}{
		{[]int64{2, 64, 49}, 192, true, true},
		{[]int64{3, 5, 7}, 1, true, true},
		{[]int64{1, 33, 1}, 17, true, false},
		{[]int64{2, 64, 49}, 192, false, true},
		{[]int64{2, 48, 6, 5}, 32, true, true},
		{[]int64{1, 7, 3, 3}, 9, true, false},
		{[]int64{2, 48, 6, 5}, 32, false, true},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			Scoped(func() {
				kernel := append([]int64{c.out, c.shape[1]}, 1)
				last := []int64{0, 2, 1}
				back := last
				if len(c.shape) == 4 {
					kernel, last, back = append(kernel, 1), []int64{0, 2, 3, 1}, []int64{0, 3, 1, 2}
				}
				of := func(k uint32, scale float64, shape ...int64) Tensor {
					return source{Shape: shape, K: k, Scale: scale}.tensor().CastTo(BFloat16).CastTo(Double)
				}
				in := []Tensor{of(1, 2, c.shape...), of(2, 1, kernel...)}
				if c.bias {
					in = append(in, of(3, 1, c.out))
				}
				dy := of(4, 1, append([]int64{c.shape[0], c.out}, c.shape[2:]...)...)
				run := func(dtype int8, forward func(x, w, b Tensor) Tensor) (all []Tensor) {
					var leaves []Tensor
					for _, t := range in {
						leaves = append(leaves, Clone(t.CastTo(dtype)).SetRequiresGrad(true))
					}
					x, b := leaves[0], Tensor{}
					if c.pixels {
						x = opPermute(Contiguous(opPermute(x, last)), back)
					}
					if c.bias {
						b = leaves[2]
					}
					y := forward(x, leaves[1], b)
					for _, g := range append([]Tensor{y}, AutogradGrad([]Tensor{y}, leaves, AutogradOptions{GradOutputs: []Tensor{dy.CastTo(dtype)}})...) {
						all = append(all, g.Detach().CastTo(Double))
					}
					return all
				}
				raw := func(x, w, b Tensor) Tensor {
					one, none := []int64{1, 1}, []int64{0, 0}
					if x.Dim() == 4 {
						return RawConv2d(x, w, b, one, none, one, 1)
					}
					return RawConv1d(x, w, b, one[:1], none[:1], one[:1], 1)
				}
				// The convolution of the layout that is never made a product.
				theirs := func(x, w, b Tensor) Tensor { return raw(Contiguous(x), w, b) }
				want := run(Double, theirs)
				exact, ours, libtorch := run(Float, raw), run(BFloat16, raw), run(BFloat16, theirs)
				for i, part := range []string{"output", "gradient of x", "gradient of w", "gradient of b"}[:len(want)] {
					if d := off(exact[i], want[i], want[i]); !(d <= 1e-5) {
						t.Errorf("float32, %s: off by %.2g", part, d)
					}
					if d, l := off(ours[i], want[i], want[i]), off(libtorch[i], want[i], want[i]); !(d <= max(l, 1.0/512)) {
						t.Errorf("bf16, %s: off by %.2g, libtorch's by %.2g", part, d, l)
					}
				}
			})
		})
	}
}

// A product of what lies channel by channel elsewhere stays that way, so that what
// follows needs no copy; and it is one product, not a convolution.
func TestKernelPointwiseLayout(t *testing.T) {
	Scoped(func() {
		x := Ones([]int64{2, 5, 3}, false).CastTo(BFloat16).Transpose(1, 2) // [2,3,5], channels side by side
		w := Ones([]int64{4, 3, 1}, false).CastTo(BFloat16)
		var y Tensor
		for _, o := range Profile(func() { y = RawConv1d(x, w, Tensor{}, []int64{1}, []int64{0}, []int64{1}, 1) }) {
			if o.Name == "aten::convolution" || o.Name == "aten::copy_" {
				t.Error(o.Name)
			}
		}
		View(y.Transpose(1, 2), -1) // fails where it is not so
	})
}
