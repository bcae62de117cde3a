package gotorch

import (
	"math"
	"testing"
)

// What has no gradient, or none worth a fixture.
func TestComparisonsAndIndices(t *testing.T) {
	row := func(v ...float32) Tensor { return FromSlice(v, int64(len(v))) }
	bools := func(v ...bool) Tensor { return FromSlice(v, int64(len(v))) }
	longs := func(v ...int64) Tensor { return FromSlice(v, int64(len(v))) }
	a, b := row(1, 2, 3), row(2, 2, 2)
	nan := row(float32(math.NaN()), 1, float32(math.Inf(1)))
	m := FromSlice([]float32{3, 1, 2, 4, 6, 5}, 2, 3)
	_, at := Sort(m, 1, false)
	_, most := MaxDim(m, 1, false)
	_, least := MinDim(m, 1, false)
	for name, c := range map[string]struct{ got, want Tensor }{
		"Lt": {Lt(a, b), bools(true, false, false)}, "Le": {Le(a, b), bools(true, true, false)},
		"Gt": {Gt(a, b), bools(false, false, true)}, "Ge": {Ge(a, b), bools(false, true, true)},
		"Eq": {Eq(a, b), bools(false, true, false)}, "Ne": {Ne(a, b), bools(true, false, true)},
		"LtScalar": {LtScalar(a, 2), bools(true, false, false)}, "LeScalar": {LeScalar(a, 2), bools(true, true, false)},
		"GtScalar": {GtScalar(a, 2), bools(false, false, true)}, "GeScalar": {GeScalar(a, 2), bools(false, true, true)},
		"EqScalar":   {EqScalar(a, 2), bools(false, true, false)},
		"LogicalNot": {LogicalNot(bools(true, false)), bools(false, true)},
		"LogicalAnd": {LogicalAnd(bools(true, true, false), bools(true, false, false)), bools(true, false, false)},
		"LogicalOr":  {LogicalOr(bools(true, true, false), bools(true, false, false)), bools(true, true, false)},
		"IsNaN":      {IsNaN(nan), bools(true, false, false)}, "IsFinite": {IsFinite(nan), bools(false, true, false)},
		"All": {Unsqueeze(All(bools(true, false)), 0), bools(false)}, "Any": {Unsqueeze(Any(bools(true, false)), 0), bools(true)},
		"Nonzero": {Nonzero(row(0, 5, 7)), FromSlice([]int64{1, 2}, 2, 1)},
		"OneHot":  {OneHot(longs(1, 0), 3), FromSlice([]int64{0, 1, 0, 1, 0, 0}, 2, 3)},
		"Sort":    {at, FromSlice([]int64{1, 2, 0, 0, 2, 1}, 2, 3)},
		"MaxDim":  {most, longs(0, 1)}, "MinDim": {least, longs(1, 0)},
		"ArgmaxDim":    {ArgmaxDim(m, 1, false), longs(0, 1)},
		"ZerosLike":    {ZerosLike(a), row(0, 0, 0)},
		"EmptyLike":    {FromSlice(EmptyLike(a).Shape(), 1), longs(3)},
		"Contiguous":   {Contiguous(Transpose(m, 0, 1)), FromSlice([]float32{3, 4, 1, 6, 2, 5}, 3, 2)},
		"ChannelsLast": {ChannelsLast(m.View(1, 2, 1, 3)), m.View(1, 2, 1, 3)},
	} {
		if !Equal(c.got, c.want) {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
	third := AddScaled(Zeros([]int64{1}, Options{Dtype: Double}), Ones([]int64{1}, false).CastTo(Double), 1.0/3)
	if v := third.ItemFloat(); v != 1.0/3 {
		t.Errorf("AddScaled by 1/3: %v", v)
	}
	if p := Multinomial(row(0, 1, 0), 2, true, nil); !Equal(p, longs(1, 1)) {
		t.Errorf("Multinomial: %v", p)
	}
}

func TestInPlace(t *testing.T) {
	a := FromSlice([]float32{-1, 2}, 2)
	a.MulScalarI(3)
	a.AddScalarI(1)
	nearSlice(t, "a 3 + 1", ToSlice[float32](a), []float64{-2, 7}, 0)
	nearSlice(t, "leaky", ToSlice[float32](RawLeakyReluI(a, 0.5)), []float64{-1, 7}, 0)
	RawReluI(a)
	nearSlice(t, "relu", ToSlice[float32](a), []float64{0, 7}, 0)
	a.FillI(4)
	nearSlice(t, "fill", ToSlice[float32](a), []float64{4, 4}, 0)
	CopyFrom(a, []float32{5, 6})
	nearSlice(t, "copy", ToSlice[float32](a), []float64{5, 6}, 0)
	for name, f := range map[string]func(){
		"CopyFrom of another type":    func() { CopyFrom(a, []float64{1, 2}) },
		"CopyFrom of another number":  func() { CopyFrom(a, []float32{1}) },
		"ToSlice of another type":     func() { ToSlice[int64](a) },
		"FromSlice of a defined type": func() { FromSlice([]defined{1}, 1) },
		"FromBytes of another number": func() { FromBytes([]byte{1}, Float, 1) },
	} {
		if err := Try(f); err == nil {
			t.Errorf("%s is no error", name)
		}
	}
	v := Transpose(FromSlice([]float32{1, 2, 3, 4}, 2, 2), 0, 1)
	CopyFrom(v, []float32{5, 6, 7, 8}) // into a view, and out of it
	nearSlice(t, "view", ToSlice[float32](v), []float64{5, 6, 7, 8}, 0)
}

type defined float32
