package gotorch

// What ops.txt generates under names of its own gets upstream's signatures
// here, beside the forms that take options.

// RandN is normal numbers of mean 0 and variance 1.
func RandN(shape []int64, requiresGrad bool) Tensor {
	return leaf(opRandN(shape, nil, Options{}), requiresGrad)
}

// Rand is uniform numbers in [0, 1).
func Rand(shape []int64, requiresGrad bool) Tensor {
	return leaf(opRand(shape, nil, Options{}), requiresGrad)
}

// Empty is a tensor whose elements are not set.
func Empty(shape []int64, requiresGrad bool) Tensor {
	return leaf(opEmpty(shape, Options{}), requiresGrad)
}

// Ones is a tensor of ones.
func Ones(shape []int64, requiresGrad bool) Tensor {
	return leaf(opFull(shape, 1, Options{}), requiresGrad)
}

// Zeros is a tensor of zeros.
func Zeros(shape []int64, o Options) Tensor { return opZeros(shape, o) }

// EmptyWith is a tensor whose elements are not set.
func EmptyWith(shape []int64, o Options) Tensor { return opEmpty(shape, o) }

// FullWith is a tensor of one value.
func FullWith(shape []int64, value float64, o Options) Tensor { return opFull(shape, value, o) }

// Full is a tensor of one value.
func Full(shape []int64, value float32, requiresGrad bool) Tensor {
	return leaf(opFull(shape, float64(value), Options{}), requiresGrad)
}

// Eye is ones on the diagonal.
func Eye(n, m int64, requiresGrad bool) Tensor { return leaf(opEye(n, m, Options{}), requiresGrad) }

// ArangeWith is begin, begin+step, ... below end.
func ArangeWith(begin, end, step float64, o Options) Tensor { return opArange(begin, end, step, o) }

// Arange is begin, begin+step, ... below end.
func Arange(begin, end, step float32, requiresGrad bool) Tensor {
	return leaf(opArange(float64(begin), float64(end), float64(step), Options{}), requiresGrad)
}

// Linspace is steps numbers from begin to end.
func Linspace(begin, end float32, steps int64, requiresGrad bool) Tensor {
	return leaf(opLinspace(float64(begin), float64(end), steps, Options{}), requiresGrad)
}

// Logspace is steps numbers from base^begin to base^end.
func Logspace(begin, end float32, steps int64, base float64, requiresGrad bool) Tensor {
	return leaf(opLogspace(float64(begin), float64(end), steps, base, Options{}), requiresGrad)
}

func leaf(t Tensor, requiresGrad bool) Tensor {
	if requiresGrad {
		t.SetRequiresGrad(true)
	}
	return t
}

// Add is a + alpha other.
func Add(a, other Tensor, alpha float32) Tensor { return opAdd(a, other, float64(alpha)) }

// Sub is a - alpha other.
func Sub(a, other Tensor, alpha float32) Tensor { return opSub(a, other, float64(alpha)) }

// Mul is a * other.
func Mul(a, other Tensor) Tensor { return opMul(a, other) }

// Div is a / other.
func Div(a, other Tensor) Tensor { return opDiv(a, other) }

// Add is a + alpha other.
func (a *Tensor) Add(other Tensor, alpha float32) Tensor { return Add(*a, other, alpha) }

// AddI adds alpha other to a.
func (a *Tensor) AddI(other Tensor, alpha float32) Tensor { return opAddI(*a, other, float64(alpha)) }

// Sub is a - alpha other.
func (a *Tensor) Sub(other Tensor, alpha float32) Tensor { return Sub(*a, other, alpha) }

// SubI subtracts alpha other from a.
func (a *Tensor) SubI(other Tensor, alpha float32) Tensor { return opSubI(*a, other, float64(alpha)) }

// Mul is a * other.
func (a *Tensor) Mul(other Tensor) Tensor { return Mul(*a, other) }

// MulI multiplies a by other.
func (a *Tensor) MulI(other Tensor) Tensor { return opMulI(*a, other) }

// Div is a / other.
func (a *Tensor) Div(other Tensor) Tensor { return Div(*a, other) }

// DivI divides a by other.
func (a *Tensor) DivI(other Tensor) Tensor { return opDivI(*a, other) }

