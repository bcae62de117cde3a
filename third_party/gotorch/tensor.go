package gotorch

// #include "cgotorch/shim.h"
// #cgo noescape c_gt_tensor_info
// #cgo noescape c_gt_from_data
// #cgo noescape c_gt_copy_in
// #cgo noescape c_gt_copy_out
import "C"

import (
	"fmt"
	"runtime"
	"unsafe"

	"github.com/wangkuiyi/gotorch/weights"
)

// Number is a Go type that tensors are made from and read into.
type Number interface {
	~uint8 | ~int8 | ~int16 | ~int32 | ~int64 | ~float32 | ~float64 | ~bool
}

func dtypeOf[T Number]() int8 {
	var v T
	switch any(v).(type) {
	case uint8:
		return Byte
	case int8:
		return Char
	case int16:
		return Short
	case int32:
		return Int
	case int64:
		return Long
	case float32:
		return Float
	case float64:
		return Double
	case bool:
		return Bool
	}
	failf("FromSlice", "%T is a defined type; convert the slice to its plain type", v)
	return Invalid
}

// Numel is the number of elements that a shape has; -1 where a size is negative, or the
// product too large.
func Numel(shape []int64) int64 { return weights.Numel(shape) }

// FromSlice copies data into a new CPU tensor of the shape.
func FromSlice[T Number](data []T, shape ...int64) Tensor {
	attend()
	if Numel(shape) != int64(len(data)) {
		failf("FromSlice", "%d elements do not make the shape %v", len(data), shape)
	}
	return fromData("FromSlice", unsafe.Pointer(unsafe.SliceData(data)), dtypeOf[T](), shape)
}

// FromBytes copies raw elements, little-endian and in row-major order, into a
// new CPU tensor.
func FromBytes(data []byte, dtype int8, shape ...int64) Tensor {
	attend()
	size := dtypeSize(dtype)
	if size == 0 || int64(len(data))%size != 0 || Numel(shape) != int64(len(data))/size {
		failf("FromBytes", "%d bytes do not make the shape %v of type %d", len(data), shape, dtype)
	}
	return fromData("FromBytes", unsafe.Pointer(unsafe.SliceData(data)), dtype, shape)
}

func fromData(op string, data unsafe.Pointer, dtype int8, shape []int64) Tensor {
	r := C.c_gt_from_data(data, C.int8_t(dtype), intsPtr(shape), C.int64_t(len(shape)))
	if r.err != nil && again(r.err) {
		r = C.c_gt_from_data(data, C.int8_t(dtype), intsPtr(shape), C.int64_t(len(shape)))
	}
	check(op, r.err)
	return own(r.t[0], r.scope)
}

// CopyFrom sets t's elements, in row-major order, from data of t's type.
func CopyFrom[T Number](t Tensor, data []T) {
	attend()
	if d := t.Dtype(); d != dtypeOf[T]() {
		failf("CopyFrom", "the tensor's type is %d, the data's %d", d, dtypeOf[T]())
	}
	var v T
	r := C.c_gt_copy_in(t.handle(), unsafe.Pointer(unsafe.SliceData(data)), C.int64_t(int64(len(data))*int64(unsafe.Sizeof(v))))
	runtime.KeepAlive(t)
	check("CopyFrom", r.err)
}

// ToSlice copies t's elements out in row-major order; t's type must be T's.
func ToSlice[T Number](t Tensor) []T {
	info := t.info()
	if int8(info.dtype) != dtypeOf[T]() {
		failf("ToSlice", "the tensor's type is %d, the slice's %d", int8(info.dtype), dtypeOf[T]())
	}
	out := make([]T, int(info.numel))
	var v T
	r := C.c_gt_copy_out(t.handle(), unsafe.Pointer(unsafe.SliceData(out)), C.int64_t(int64(len(out))*int64(unsafe.Sizeof(v))))
	runtime.KeepAlive(t)
	check("ToSlice", r.err)
	return out
}

// Bytes copies t's elements out, little-endian and in row-major order.
func (a Tensor) Bytes() []byte {
	info := a.info()
	out := make([]byte, int64(info.numel)*dtypeSize(int8(info.dtype)))
	r := C.c_gt_copy_out(a.handle(), unsafe.Pointer(unsafe.SliceData(out)), C.int64_t(len(out)))
	runtime.KeepAlive(a)
	check("Bytes", r.err)
	return out
}

func (a Tensor) info() C.gt_info {
	attend()
	r := C.c_gt_tensor_info(a.number())
	runtime.KeepAlive(a)
	check("Tensor", r.err)
	return r
}

// Shape is the sizes, outermost first.
func (a Tensor) Shape() []int64 {
	info := a.info()
	s := make([]int64, int(info.dim))
	for i := range s {
		s[i] = int64(info.sizes[i])
	}
	return s
}

// Dim is the number of dimensions.
func (a Tensor) Dim() int64 { return int64(a.info().dim) }

// Numel is the number of elements.
func (a Tensor) Numel() int64 { return int64(a.info().numel) }

// Dtype is the element type.
func (a Tensor) Dtype() int8 { return int8(a.info().dtype) }

// Device is where the tensor lives.
func (a Tensor) Device() Device {
	return Device{C.Device(a.info().device)}
}

// Defined tells whether there is a tensor: Grad() of a tensor without a
// gradient is none.
func (a Tensor) Defined() bool {
	return a.T != nil && bool(a.info().defined)
}

// RequiresGrad tells whether gradients are recorded for the tensor.
func (a Tensor) RequiresGrad() bool { return bool(a.info().requires_grad) }

// SetRequiresGrad sets whether gradients are recorded, and returns a.
func (a Tensor) SetRequiresGrad(on bool) Tensor {
	attend()
	r := C.c_gt_set_requires_grad(a.handle(), C.bool(on))
	runtime.KeepAlive(a)
	check("SetRequiresGrad", r.err)
	return a
}

// Item is the only element of a, in the Go type that fits its own.
func (a Tensor) Item() interface{} {
	switch d := a.Dtype(); d {
	case Float, Half, BFloat16:
		return float32(a.ItemFloat())
	case Double:
		return a.ItemFloat()
	case Byte, Char, Short, Int, Long, Bool:
		r := C.c_gt_item_int(a.handle())
		runtime.KeepAlive(a)
		check("Item", r.err)
		v := int64(r.v)
		switch d {
		case Byte:
			return byte(v)
		case Char:
			return int8(v)
		case Short:
			return int16(v)
		case Int:
			return int32(v)
		case Bool:
			return v != 0
		}
		return v
	}
	failf("Item", "type %d has no Go type", a.Dtype())
	return nil
}

// ItemFloat is the only element of a as a float64.
func (a Tensor) ItemFloat() float64 {
	attend()
	r := C.c_gt_item(a.handle())
	runtime.KeepAlive(a)
	check("Item", r.err)
	return float64(r.v)
}

// String prints the elements as libtorch does.
func (a Tensor) String() string {
	attend()
	s := takeString("String", C.c_gt_string(a.handle()))
	runtime.KeepAlive(a)
	return asPinned(a, s)
}

// Print prints the elements to standard output.
func (a Tensor) Print() { fmt.Println(a.String()) }
