package weights_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/wangkuiyi/gotorch/weights"
)

// The values are IEEE 754's: 1, -2, the largest (65504), the smallest normal and subnormal, infinities.
func TestHalf(t *testing.T) {
	tensor := &weights.Tensor{DType: weights.Half, Shape: []int64{7}, Data: []byte{
		0x00, 0x3c, 0x00, 0xc0, 0xff, 0x7b, 0x00, 0x04, 0x01, 0x00, 0x00, 0x7c, 0x00, 0xfc}}
	got, err := tensor.Float32s()
	want := []float32{1, -2, 65504, 0x1p-14, 0x1p-24, float32(math.Inf(1)), float32(math.Inf(-1))}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

// Every binary16 number, against its definition.
func TestAllHalves(t *testing.T) {
	for h := range 1 << 16 {
		exp, frac := h>>10&31, float64(h&1023)
		want := math.Ldexp(1+frac/1024, exp-15)
		switch {
		case exp == 0:
			want = math.Ldexp(frac/1024, -14)
		case exp == 31 && frac == 0:
			want = math.Inf(1)
		case exp == 31:
			want = math.NaN()
		}
		if h&0x8000 != 0 {
			want = -want
		}
		tensor := &weights.Tensor{DType: weights.Half, Data: []byte{byte(h), byte(h >> 8)}}
		got, err := tensor.Float32s()
		same := err == nil && (math.Float32bits(got[0]) == math.Float32bits(float32(want)) || got[0] != got[0] && math.IsNaN(want))
		if !same {
			t.Fatalf("%#04x: got %v, %v, want %v", h, got, err, want)
		}
		if finite := !math.IsNaN(want) && !math.IsInf(want, 0); tensor.Finite() != finite {
			t.Fatalf("%#04x: Finite is %v", h, tensor.Finite())
		}
	}
}

func TestConversions(t *testing.T) {
	bf := &weights.Tensor{DType: weights.BFloat16, Shape: []int64{2}, Data: []byte{0x80, 0x3f, 0x49, 0xc0}}
	if got, err := bf.Float64s(); err != nil || !slices.Equal(got, []float64{1, -3.140625}) {
		t.Errorf("bfloat16: %v, %v", got, err)
	}
	for _, c := range []struct {
		d    weights.DType
		data []byte
		want int64
	}{
		{weights.Char, []byte{0xff}, -1}, {weights.Byte, []byte{0xff}, 255}, {weights.Bool, []byte{1}, 1},
		{weights.Short, []byte{0xfe, 0xff}, -2}, {weights.Int, []byte{0xfd, 0xff, 0xff, 0xff}, -3},
		{weights.Long, []byte{0xfc, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, -4},
	} {
		tensor := &weights.Tensor{DType: c.d, Data: c.data}
		if got, err := tensor.Int64s(); err != nil || !slices.Equal(got, []int64{c.want}) {
			t.Errorf("%s: %v, %v, want %d", c.d, got, err, c.want)
		}
		if _, err := tensor.Float32s(); err == nil {
			t.Errorf("%s was read as float32", c.d)
		}
	}
	if _, err := weights.Scalar(1).Int64s(); err == nil {
		t.Error("float64 was read as int64")
	}
	if s := weights.Scalar(1).String() + weights.ScalarInt(1).String(); s != "float64[]int64[]" {
		t.Error(s)
	}
}

func TestCheck(t *testing.T) {
	big := int64(1) << 62
	for _, c := range []struct {
		name   string
		tensor *weights.Tensor
		want   string
	}{
		{"nil", nil, "no tensor"},
		{"no type", &weights.Tensor{Data: []byte{1}}, "invalid element type"},
		{"nine dimensions", &weights.Tensor{DType: weights.Byte, Shape: make([]int64, 9)}, "9 dimensions"},
		{"negative size", &weights.Tensor{DType: weights.Byte, Shape: []int64{-1}}, "impossible"},
		{"overflow", &weights.Tensor{DType: weights.Byte, Shape: []int64{big, 4}}, "impossible"},
		{"overflow hidden by 0", &weights.Tensor{DType: weights.Byte, Shape: []int64{big, 4, 0}}, "impossible"},
		{"overflow in bytes", &weights.Tensor{DType: weights.Long, Shape: []int64{big}}, "impossible"},
		{"too few bytes", weights.FromFloat32(make([]float32, 5), 2, 3), "needs 24 bytes, has 20"},
		{"bool 2", &weights.Tensor{DType: weights.Bool, Shape: []int64{1}, Data: []byte{2}}, "bool with the value 2"},
	} {
		if err := c.tensor.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want ...%s...", c.name, err, c.want)
		}
	}
}

func TestFinite(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(-1)
	for _, c := range []struct {
		tensor *weights.Tensor
		want   bool
	}{
		{weights.FromFloat32([]float32{1, math.MaxFloat32}), true},
		{weights.FromFloat32([]float32{1, float32(nan)}), false},
		{weights.FromFloat64([]float64{math.MaxFloat64, 5e-324}), true},
		{weights.FromFloat64([]float64{inf}), false},
		{&weights.Tensor{DType: weights.BFloat16, Shape: []int64{1}, Data: []byte{0x80, 0x7f}}, false},
		{weights.FromInt64([]int64{-1}), true},
	} {
		if got := c.tensor.Finite(); got != c.want {
			t.Errorf("%v % x: %v", c.tensor, c.tensor.Data, got)
		}
	}
}

func TestRecord(t *testing.T) {
	for _, c := range []struct {
		text string
		want error
	}{
		{`{"format":1,"kind":"mlp"}`, nil},
		{`{"format":2}`, weights.ErrNewerFormat},
		{`{"format":99999999999999999999999}`, weights.ErrNewerFormat},
		{`{"format":0}`, weights.ErrDamaged},
		{`{"format":-1}`, weights.ErrDamaged},
		{`{"format":"1"}`, weights.ErrDamaged},
		{`{"format":1.0}`, weights.ErrDamaged},
		{`{}`, weights.ErrDamaged},
		{`[]`, weights.ErrDamaged},
		{`{"format":1,"format":1}`, weights.ErrDamaged},
		{`{"Format":1}`, weights.ErrDamaged},
		{`{"format":1,"sha256":"x"}`, weights.ErrDamaged},
		{`{"format":1} x`, weights.ErrDamaged},
	} {
		if err := weights.CheckRecord([]byte(c.text)); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.text, err, c.want)
		}
	}
}

