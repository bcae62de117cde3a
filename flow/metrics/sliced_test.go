package metrics

import (
	"math"
	"testing"

	"flowmatch/flow"
)

// normals are n points of N(mean, sd^2 I) in the plane.
func normals(n int, mean [2]float64, sd float64, seed int64) []float32 {
	x := make([]float32, 2*n)
	for i := range n {
		flow.Noise(x[2*i:2*i+2], seed, int64(i))
	}
	for i := range x {
		x[i] = float32(mean[i%2] + sd*float64(x[i]))
	}
	return x
}

// Between N(m, s^2 I) and N(0, r^2 I) the distance along a line l is
// (l.m)^2 + (s-r)^2, whose mean over all directions is |m|^2/D + (s-r)^2.
func TestSlicedW2OfGaussians(t *testing.T) {
	for name, c := range map[string]struct {
		mean [2]float64
		s, r float64
	}{
		"shifted":  {[2]float64{3, -4}, 1, 1},
		"wider":    {[2]float64{0, 0}, 2, 0.5},
		"and both": {[2]float64{1, 1}, 0.3, 1},
	} {
		const n, lines = 10000, 512
		got, err := SlicedW2(normals(n, c.mean, c.s, 1), normals(n, [2]float64{}, c.r, 2), 2, lines, 3)
		if err != nil {
			t.Fatal(err)
		}
		m2 := c.mean[0]*c.mean[0] + c.mean[1]*c.mean[1]
		want := math.Sqrt(m2/2 + (c.s-c.r)*(c.s-c.r))
		// cos^2 of a direction has the deviation 1/sqrt(8), a sample mean sd/sqrt(n):
		// relative to the square, five of the one, and in absolute five of the other.
		tolerance := want*5/math.Sqrt(8*lines) + 5*max(c.s, c.r)*math.Sqrt(2.0/n)
		if math.Abs(got-want) > tolerance {
			t.Errorf("%s: %v, want %v within %v", name, got, want, tolerance)
		}
	}
}

// On a line the distance has a closed form that is seen at once: the samples
// sorted, in pairs.
func TestSlicedW2OnALine(t *testing.T) {
	got, err := SlicedW2([]float32{3, 0, 1}, []float32{2, 7, 0}, 1, 5, 1)
	// pairs (0,0), (1,2), (3,7)
	if want := math.Sqrt((0 + 1 + 16) / 3.0); err != nil || math.Abs(got-want) > 1e-6 {
		t.Errorf("%v, want %v, %v", got, want, err)
	}
	if got, _ := SlicedW2([]float32{1, 2, 3, 4}, []float32{3, 4, 1, 2}, 2, 9, 1); got != 0 {
		t.Errorf("the same points in another order: %v", got)
	}
}

func TestSlicedW2DependsOnTheSeedAlone(t *testing.T) {
	a, b := normals(500, [2]float64{1, 0}, 1, 1), normals(500, [2]float64{}, 2, 2)
	first, _ := SlicedW2(a, b, 2, 16, 7)
	for range 5 {
		if again, _ := SlicedW2(a, b, 2, 16, 7); again != first {
			t.Fatalf("%v, then %v", first, again)
		}
	}
	if other, _ := SlicedW2(a, b, 2, 16, 8); other == first {
		t.Error("another seed, the same lines")
	}
}

func TestSlicedW2Refuses(t *testing.T) {
	for name, c := range map[string]struct{ a, b []float32 }{
		"none": {nil, nil}, "unequal": {make([]float32, 2), make([]float32, 4)}, "halves": {make([]float32, 3), make([]float32, 3)},
	} {
		if _, err := SlicedW2(c.a, c.b, 2, 4, 1); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func BenchmarkSlicedW2(b *testing.B) {
	x, y := normals(20000, [2]float64{}, 1, 1), normals(20000, [2]float64{}, 1, 2)
	for b.Loop() {
		if _, err := SlicedW2(x, y, 2, 128, 1); err != nil {
			b.Fatal(err)
		}
	}
}
