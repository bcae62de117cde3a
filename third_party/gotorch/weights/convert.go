package weights

import (
	"encoding/binary"
	"fmt"
	"math"
)

var le = binary.LittleEndian

// FromFloat32 makes a float32 tensor of a copy of values; without a shape it is one-dimensional
// ([]int64{}... is the shape of a single number).
// A shape that does not fit is found by [Tensor.Check], which every writer calls.
func FromFloat32(values []float32, shape ...int64) *Tensor {
	b := make([]byte, 4*len(values))
	for i, v := range values {
		le.PutUint32(b[4*i:], math.Float32bits(v))
	}
	return &Tensor{Float, shapeOr(shape, len(values)), b}
}

// FromFloat64 makes a float64 tensor, as [FromFloat32] does.
func FromFloat64(values []float64, shape ...int64) *Tensor {
	b := make([]byte, 8*len(values))
	for i, v := range values {
		le.PutUint64(b[8*i:], math.Float64bits(v))
	}
	return &Tensor{Double, shapeOr(shape, len(values)), b}
}

// FromInt64 makes an int64 tensor, as [FromFloat32] does.
func FromInt64(values []int64, shape ...int64) *Tensor {
	b := make([]byte, 8*len(values))
	for i, v := range values {
		le.PutUint64(b[8*i:], uint64(v))
	}
	return &Tensor{Long, shapeOr(shape, len(values)), b}
}

// ToBFloat16 gives the tensor with its elements rounded to the nearest bfloat16, ties to
// even, as PyTorch rounds; a tensor of integers as it is.
func (t *Tensor) ToBFloat16() (*Tensor, error) {
	if t != nil && !t.DType.Floating() {
		return t, t.Check()
	}
	values, err := t.Float32s()
	if err != nil {
		return nil, err
	}
	b := make([]byte, 2*len(values))
	for i, v := range values {
		le.PutUint16(b[2*i:], bfloat16(v))
	}
	return &Tensor{BFloat16, shapeOr(t.Shape, len(values)), b}, nil
}

// bfloat16 is the upper half of a float32, rounded.
func bfloat16(v float32) uint16 {
	bits := math.Float32bits(v)
	if v != v {
		return uint16(bits>>16) | 0x40 // quiet: what is cut off must not make it infinite
	}
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}

// Scalar makes a float64 tensor without dimensions.
func Scalar(v float64) *Tensor {
	t := FromFloat64([]float64{v})
	t.Shape = []int64{}
	return t
}

// ScalarInt makes an int64 tensor without dimensions.
func ScalarInt(v int64) *Tensor {
	t := FromInt64([]int64{v})
	t.Shape = []int64{}
	return t
}

func shapeOr(shape []int64, n int) []int64 {
	if shape == nil {
		return []int64{int64(n)}
	}
	return append([]int64(nil), shape...)
}

// Float32s gives the elements of a floating-point tensor as float32. From float16 and bfloat16 this is exact,
// from float64 rounded.
func (t *Tensor) Float32s() ([]float32, error) {
	if err := t.checkKind(t != nil && t.DType.Floating(), "float32"); err != nil {
		return nil, err
	}
	out := make([]float32, t.Numel())
	switch t.DType {
	case Float:
		for i := range out {
			out[i] = math.Float32frombits(le.Uint32(t.Data[4*i:]))
		}
	case Double:
		for i := range out {
			out[i] = float32(math.Float64frombits(le.Uint64(t.Data[8*i:])))
		}
	case Half:
		for i := range out {
			out[i] = halfToFloat32(le.Uint16(t.Data[2*i:]))
		}
	case BFloat16:
		for i := range out {
			out[i] = math.Float32frombits(uint32(le.Uint16(t.Data[2*i:])) << 16)
		}
	}
	return out, nil
}

// Float64s gives the elements of a floating-point tensor as float64, exactly.
func (t *Tensor) Float64s() ([]float64, error) {
	if t != nil && t.DType == Double {
		if err := t.Check(); err != nil {
			return nil, err
		}
		out := make([]float64, t.Numel())
		for i := range out {
			out[i] = math.Float64frombits(le.Uint64(t.Data[8*i:]))
		}
		return out, nil
	}
	f, err := t.Float32s()
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(f))
	for i, v := range f {
		out[i] = float64(v)
	}
	return out, nil
}

// Int64s gives the elements of an integer or bool tensor as int64.
func (t *Tensor) Int64s() ([]int64, error) {
	if err := t.checkKind(t != nil && !t.DType.Floating(), "int64"); err != nil {
		return nil, err
	}
	out := make([]int64, t.Numel())
	for i := range out {
		switch t.DType {
		case Long:
			out[i] = int64(le.Uint64(t.Data[8*i:]))
		case Int:
			out[i] = int64(int32(le.Uint32(t.Data[4*i:])))
		case Short:
			out[i] = int64(int16(le.Uint16(t.Data[2*i:])))
		case Char:
			out[i] = int64(int8(t.Data[i]))
		default: // Byte, Bool
			out[i] = int64(t.Data[i])
		}
	}
	return out, nil
}

// Finite says whether no element is NaN or infinite; integers always are finite.
func (t *Tensor) Finite() bool {
	switch t.DType {
	case Float:
		return noneSet(t.Data, 4, 0x7f800000)
	case Double:
		return noneSet(t.Data, 8, 0x7ff0000000000000)
	case Half:
		return noneSet(t.Data, 2, 0x7c00)
	case BFloat16:
		return noneSet(t.Data, 2, 0x7f80)
	}
	return true
}

// noneSet says whether no element has all bits of its exponent set.
func noneSet(b []byte, size int, exponent uint64) bool {
	for ; len(b) >= size; b = b[size:] {
		var v uint64
		switch size {
		case 2:
			v = uint64(le.Uint16(b))
		case 4:
			v = uint64(le.Uint32(b))
		default:
			v = le.Uint64(b)
		}
		if v&exponent == exponent {
			return false
		}
	}
	return true
}

func (t *Tensor) checkKind(ok bool, want string) error {
	if err := t.Check(); err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("%s cannot be read as %s", t.DType, want)
	}
	return nil
}

// halfToFloat32 widens an IEEE binary16, exactly; NaN keeps its payload.
func halfToFloat32(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exp, frac := uint32(h>>10)&31, uint32(h&0x3ff)
	switch {
	case exp == 31:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	case exp != 0:
		return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
	default: // zero or subnormal: frac * 2^-24
		v := float32(frac) / (1 << 24)
		return math.Float32frombits(math.Float32bits(v) | sign)
	}
}
