package metrics

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSorter(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var s sorter
	for _, n := range []int{0, 1, 2, 1000, 1000, 7} {
		x := make([]float32, n)
		for i := range x {
			switch r.IntN(10) {
			case 0:
				x[i] = []float32{0, float32(math.Inf(1)), float32(math.Inf(-1)), math.MaxFloat32, -math.SmallestNonzeroFloat32}[r.IntN(5)]
			case 1:
				x[i] = float32(math.Float32frombits(r.Uint32() &^ (1 << 30))) // any size
			default:
				x[i] = float32(r.NormFloat64())
			}
		}
		want := slices.Clone(x)
		slices.Sort(want)
		s.sort(x)
		if !slices.Equal(x, want) {
			t.Errorf("%d numbers are not sorted", n)
		}
	}
}

func BenchmarkSorter(b *testing.B) {
	x := normals(10000, [2]float64{}, 1, 1)
	y := make([]float32, len(x))
	b.Run("radix", func(b *testing.B) {
		var s sorter
		for b.Loop() {
			copy(y, x)
			s.sort(y)
		}
	})
	b.Run("slices.Sort", func(b *testing.B) {
		for b.Loop() {
			copy(y, x)
			slices.Sort(y)
		}
	})
}
