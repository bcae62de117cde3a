package gotorch

import (
	"reflect"
	"testing"
)

// Upstream's own tests call these two by name.
func TestShapesAndKindsOfSlices(t *testing.T) {
	for _, c := range []struct {
		data  interface{}
		shape []int64
		kind  reflect.Kind
		dtype int8
	}{
		{[][]float64{{1, 2}, {3, 4}, {5, 6}}, []int64{3, 2}, reflect.Float64, Double},
		{[]uint16{1, 2, 3}, []int64{3}, reflect.Uint16, Half},
		{int32(1), nil, reflect.Int32, Int},
		{[][][]bool{}, []int64{0, 0, 0}, reflect.Bool, Bool},
		{[]uint32{1}, []int64{1}, reflect.Uint32, Invalid},
	} {
		shape, kind := sliceShapeAndElemKind(c.data)
		if !reflect.DeepEqual(shape, c.shape) || kind != c.kind {
			t.Errorf("%T: %v of %v", c.data, shape, kind)
		}
		if d := tensorElemDType(nil, kind); d != c.dtype {
			t.Errorf("%T: type %d, want %d", c.data, d, c.dtype)
		}
		if d := tensorElemDType([]map[string]interface{}{{"dtype": Bool}}, kind); d != Bool {
			t.Errorf("%T: the option does not count", c.data)
		}
	}
}