// MulScalarI multiplies a by s.
func (a Tensor) MulScalarI(s float64) { opMulScalarI(a, s) }

// AddScalarI adds s to a.
func (a Tensor) AddScalarI(s float64) { opAddScalarI(a, s) }

// Eq compares element by element.
func Eq(a, other Tensor) Tensor { return opEq(a, other) }

// Equal tells whether a and b have the same shape and elements.
func Equal(a, b Tensor) bool { return opEqual(a, b) }

// AllClose tells whether a and b agree within 1e-5 of b plus 1e-8.
func AllClose(a, b Tensor) bool { return opAllClose(a, b, 1e-5, 1e-8) }

// LtScalar is a < s.
func LtScalar(a Tensor, s float64) Tensor { return opLtScalar(a, s) }

// LeScalar is a <= s.
func LeScalar(a Tensor, s float64) Tensor { return opLeScalar(a, s) }

// GtScalar is a > s.
func GtScalar(a Tensor, s float64) Tensor { return opGtScalar(a, s) }

// GeScalar is a >= s.
func GeScalar(a Tensor, s float64) Tensor { return opGeScalar(a, s) }

// EqScalar is a == s.
func EqScalar(a Tensor, s float64) Tensor { return opEqScalar(a, s) }

// Relu is max(t, 0).
func Relu(t Tensor) Tensor { return opRelu(t) }

// LeakyRelu is t where positive, negativeSlope t elsewhere.
func LeakyRelu(t Tensor, negativeSlope float64) Tensor { return opLeakyRelu(t, negativeSlope) }

// Sigmoid is 1 / (1 + exp(-t)).
func Sigmoid(t Tensor) Tensor { return opSigmoid(t) }

// Tanh is the hyperbolic tangent.
func Tanh(t Tensor) Tensor { return opTanh(t) }

// Silu is t sigmoid(t).
func Silu(t Tensor) Tensor { return opSilu(t) }

// Gelu is t times the normal distribution function of t.
func Gelu(t Tensor) Tensor { return opGelu(t) }

// LogSoftmax is the logarithm of Softmax along dim.
func LogSoftmax(t Tensor, dim int64) Tensor { return opLogSoftmax(t, dim) }

// Dropout sets elements to 0 with probability p, and scales the others by
// 1/(1-p), in training only.
func Dropout(t Tensor, p float64, training bool) Tensor {
	if p == 0 || !training {
		return t
	}
	return opDropout(t, p, training)
}

// Bernoulli is 1 with probability p and 0 otherwise, in t's shape and type.
func Bernoulli(t Tensor, p float64, g *Generator) Tensor { return opBernoulli(t, p, g) }

// Mean of all elements.
func Mean(t Tensor) Tensor { return opMean(t) }

// Mean of all elements.
func (a Tensor) Mean() Tensor { return opMean(a) }

// MeanDims is the mean over dims.
func MeanDims(t Tensor, dims []int64, keepDim bool) Tensor { return opMeanDims(t, dims, keepDim) }

// SumDims is the sum over dims.
func SumDims(t Tensor, dims []int64, keepDim bool) Tensor { return opSumDims(t, dims, keepDim) }

// SumAll is the sum of all elements.
func SumAll(t Tensor) Tensor { return opSum(t) }

// MaxAll is the greatest element.
func MaxAll(t Tensor) Tensor { return opMax(t) }

// MinAll is the least element.
func MinAll(t Tensor) Tensor { return opMin(t) }

// ArgmaxDim is where the greatest element is along dim.
func ArgmaxDim(t Tensor, dim int64, keepDim bool) Tensor { return opArgmax(t, dim, keepDim) }

// MM is the matrix product of two matrices.
func MM(a, b Tensor) Tensor { return opMM(a, b) }

// Attention is softmax(q k' scale) v, computed without storing the scores.
// q, k, v: [...,L,D].
func Attention(q, k, v Tensor, scale float64) Tensor { return opAttention(q, k, v, scale) }

// Einsum is the product of tensors that equation describes by letters for
// their dimensions: "bij,bjk->bik".
func Einsum(equation string, tensors ...Tensor) Tensor { return opEinsum(equation, tensors) }

