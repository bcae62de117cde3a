package gotorch

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

// The numbers of testdata are PyTorch's; models/testdata/README.md tells how
// they were made and describes the formula below.

func mix(h uint32) uint32 { // the finaliser of MurmurHash3
	h ^= h >> 16
	h *= 0x85EBCA6B
	h ^= h >> 13
	h *= 0xC2B2AE35
	return h ^ h>>16
}

func fill(i, k uint32, scale, offset float64) float32 {
	h := mix(mix(i) ^ mix(k+0x9E3779B9))
	v := float64(h>>8)/(1<<24) - 0.5
	return float32(offset + scale*v)
}

// source is a tensor that a fixture names: by formula, or by its elements.
type source struct {
	Shape  []int64
	K      uint32
	Scale  float64
	Offset float64
	Ints   []int64
	Dtype  string
}

func (s source) floats() []float32 {
	v := make([]float32, Numel(s.Shape))
	for i := range v {
		v[i] = fill(uint32(i), s.K, s.Scale, s.Offset)
	}
	return v
}

func (s source) tensor() Tensor {
	switch s.Dtype {
	case "int64":
		return FromSlice(s.Ints, s.Shape...)
	case "float64":
		v := make([]float32, len(s.Ints))
		for i, n := range s.Ints {
			v[i] = float32(n)
		}
		return FromSlice(v, s.Shape...)
	case "bool":
		b := make([]bool, len(s.Ints))
		for i, v := range s.Ints {
			b[i] = v != 0
		}
		return FromSlice(b, s.Shape...)
	}
	return FromSlice(s.floats(), s.Shape...)
}

// result is what PyTorch computed in float64.
type result struct {
	Shape  []int64
	Values []float64
}

func readFixture(t *testing.T, name string, into any) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// near tells whether got agrees with want within tolerance times the larger
// of 1 and want's largest element.
func near(t *testing.T, what string, got Tensor, want result, tolerance float64) {
	t.Helper()
	if !got.Defined() {
		t.Errorf("%s: no tensor", what)
		return
	}
	if g := got.Shape(); !equalShapes(g, want.Shape) {
		t.Errorf("%s: shape %v, want %v", what, g, want.Shape)
		return
	}
	nearSlice(t, what, ToSlice[float32](got.CastTo(Float)), want.Values, tolerance)
}

func nearSlice(t *testing.T, what string, got []float32, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d elements, want %d", what, len(got), len(want))
		return
	}
	largest, worst, at := 1.0, 0.0, 0
	for i, w := range want {
		largest = max(largest, math.Abs(w))
		if d := math.Abs(float64(got[i]) - w); !(d <= worst) {
			worst, at = d, i
		}
	}
	if !(worst <= tolerance*largest) {
		t.Errorf("%s: element %d is %v, want %v; difference %.2g, allowed %.2g", what, at, got[at], want[at], worst, tolerance*largest)
	}
}

func equalShapes(a, b []int64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestFill(t *testing.T) {
	var f struct {
		Fill []struct {
			source
			Values []float64
		}
	}
	readFixture(t, "ops.json", &f)
	if len(f.Fill) == 0 {
		t.Fatal("no fill cases")
	}
	for _, c := range f.Fill {
		nearSlice(t, "fill", c.floats(), c.Values, 1e-9)
	}
}
