package gotorch

import (
	"reflect"
	"strings"

	"github.com/wangkuiyi/gotorch/variadic"
)

// The rest of upstream's signatures: options by map or by position, and the
// functions as methods.

// Sum of all elements, or with the options "dim" (int) and "keepDim" (bool)
// along one dimension.
func Sum(a Tensor, opt ...map[string]interface{}) Tensor {
	v, ok := variadic.Lookup(opt, "dim")
	if !ok {
		return opSum(a)
	}
	dim := integer("Sum", "dim", v)
	keep := false
	if v, ok := variadic.Lookup(opt, "keepDim"); ok {
		keep = truth("Sum", "keepDim", v)
	}
	return opSumDims(a, []int64{dim}, keep)
}

// Sum is as the function Sum.
func (a Tensor) Sum(opt ...map[string]interface{}) Tensor { return Sum(a, opt...) }

func integer(op, name string, v interface{}) int64 {
	r := reflect.ValueOf(v)
	if !r.IsValid() || !r.CanInt() {
		failf(op, "%s is %v, a %T; it must be an integer", name, v, v)
	}
	return r.Int()
}

func truth(op, name string, v interface{}) bool {
	b, ok := v.(bool)
	if !ok {
		failf(op, "%s is %v, a %T; it must be a bool", name, v, v)
	}
	return b
}

// Argmin is where the least element is: of all, or by position along a
// dimension (an integer), which is kept (a bool) or not.
func (a Tensor) Argmin(opts ...interface{}) Tensor {
	return a.arg("Argmin", opts, opArgminAll, opArgmin)
}

// Argmax is where the greatest element is, as Argmin.
func (a Tensor) Argmax(opts ...interface{}) Tensor {
	return a.arg("Argmax", opts, opArgmaxAll, opArgmax)
}

func (a Tensor) arg(op string, opts []interface{}, all func(Tensor) Tensor, along func(Tensor, int64, bool) Tensor) Tensor {
	switch len(opts) {
	case 0:
		return all(a)
	case 1:
		return along(a, integer(op, "the dimension", opts[0]), false)
	case 2:
		return along(a, integer(op, "the dimension", opts[0]), truth(op, "whether it is kept", opts[1]))
	}
	failf(op, "a dimension and whether it is kept, at most; %d options were given", len(opts))
	return Tensor{}
}

// Index is one element, a tensor without dimensions; there is an index for
// each dimension.
func (a Tensor) Index(index ...int64) Tensor {
	if d := a.Dim(); int64(len(index)) != d {
		failf("Index", "%d indices for %d dimensions", len(index), d)
	}
	if len(index) == 0 {
		return a
	}
	t := a
	for n, i := range index {
		next := Select(t, 0, i)
		if n > 0 {
			t.Close()
		}
		t = next
	}
	return t
}

// Eq compares element by element.
func (a Tensor) Eq(other Tensor) Tensor { return opEq(a, other) }

// ExpandAs gives a other's shape by repeating dimensions of size 1.
func (a Tensor) ExpandAs(other Tensor) Tensor { return opExpandAs(a, other) }

// IndexSelect picks slices along dim by index, int64.
func (a Tensor) IndexSelect(dim int64, index Tensor) Tensor { return opIndexSelect(a, dim, index) }

// LogSoftmax is the logarithm of Softmax along dim.
func (a Tensor) LogSoftmax(dim int64) Tensor { return opLogSoftmax(a, dim) }

// Sigmoid is 1 / (1 + exp(-a)).
func (a Tensor) Sigmoid() Tensor { return opSigmoid(a) }

// Tanh is the hyperbolic tangent.
func (a Tensor) Tanh() Tensor { return opTanh(a) }

// Squeeze is as the function Squeeze.
func (a Tensor) Squeeze(dim ...int64) Tensor { return Squeeze(a, dim...) }

// LeakyRelu is a where positive, negativeSlope a elsewhere.
func (a *Tensor) LeakyRelu(negativeSlope float64) Tensor { return opLeakyRelu(*a, negativeSlope) }

// Relu is max(a, 0).
func (a *Tensor) Relu() Tensor { return opRelu(*a) }

// To moves a to the device and casts it.
func To(a Tensor, device Device, dtype int8) Tensor { return a.To(device, dtype) }

// CUDA moves a to a GPU; nonBlocking does not wait for a copy from pinned
// memory.
func (a Tensor) CUDA(device Device, nonBlocking bool) Tensor {
	needCUDA("CUDA")
	if !device.IsCUDA() {
		failf("CUDA", "%v is no GPU", device)
	}
	if nonBlocking {
		return a.ToAsync(device)
	}
	return a.To(device)
}

// asPinned makes a text say of a pinned tensor what upstream's programs
// expect: CUDAFloatType.
func asPinned(a Tensor, text string) string {
	if cudaWhy != "" || !opIsPinned(a) {
		return text
	}
	i := strings.LastIndex(text, "[ CPU")
	if i < 0 {
		return text
	}
	return text[:i] + "[ CUDA" + text[i+len("[ CPU"):]
}