// ChannelsLast is a with the same elements and shape, laid out in memory as
// [B,H,W,C].
func ChannelsLast(a Tensor) Tensor { return opChannelsLast(a) }

// View gives a the shape without copying.
func View(a Tensor, shape ...int64) Tensor { return opView(a, shape) }

// View gives a the shape without copying.
func (a Tensor) View(shape ...int64) Tensor { return opView(a, shape) }

// Flatten joins the dimensions from startDim to endDim.
func Flatten(a Tensor, startDim, endDim int64) Tensor { return opFlatten(a, startDim, endDim) }

// Permute reorders the dimensions.
func (a *Tensor) Permute(dims []int64) Tensor { return opPermute(*a, dims) }

// Transpose swaps two dimensions.
func Transpose(a Tensor, dim0, dim1 int64) Tensor { return opTranspose(a, dim0, dim1) }

// Transpose swaps two dimensions.
func (a Tensor) Transpose(dim0, dim1 int64) Tensor { return opTranspose(a, dim0, dim1) }

// Squeeze removes dimensions of size 1: all of them, or the one given.
func Squeeze(t Tensor, dim ...int64) Tensor {
	switch len(dim) {
	case 0:
		return opSqueeze(t)
	case 1:
		return opSqueezeDim(t, dim[0])
	}
	failf("Squeeze", "one dimension at most, %d given", len(dim))
	return Tensor{}
}

// ExpandAs gives a other's shape by repeating dimensions of size 1.
func ExpandAs(a, other Tensor) Tensor { return opExpandAs(a, other) }

// Stack joins tensors along a new dimension.
func Stack(tensors []Tensor, dim int64) Tensor { return opStack(tensors, dim) }

// IndexSelect picks slices along dim by index, int64.
func IndexSelect(a Tensor, dim int64, index Tensor) Tensor { return opIndexSelect(a, dim, index) }

// TopK is the k greatest or least elements along dim and where they are.
func TopK(a Tensor, k, dim int64, largest, sorted bool) (Tensor, Tensor) {
	return opTopK(a, k, dim, largest, sorted)
}

// To moves a to the device, and casts it where dtype is given.
func (a Tensor) To(device Device, dtype ...int8) Tensor {
	d := a.Dtype()
	if len(dtype) > 0 {
		d = dtype[0]
	}
	return opTo(a, Options{Device: device, Dtype: d, DtypeSet: true}, false)
}

// ToAsync is To that does not wait for a copy from pinned memory.
func (a Tensor) ToAsync(device Device) Tensor {
	return opTo(a, Options{Device: device, Dtype: a.Dtype(), DtypeSet: true}, true)
}

// CastTo converts the elements to dtype.
func (a Tensor) CastTo(dtype int8) Tensor { return opCast(a, dtype) }

// CopyTo copies a to the device.
func (a Tensor) CopyTo(device Device) Tensor { return a.To(device) }

// PinMemory copies a into page-locked memory, from which copies to a GPU need
// not wait. Without CUDA it is a itself.
func (a Tensor) PinMemory() Tensor {
	if !IsCUDAAvailable() {
		a.handle()
		return a
	}
	return opPinMemory(a)
}

// CopyI copies src's elements into a.
func (a Tensor) CopyI(src Tensor) { opCopyI(a, src, false) }

// FillI sets every element of a.
func (a Tensor) FillI(value float64) { opFillI(a, value) }

// ScatterAddI adds src's elements to a's, put where Gather would find them.
func (a Tensor) ScatterAddI(dim int64, index, src Tensor) { opScatterAddI(a, dim, index, src) }

// IndexCopyI copies src's slices along dim into those of a that index, int64 [n], names.
func (a Tensor) IndexCopyI(dim int64, index, src Tensor) { opIndexCopyI(a, dim, index, src) }

// NormalI fills a with normal numbers from g (nil: the default generator).
func (a Tensor) NormalI(mean, std float64, g *Generator) { opNormalI(a, mean, std, g) }

// UniformI fills a with uniform numbers from g (nil: the default generator).
func (a Tensor) UniformI(low, high float64, g *Generator) { opUniformI(a, low, high, g) }
