package viz

import (
	"math"
	"testing"
)

func TestSmoothImpulse(t *testing.T) {
	// One 1 among zeros comes out as the Gaussian itself, cut at four deviations and
	// of sum 1: what scipy.ndimage.gaussian_filter1d(impulse, 5) gives.
	points := make([]point, 101)
	for i := range points {
		points[i].x = float64(i)
	}
	points[50].y = 1
	got := smooth(points, 5)
	total := 0.0
	for k := -20; k <= 20; k++ {
		total += math.Exp(-float64(k*k) / 50)
	}
	for i := 21; i < 80; i++ {
		want := 0.0
		if k := i - 50; k >= -20 && k <= 20 {
			want = math.Exp(-float64(k*k)/50) / total
		}
		if math.Abs(got[i].y-want) > 1e-15 { // rounding of one sum
			t.Errorf("at %d: %v, want %v", i, got[i].y, want)
		}
	}
}

func TestSmoothConstant(t *testing.T) {
	nan := math.NaN()
	for _, n := range []int{1, 3, 100, 10_001} {
		points := make([]point, n)
		for i := range points {
			points[i] = point{float64(i), 3}
			if i%7 == 3 {
				points[i].y = nan
			}
		}
		for _, p := range smooth(points, 5) {
			if math.Abs(p.y-3) > 1e-12 {
				t.Fatalf("%d points: at %v the mean of threes is %v", n, p.x, p.y)
			}
		}
	}
}

func TestSmoothLong(t *testing.T) {
	// A straight line stays one away from its ends, however many points are averaged.
	points := make([]point, 100_000)
	for i := range points {
		points[i] = point{float64(i), float64(i) / 1000}
	}
	got := smooth(points, 250)
	if len(got) > mostSmoothed {
		t.Errorf("%d points", len(got))
	}
	for _, p := range got {
		if p.x > 2000 && p.x < 98_000 && math.Abs(p.y-p.x/1000) > 1e-9 {
			t.Fatalf("at %v: %v", p.x, p.y)
		}
	}
}

func TestSmoothLeavesGaps(t *testing.T) {
	points := make([]point, 300)
	for i := range points {
		points[i] = point{float64(i), 1}
		if i >= 100 && i < 200 {
			points[i].y = math.Inf(1)
		}
	}
	got := smooth(points, 5)
	if !math.IsNaN(got[150].y) || got[50].y != 1 || got[250].y != 1 {
		t.Errorf("%v, %v, %v", got[50], got[150], got[250])
	}
}
