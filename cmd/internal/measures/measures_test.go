package measures

import (
	"math"
	"testing"

	"flowmatch/datasets/plane"
)

func TestPurposesHaveTheirOwnNumbers(t *testing.T) {
	seen := map[int64]bool{}
	for _, seed := range []int64{0, 1, 42} {
		for _, p := range []Purpose{Data, MoreData, Projections, Likelihood, Probes} {
			s := p.Seed(seed)
			if s < 0 || seen[s] || s != p.Seed(seed) {
				t.Errorf("purpose %d of seed %d has seed %d", p, seed, s)
			}
			seen[s] = true
		}
	}
}

func TestDistance(t *testing.T) {
	set, err := plane.Open("checkerboard")
	if err != nil {
		t.Fatal(err)
	}
	const n = 5000
	d := DistanceTo(set, n, 42)
	floor, err := d.Floor()
	// Two draws of 5,000 points with a standard deviation near 2.5 differ by
	// a few hundredths.
	if err != nil || floor < 0.005 || floor > 0.2 {
		t.Errorf("floor %v, %v", floor, err)
	}
	far := make([]float32, 2*n)
	set.Sample(far, 7, 0)
	for i := 0; i < len(far); i += 2 {
		far[i] += 2
	}
	// Shifted by 2 along an axis: 2 |cos| along a random direction, whose
	// root mean square is sqrt(2).
	if got, err := d.Of(far); err != nil || math.Abs(got-math.Sqrt2) > 0.2 {
		t.Errorf("distance of points 2 away: %v, %v", got, err)
	}
	if _, err := d.Of(far[:10]); err == nil {
		t.Error("another number of samples is compared")
	}
	if x := LikelihoodPoints(set, 3, 42); len(x) != 6 || x[0] == d.data[0] {
		t.Errorf("the points of the likelihood are those of the distance: %v", x)
	}
}
