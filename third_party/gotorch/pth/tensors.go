package pth

import (
	"math/bits"

	"github.com/wangkuiyi/gotorch/weights"
)

// storage is a record of elements, in which tensors are views.
type storage struct {
	record *record
	dtype  weights.DType
	numel  int64
	data   []byte // once it is read
}

// openStorage checks a storage of the pickle against its record.
func (a *archive) openStorage(key string, dtype weights.DType, numel int64) (*storage, error) {
	name := a.root + "/data/" + key
	r, ok := a.byName[name]
	if !ok {
		return nil, damaged("%s is missing", show(name))
	}
	if hi, size := bits.Mul64(uint64(numel), uint64(dtype.Size())); numel < 0 || hi != 0 || size != uint64(r.size) {
		return nil, damaged("%s: %d bytes, not %d elements of %s", show(name), r.size, numel, dtype)
	}
	return &storage{record: r, dtype: dtype, numel: numel}, nil
}

// checkBools refuses bytes other than 0 and 1, with which C++ may do anything.
func (s *storage) checkBools() error {
	if s.dtype != weights.Bool {
		return nil
	}
	for i, b := range s.data {
		if b > 1 {
			return damaged("%s: the bool at %d is %d", show(s.record.name), i, b)
		}
	}
	return nil
}

// view is a tensor in a storage: element (i, j, ...) is at offset + i*stride[0] + j*stride[1] + ...
type view struct {
	storage *storage
	offset  int64
	stride  []int64
	tensor  *weights.Tensor
}

// check wants every element inside of the storage, by checked arithmetic.
func (v *view) check() error {
	shape := v.tensor.Shape
	if len(shape) != len(v.stride) {
		return refused("a tensor with %d sizes and %d strides", len(shape), len(v.stride))
	}
	if len(shape) > weights.MaxRank {
		return overLimit("a tensor of %d dimensions, at most %d", len(shape), weights.MaxRank)
	}
	for i := range shape {
		if shape[i] < 0 || v.stride[i] < 0 {
			return refused("a tensor with the size %d and the stride %d", shape[i], v.stride[i])
		}
	}
	numel := weights.Numel(shape)
	if numel < 0 || weights.ByteSize(v.tensor.DType, shape) < 0 {
		return refused("a tensor of the impossible shape %v", shape)
	}
	if v.offset < 0 || v.offset > v.storage.numel {
		return refused("a tensor at element %d of a storage of %d", v.offset, v.storage.numel)
	}
	if numel == 0 {
		return nil
	}
	last := uint64(v.offset)
	for i := range shape {
		hi, step := bits.Mul64(uint64(shape[i]-1), uint64(v.stride[i]))
		sum, carry := bits.Add64(last, step, 0)
		if hi != 0 || carry != 0 {
			return refused("a tensor's strides overflow")
		}
		last = sum
	}
	if last >= uint64(v.storage.numel) {
		return refused("a tensor reaches element %d of a storage of %d", last, v.storage.numel)
	}
	return nil
}

// contiguous says whether the elements follow each other in row-major order.
func (v *view) contiguous() bool {
	want := int64(1)
	for i := len(v.stride) - 1; i >= 0; i-- {
		if size := v.tensor.Shape[i]; size != 1 {
			if v.stride[i] != want {
				return false
			}
			want *= size
		}
	}
	return true
}

// fill gives the tensor its bytes: the storage's own memory where it is contiguous, else a copy in row-major order,
// whose memory was charged before.
func (v *view) fill() {
	size := v.tensor.DType.Size()
	n := v.tensor.Numel() * size
	from := v.offset * size
	switch {
	case n == 0:
		v.tensor.Data = []byte{}
	case v.contiguous():
		v.tensor.Data = v.storage.data[from : from+n : from+n]
	default:
		v.tensor.Data = make([]byte, 0, n)
		v.gather(0, from)
	}
}

// gather appends the elements of dimension dim and beyond, from byte at of the storage.
func (v *view) gather(dim int, at int64) {
	t, size := v.tensor, v.tensor.DType.Size()
	if dim == len(t.Shape) {
		t.Data = append(t.Data, v.storage.data[at:at+size]...)
		return
	}
	for range t.Shape[dim] {
		v.gather(dim+1, at)
		at += v.stride[dim] * size
	}
}
