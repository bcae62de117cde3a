package weights

import (
	"fmt"
	"math"
	"math/bits"
)

// MaxRank is the most dimensions a tensor may have.
const MaxRank = 8

// Tensor is an n-dimensional array in plain memory.
type Tensor struct {
	DType DType
	Shape []int64 // sizes, outermost first; empty for a single number
	Data  []byte  // contiguous, row-major, little-endian: Numel()*DType.Size() bytes
}

// Numel is the number of elements, or -1 where the shape is negative or its product does not fit.
func (t *Tensor) Numel() int64 { return Numel(t.Shape) }

// Numel is the product of the sizes in shape; -1 where one is negative or the product does not fit in 63 bits.
// A size of 0 makes it 0 only if the other sizes' product fits, so that no stride can overflow.
func Numel(shape []int64) int64 {
	n, empty := uint64(1), false
	for _, s := range shape {
		if s < 0 {
			return -1
		}
		if s == 0 {
			empty = true
			continue
		}
		hi, lo := bits.Mul64(n, uint64(s))
		if hi != 0 || lo > math.MaxInt64 {
			return -1
		}
		n = lo
	}
	if empty {
		return 0
	}
	return int64(n)
}

// ByteSize is the number of bytes that shape and type ask for; -1 where it does not fit.
func ByteSize(d DType, shape []int64) int64 {
	n := Numel(shape)
	if n < 0 || !d.Valid() || n > math.MaxInt64/d.Size() {
		return -1
	}
	return n * d.Size()
}

// Check says what is wrong with t: its type, its rank, or bytes that do not fit its shape.
func (t *Tensor) Check() error {
	switch {
	case t == nil:
		return fmt.Errorf("no tensor")
	case !t.DType.Valid():
		return fmt.Errorf("invalid element type %d", t.DType)
	case len(t.Shape) > MaxRank:
		return fmt.Errorf("%d dimensions, at most %d", len(t.Shape), MaxRank)
	}
	want := ByteSize(t.DType, t.Shape)
	if want < 0 {
		return fmt.Errorf("impossible shape %v", t.Shape)
	}
	if int64(len(t.Data)) != want {
		return fmt.Errorf("%s of shape %v needs %d bytes, has %d", t.DType, t.Shape, want, len(t.Data))
	}
	if t.DType == Bool {
		for i, b := range t.Data {
			if b > 1 { // C++ may do anything with such a bool
				return fmt.Errorf("bool with the value %d at element %d", b, i)
			}
		}
	}
	return nil
}

// Equal says whether type, shape and every byte are equal (so NaN equals itself).
func (t *Tensor) Equal(u *Tensor) bool {
	if t.DType != u.DType || len(t.Shape) != len(u.Shape) || string(t.Data) != string(u.Data) {
		return false
	}
	for i, s := range t.Shape {
		if s != u.Shape[i] {
			return false
		}
	}
	return true
}

// String describes t without its values: "float32[2 3]".
func (t *Tensor) String() string { return fmt.Sprintf("%s%v", t.DType, t.Shape) }
