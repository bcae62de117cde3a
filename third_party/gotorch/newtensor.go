package gotorch

import (
	"reflect"
	"runtime"
	"unsafe"

	"github.com/wangkuiyi/gotorch/variadic"
)

// NewTensor makes a CPU tensor of a slice of numbers, of slices of numbers,
// and so on. Options: "dtype" (int8), by default the slice's own type;
// "requires_grad" (bool). []uint16 holds the bits of Half numbers.
func NewTensor(data interface{}, options ...map[string]interface{}) Tensor {
	if k := reflect.TypeOf(data).Kind(); k != reflect.Slice && k != reflect.Array {
		failf("NewTensor", "a slice is needed, a %v was given", k)
	}
	shape, kind := sliceShapeAndElemKind(data)
	plain := tensorElemDType(nil, kind)
	if plain == Invalid {
		failf("NewTensor", "no tensor has elements of Go's %v", kind)
	}
	want := tensorElemDType(options, kind)
	if kind == reflect.Uint16 && want == BFloat16 { // bits too
		plain = BFloat16
	}
	raw := make([]byte, 0, Numel(shape)*dtypeSize(plain))
	t := FromBytes(flatten(raw, reflect.ValueOf(data), shape), plain, shape...)
	if want != plain {
		t = t.CastTo(want)
	}
	on, _ := variadic.Get(options, "requires_grad", false).(bool)
	return leaf(t, on)
}

// sliceShapeAndElemKind reads the sizes off the first element of each slice.
func sliceShapeAndElemKind(data interface{}) ([]int64, reflect.Kind) {
	var shape []int64
	v := reflect.ValueOf(data)
	for v.Kind() == reflect.Slice || v.Kind() == reflect.Array {
		shape = append(shape, int64(v.Len()))
		if v.Len() == 0 {
			v = reflect.Zero(v.Type().Elem())
		} else {
			v = v.Index(0)
		}
	}
	return shape, v.Kind()
}

var kindToDType = map[reflect.Kind]int8{
	reflect.Bool: Bool, reflect.Uint8: Byte, reflect.Int8: Char, reflect.Int16: Short, reflect.Int32: Int,
	reflect.Int64: Long, reflect.Uint16: Half, reflect.Float32: Float, reflect.Float64: Double,
}

// tensorElemDType is the option "dtype", or else what fits k.
func tensorElemDType(opts []map[string]interface{}, k reflect.Kind) int8 {
	if v, ok := variadic.Lookup(opts, "dtype"); ok {
		d, ok := v.(int8)
		if !ok {
			failf("NewTensor", "dtype is a %T; it is one of this package's constants", v)
		}
		return d
	}
	if d, ok := kindToDType[k]; ok {
		return d
	}
	return Invalid
}

// flatten appends the elements of v, as they lie in memory, to raw.
func flatten(raw []byte, v reflect.Value, shape []int64) []byte {
	if v.Len() != int(shape[0]) {
		failf("NewTensor", "slices of %d and of %d elements side by side", shape[0], v.Len())
	}
	if v.Len() == 0 {
		return raw
	}
	if len(shape) > 1 {
		for i := range v.Len() {
			raw = flatten(raw, v.Index(i), shape[1:])
		}
		return raw
	}
	if v.Kind() == reflect.Array { // perhaps not addressable
		s := reflect.MakeSlice(reflect.SliceOf(v.Type().Elem()), v.Len(), v.Len())
		reflect.Copy(s, v)
		v = s
	}
	n := v.Len() * int(v.Type().Elem().Size())
	raw = append(raw, unsafe.Slice((*byte)(v.UnsafePointer()), n)...)
	runtime.KeepAlive(v)
	return raw
}

// FromBlob copies the elements at data, in row-major order, into a new CPU
// tensor.
func FromBlob(data unsafe.Pointer, dtype int8, sizes []int64) Tensor {
	n := Numel(sizes) * dtypeSize(dtype)
	if dtypeSize(dtype) == 0 || n < 0 || (data == nil && n > 0) {
		failf("FromBlob", "no tensor of type %d and shape %v can be read", dtype, sizes)
	}
	return FromBytes(unsafe.Slice((*byte)(data), n), dtype, sizes...)
}
