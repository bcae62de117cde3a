package gotorch

import (
	"errors"
	"fmt"
	"testing"
)

// Products by weights that do not change any more, against float64; in bf16 from
// numbers that are exact in it.

type frozenCase struct {
	rows, in, out int64
	view          bool // x is columns of a wider tensor
}

var frozenCases = []frozenCase{
	{64, 512, 512, false},
	{1, 1, 1, false},
	{33, 3, 17, false}, // a vector and one element
	{100, 2, 7, false}, // no vector is full
	{70, 3, 512, false},
	{70, 512, 2, false},
	{33, 67, 1, false},
	{33, 48, 40, true},
	{33, 3, 40, true},
	{33, 40, 3, true},
}

func (c frozenCase) inputs(half bool) (x, w, b Tensor) {
	in := []Tensor{
		source{Shape: []int64{c.rows, c.in}, K: 1, Scale: 4}.tensor(),
		source{Shape: []int64{c.out, c.in}, K: 2, Scale: 1}.tensor(),
		source{Shape: []int64{c.out}, K: 3, Scale: 2}.tensor(),
	}
	for i := range in {
		if half {
			in[i] = in[i].CastTo(BFloat16)
		}
		in[i] = in[i].CastTo(Double)
	}
	return in[0], in[1], in[2]
}

func (c frozenCase) laid(x Tensor) Tensor {
	if c.view {
		return Narrow(Cat([]Tensor{x, x}, 1), 1, 0, c.in)
	}
	return x
}

func TestFrozenProducts(t *testing.T) {
	for _, c := range frozenCases {
		for _, half := range []bool{false, true} {
			for act := range int64(3) {
				name := fmt.Sprintf("%+v, bf16 %v, activation %d", c, half, act)
				Scoped(func() {
					x, w, b := c.inputs(half)
					want := RawLinear(x, w, b)
					switch act {
					case 1:
						want = Silu(want)
					case 2:
						want = GeluTanh(want)
					}
					dtype, tolerance := Float, 1e-5
					if half {
						dtype, tolerance = BFloat16, 4e-3 // what rounding the result costs
					}
					check := func(what string, got Tensor, tolerance float64) {
						got = got.CastTo(Double)
						if d := off(got, want, want); !(d <= tolerance) {
							t.Errorf("%s, %s: %v off", name, what, d)
						}
					}
					laid := c.laid(x.CastTo(dtype))
					check("packed", RawLinearPacked(laid, PackLinear(w.CastTo(dtype)), b.CastTo(dtype), act), tolerance)
					if act < 2 {
						check("widened", RawWiden(c.laid(x.CastTo(Float)), Transpose(w.CastTo(Float), 0, 1), b.CastTo(Float), dtype, act == 1), tolerance)
					}
					if act == 0 {
						check("narrowed", RawNarrow(laid, w.CastTo(Float), b.CastTo(Float)), 1e-5)
					}
				})
			}
		}
	}
}

func TestFrozenProductsOnLesserProcessors(t *testing.T) {
	onLesserProcessors(t, "^TestFrozen(Products|Convolutions)$", "ONEDNN_MAX_CPU_ISA=AVX2", "DNNL_MAX_CPU_ISA=avx2")
}

func TestFrozenConvolutions(t *testing.T) {
	for _, c := range []struct{ in, out, kernel, stride, size int64 }{
		{32, 64, 3, 1, 7}, {64, 32, 3, 1, 1}, {32, 48, 3, 1, 7}, {1, 32, 3, 1, 9}, {32, 1, 3, 1, 8}, {64, 32, 1, 1, 5}, {16, 16, 3, 2, 8}, {3, 5, 3, 1, 6},
	} {
		for _, half := range []bool{false, true} {
			for _, last := range []bool{false, true} {
				Scoped(func() {
					dtype, tolerance := Float, 1e-5
					if half {
						dtype, tolerance = BFloat16, 4e-3
					}
					tensor := func(k uint32, scale float64, shape ...int64) Tensor {
						return source{Shape: shape, K: k, Scale: scale}.tensor().CastTo(dtype).CastTo(Double)
					}
					x, w, b := tensor(1, 2, 3, c.in, c.size, c.size), tensor(2, 1, c.out, c.in, c.kernel, c.kernel), tensor(3, 1, c.out)
					stride, padding, one := []int64{c.stride, c.stride}, []int64{c.kernel / 2, c.kernel / 2}, []int64{1, 1}
					want := RawConv2d(x, w, b, stride, padding, one, 1)
					given := x.CastTo(dtype)
					if last {
						given = ChannelsLast(given)
					}
					got := RawConv2dPacked(given, PackConv2d(w.CastTo(dtype), stride, padding, one, 1), b.CastTo(dtype), stride, padding, one, 1)
					got = got.CastTo(Double)
					if d := off(got, want, want); !(d <= tolerance) {
						t.Errorf("%+v, bf16 %v, channels last %v: %v off", c, half, last, d)
					}
				})
			}
		}
	}
}

func TestFrozenConvolutionsOnLesserProcessors(t *testing.T) {
	onLesserProcessors(t, "^TestFrozenConvolutions$")
}

// Wrong shapes, types and devices are errors of the operation, and memory that is
// exhausted is one of memory.
func TestFrozenProductsRefuse(t *testing.T) {
	f := func(shape ...int64) Tensor { return Ones(shape, false) }
	for name, call := range map[string]func(){
		"weight of others":       func() { RawWiden(f(4, 3), f(2, 8), f(8), Float, true) },
		"bias of others":         func() { RawWiden(f(4, 3), f(3, 8), f(7), Float, true) },
		"to integers":            func() { RawWiden(f(4, 3), f(3, 8), f(8), Long, true) },
		"from bf16":              func() { RawWiden(f(4, 3).CastTo(BFloat16), f(3, 8), f(8), Float, true) },
		"weight in bf16":         func() { RawNarrow(f(4, 8), f(3, 8).CastTo(BFloat16), f(3)) },
		"a number":               func() { RawNarrow(f(), f(3, 8), f(3)) },
		"narrow of others":       func() { RawNarrow(f(4, 7), f(3, 8), f(3)) },
		"packed, of other width": func() { RawLinearPacked(f(4, 7), PackLinear(f(8, 9)), f(8), 1) },
		"packed, other channels": func() {
			one := []int64{1, 1}
			RawConv2dPacked(f(1, 64, 4, 4), PackConv2d(f(32, 32, 3, 3), one, one, one, 1), f(32), one, one, one, 1)
		},
		"packed, bias of others": func() {
			one := []int64{1, 1}
			RawConv2dPacked(f(1, 32, 4, 4), PackConv2d(f(32, 32, 3, 3), one, one, one, 1), f(31), one, one, one, 1)
		},
	} {
		Scoped(func() {
			var e *Error
			if err := typed(call); !errors.As(err, &e) || e.OutOfMemory {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	Scoped(func() {
		x, w, b := f(4, 3), f(3, 8), f(8)
		everyAllocationFails(t, 1, func() { RawWiden(x, w, b, BFloat16, true) })
		everyAllocationFails(t, 1, func() { RawNarrow(f(4, 8), w, f(3)) })
	})
}
