package gotorch

import "testing"

// RawLinears is RawLinear of each layer, with the gradients of each; on a GPU, where it is one
// product, to rounding.
func TestLinears(t *testing.T) { linears(t, CPU, 0) }

func TestGPULinears(t *testing.T) { linears(t, gpu(t), 1e-6) }

func linears(t *testing.T, d Device, tolerance float64) {
	x := RandN([]int64{5, 12}, false).To(d).SetRequiresGrad(true)
	var w, b, more []Tensor
	for _, out := range []int64{16, 24, 9} {
		w = append(w, RandN([]int64{out, 12}, false).To(d).SetRequiresGrad(true))
		b = append(b, RandN([]int64{out}, false).To(d).SetRequiresGrad(true))
		more = append(more, RandN([]int64{out}, false).To(d).SetRequiresGrad(true))
	}
	for _, more := range [][]Tensor{nil, more} {
		var each []Tensor
		operands := append(append(append([]Tensor{x}, w...), b...), more...)
		for i := range w {
			bias := b[i]
			if more != nil {
				bias = Add(bias, more[i], 1)
			}
			each = append(each, RawLinear(x, w[i], bias))
		}
		learn := func(y []Tensor) []Tensor {
			sum := Zeros(nil, Options{Device: d})
			for _, y := range y {
				sum = Add(sum, SumAll(Square(y)), 1)
			}
			return append(y, AutogradGrad([]Tensor{sum}, operands, AutogradOptions{})...)
		}
		got, want := learn(RawLinears(x, w, b, more)), learn(each)
		for i := range want {
			if far := off(got[i].Detach().To(CPU), want[i].Detach().To(CPU), want[i].Detach().To(CPU)); !(far <= tolerance) {
				t.Errorf("tensor %d of %d is %v off", i, len(want), far)
			}
		}
	}
	for _, f := range []func(){func() { RawLinears(x, nil, nil, nil) }, func() { RawLinears(x, w, b[:1], nil) }, func() { RawLinears(x, w, b, more[:2]) }} {
		if Try(f) == nil {
			t.Error("layers without their biases are added up")
		}
	}
}

func TestIndexedChanges(t *testing.T) {
	a := FromSlice([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
	a.ScatterAddI(1, FromSlice([]int64{0, 0, 2, 2}, 2, 2), FromSlice([]float32{10, 20, 30, 40}, 2, 2))
	a.IndexCopyI(1, FromSlice([]int64{1}, 1), FromSlice([]float32{7, 8}, 2, 1))
	if want := FromSlice([]float32{31, 7, 3, 4, 8, 76}, 2, 3); !Equal(a, want) {
		t.Error(a)
	}
}