func TestSeal(t *testing.T) {
	sum := make([]byte, 32)
	sealed := weights.Seal([]byte(" {\"format\":1}\n"), weights.SumField, sum)
	record, got, err := weights.Unseal(sealed, weights.SumField)
	if err != nil || string(record) != `{"format":1}` || !slices.Equal(got, sum) {
		t.Errorf("%s, %x, %v", record, got, err)
	}
	for i := range sealed { // upper case, blanks, other fields: none of it is a seal
		bad := slices.Clone(sealed)
		bad[i] ^= 0x20
		r, s, err := weights.Unseal(bad, weights.SumField)
		if err == nil && string(r) == string(record) && slices.Equal(s, sum) {
			t.Errorf("byte %d changed, and nothing else", i)
		}
	}
}

func ExampleDict() {
	var d weights.Dict
	d.Set("0.weight", weights.FromFloat32([]float32{1, 2, 3, 4, 5, 6}, 2, 3))
	d.Set("0.bias", weights.FromFloat32([]float32{7, 8}))
	for name, tensor := range d.All() {
		fmt.Println(name, tensor)
	}
	// Output:
	// 0.weight float32[2 3]
	// 0.bias float32[2]
}

// The nearest bfloat16, by hand: 8 bits of mantissa with the hidden one.
func TestToBFloat16(t *testing.T) {
	one := func(bits uint32) float32 { return math.Float32frombits(bits) }
	for name, c := range map[string]struct {
		v    float32
		want uint16
	}{
		"zero": {0, 0}, "minus zero": {one(0x80000000), 0x8000}, "one": {1, 0x3f80}, "exact": {-1.5, 0xbfc0},
		"down": {one(0x3f807fff), 0x3f80}, "up": {one(0x3f808001), 0x3f81},
		"tie to even below": {one(0x3f808000), 0x3f80}, "tie to even above": {one(0x3f818000), 0x3f82},
		"carry":    {one(0x3fffffff), 0x4000},
		"overflow": {math.MaxFloat32, 0x7f80}, "infinite": {float32(math.Inf(-1)), 0xff80},
		"subnormal": {one(0x00018001), 0x0002}, "NaN with low bits alone": {one(0x7f800001), 0x7fc0},
	} {
		b, err := weights.FromFloat32([]float32{c.v}).ToBFloat16()
		if err != nil || b.DType != weights.BFloat16 || binary.LittleEndian.Uint16(b.Data) != c.want {
			t.Errorf("%s: %x, %v, want %x", name, b.Data, err, c.want)
		}
	}
	whole := weights.FromInt64([]int64{1 << 40}, 1, 1)
	if same, err := whole.ToBFloat16(); err != nil || !same.Equal(whole) {
		t.Errorf("integers: %v, %v", same, err)
	}
	shaped, err := weights.FromFloat32(make([]float32, 6), 2, 3).ToBFloat16()
	if err != nil || len(shaped.Data) != 12 || len(shaped.Shape) != 2 || shaped.Shape[1] != 3 || shaped.Check() != nil {
		t.Errorf("a shape: %v, %v", shaped, err)
	}
	if _, err := (&weights.Tensor{DType: weights.Float, Shape: []int64{3}, Data: make([]byte, 4)}).ToBFloat16(); err == nil {
		t.Error("a damaged tensor is converted")
	}
}
