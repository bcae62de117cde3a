package plane

import (
	"math"
	"testing"
)

func TestNormal(t *testing.T) {
	const n = 2_000_000
	z := gauss()
	d := drawsOf(pointKey(1), 1)
	var sums [5]float64
	const cells = 60 // from -3 to 3
	var counts [cells + 2]float64
	beyond := 0.0
	for range n {
		v := z.normal(&d)
		p := 1.0
		for k := range sums {
			sums[k] += p
			p *= v
		}
		counts[min(cells+1, max(0, int(math.Floor((v+3)*cells/6))+1))]++
		if math.Abs(v) > tailStart {
			beyond++
		}
	}
	// Means of v, v^2, v^3, v^4 with deviations 1, sqrt 2, sqrt 15, sqrt 96.
	for k, c := range []struct{ mean, deviation float64 }{{0, 1}, {1, math.Sqrt2}, {0, math.Sqrt(15)}, {3, math.Sqrt(96)}} {
		if got := sums[k+1] / n; math.Abs(got-c.mean) > 5*c.deviation/math.Sqrt(n) {
			t.Errorf("mean of v^%d is %.5f, not %v", k+1, got, c.mean)
		}
	}
	cdf := func(x float64) float64 { return 0.5 * math.Erfc(-x/math.Sqrt2) }
	chi := 0.0
	for k, got := range counts {
		lo, hi := -3+float64(k-1)*6/cells, -3+float64(k)*6/cells
		if k == 0 {
			lo = math.Inf(-1)
		}
		if k == cells+1 {
			hi = math.Inf(1)
		}
		want := n * (cdf(hi) - cdf(lo))
		chi += (got - want) * (got - want) / want
	}
	if limit := 61 + 5*math.Sqrt(2*61); chi > limit {
		t.Errorf("chi-square %.1f of 62 cells, allowed %.1f", chi, limit)
	}
	if want := n * math.Erfc(tailStart/math.Sqrt2); math.Abs(beyond-want) > 5*math.Sqrt(want) {
		t.Errorf("%v draws in the tail, expected %.0f", beyond, want)
	}
}

func TestCircle(t *testing.T) {
	const n, cells = 500_000, 64
	d := drawsOf(pointKey(2), 1)
	var counts [cells]float64
	for range n {
		x, y := d.circle()
		if math.Abs(math.Hypot(x, y)-1) > 1e-12 {
			t.Fatalf("(%v, %v) is not on the circle", x, y)
		}
		counts[int((math.Atan2(y, x)+math.Pi)/(2*math.Pi)*cells)%cells]++
	}
	chi := 0.0
	for _, c := range counts {
		chi += (c - n/cells) * (c - n/cells) / (n / cells)
	}
	if limit := 63 + 5*math.Sqrt(2*63); chi > limit {
		t.Errorf("chi-square %.1f of 64 directions, allowed %.1f", chi, limit)
	}
}

// TestAlias: what the slots hold of each place is its weight exactly, whatever is drawn.
func TestAlias(t *testing.T) {
	weights := []float32{0, 1, 2, 0, 10, 0.5, 3, 0.25, 0}
	table := newAliasTable(weights)
	if len(table) != 6 {
		t.Fatalf("%d slots for 6 places", len(table))
	}
	got := make([]float64, len(weights))
	for _, s := range table {
		share := float64(s.share) / (1 << 32)
		got[s.own] += share / 6
		got[s.other] += (1 - share) / 6
	}
	for i, w := range weights {
		if math.Abs(got[i]-float64(w)/16.75) > 1e-9 {
			t.Errorf("place %d has %.9f, want %.9f", i, got[i], float64(w)/16.75)
		}
	}
	d := drawsOf(1, 2)
	for range 1000 {
		if i := table.draw(&d); weights[i] == 0 {
			t.Fatalf("place %d of weight 0 was drawn", i)
		}
	}
}

// TestScaledBessel: values of scipy.special.i0e (1.16).
func TestScaledBessel(t *testing.T) {
	for _, c := range []struct{ k, want float64 }{
		{0, 1}, {1, 0.46575960759364043}, {5, 0.18354081260932834}, {39.9, 0.06335803550042246},
		{40.1, 0.06319882471018295}, {88, 0.04258818899169689}, {1400, 0.01066313329436348},
	} {
		if got := scaledBessel(c.k); math.Abs(got/c.want-1) > 1e-14 {
			t.Errorf("at %v: %.17g, want %.17g", c.k, got, c.want)
		}
	}
}

// TestLegendre: 16 points integrate polynomials up to degree 31 exactly.
func TestLegendre(t *testing.T) {
	for degree := range 32 {
		sum := 0.0
		for k, x := range legendreNodes {
			sum += legendreWeights[k] * math.Pow(x, float64(degree))
		}
		want := 0.0
		if degree%2 == 0 {
			want = 2 / float64(degree+1)
		}
		if math.Abs(sum-want) > 1e-14 {
			t.Errorf("x^%d: %.16f, want %.16f", degree, sum, want)
		}
	}
}
