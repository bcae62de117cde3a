package gotorch

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/wangkuiyi/gotorch/weights"
)

// Every type that files have comes back with its bytes; others are refused by number.
func TestWeightsOfEveryType(t *testing.T) {
	for _, d := range []weights.DType{weights.Float, weights.Double, weights.Half, weights.BFloat16, weights.Long,
		weights.Int, weights.Short, weights.Char, weights.Byte, weights.Bool} {
		w := &weights.Tensor{DType: d, Shape: []int64{3, 1}, Data: make([]byte, 3*d.Size())}
		w.Data[d.Size()] = 1
		x, err := FromWeights(w)
		if err != nil || x.Dtype() != dtypes[d] {
			t.Fatalf("%v: type %d, error %v", d, x.Dtype(), err)
		}
		back, err := ToWeights(x)
		if err != nil || back.DType != d || !slices.Equal(back.Shape, w.Shape) || !slices.Equal(back.Data, w.Data) {
			t.Errorf("%v: %+v, error %v", d, back, err)
		}
	}
	if _, err := FromWeights(&weights.Tensor{Shape: []int64{1}, Data: []byte{1}}); err == nil {
		t.Error("a tensor of no type is made")
	}
	if _, err := ToWeights(Empty([]int64{2}, false).CastTo(ComplexFloat)); err == nil || !strings.Contains(err.Error(), "type 9 cannot be saved") {
		t.Errorf("%v", err)
	}
	if _, err := ToWeights(Tensor{}); err == nil {
		t.Error("no tensor is saved")
	}
}

// A shape's elements are counted without overflow.
func TestNumel(t *testing.T) {
	for _, c := range []struct {
		shape []int64
		want  int64
	}{{nil, 1}, {[]int64{2, 3, 4}, 24}, {[]int64{2, 0, 4}, 0}, {[]int64{2, -1}, -1}, {[]int64{math.MaxInt64, 2}, -1}} {
		if got := Numel(c.shape); got != c.want {
			t.Errorf("%v: %d, want %d", c.shape, got, c.want)
		}
	}
	// 2^62 * 4 elements of no byte are not the shape of nothing.
	if err := Try(func() { FromSlice([]float32{}, 1<<62, 4) }); err == nil {
		t.Error("an overflowing shape is taken")
	}
	if err := Try(func() { FromBytes(nil, Float, 1<<62, 4) }); err == nil {
		t.Error("an overflowing shape of bytes is taken")
	}
}
