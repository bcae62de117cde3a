package plane

import (
	"math"
	"slices"
	"testing"
)

// moments are the means and covariances of points.
func moments(points []float32) (mean [2]float64, cov [3]float64) {
	n := float64(len(points) / 2)
	for i, v := range points {
		mean[i%2] += float64(v) / n
	}
	for i := 0; i < len(points); i += 2 {
		x, y := float64(points[i])-mean[0], float64(points[i+1])-mean[1]
		cov[0] += x * x / n
		cov[1] += x * y / n
		cov[2] += y * y / n
	}
	return mean, cov
}

// TestCheckerboard: every quarter of every dark square holds a 32nd of the points, and
// every light one nothing.
func TestCheckerboard(t *testing.T) {
	const n = 320_000
	var counts [8][8]float64
	for i, p := 0, sampled(t, "checkerboard", n, 5); i < len(p); i += 2 {
		x, y := float64(p[i])*0.45+2, float64(p[i+1])*0.45+2
		if x < -1e-6 || x > 4+1e-6 || y < -1e-6 || y > 4+1e-6 {
			t.Fatalf("(%v, %v) is off the board", p[i], p[i+1])
		}
		counts[min(7, int(2*max(0, x)))][min(7, int(2*max(0, y)))]++
	}
	chi := 0.0
	for i := range 8 {
		for j := range 8 {
			if (i/2+j/2)%2 == 1 {
				if counts[i][j] > 1 { // by rounding, at an edge
					t.Errorf("%v points in the light square %d,%d", counts[i][j], i/2, j/2)
				}
				continue
			}
			chi += (counts[i][j] - n/32) * (counts[i][j] - n/32) / (n / 32)
		}
	}
	if limit := 31 + 5*math.Sqrt(2*31); chi > limit {
		t.Errorf("chi-square %.1f of 32 cells, allowed %.1f", chi, limit)
	}
}

// TestMoons compares with scikit-learn 1.9: make_moons(2_000_000, noise=0.05,
// random_state=0), its numpy.quantile at these places.
func TestMoons(t *testing.T) {
	const n = 400_000
	p := sampled(t, "moons", n, 6)
	mean, cov := moments(p)
	// Closed forms: the arcs' own covariance is 3/4, 1/4 - 3/2 sin..., plus 0.05^2.
	if math.Abs(mean[0]-0.5) > 0.007 || math.Abs(mean[1]-0.25) > 0.004 {
		t.Errorf("mean %v, want (0.5, 0.25)", mean)
	}
	for k, want := range []float64{0.7525, -0.19325, 0.24667} {
		if math.Abs(cov[k]-want) > 0.005 {
			t.Errorf("covariance %v: number %d should be %v", cov, k, want)
		}
	}
	places := []float64{.05, .25, .5, .75, .95}
	var xs, ys, rs []float64
	for i := 0; i < len(p); i += 2 {
		x, y := float64(p[i]), float64(p[i+1])
		xs, ys, rs = append(xs, x), append(ys, y), append(rs, math.Hypot(x-0.5, y-0.25))
	}
	for _, c := range []struct {
		what   string
		values []float64
		want   []float64
	}{
		{"x", xs, []float64{-0.94153, -0.04221, 0.49992, 1.04230, 1.94144}},
		{"y", ys, []float64{-0.49064, -0.20516, 0.24986, 0.70521, 0.99053}},
		{"distance from the middle", rs, []float64{0.42605, 0.54197, 0.90239, 1.28965, 1.49779}},
	} {
		slices.Sort(c.values)
		for k, q := range places {
			got := c.values[int(q*n)]
			if math.Abs(got-c.want[k]) > 0.009 { // five standard errors where it is thinnest
				t.Errorf("%s: quantile %v is %.4f, want %.4f", c.what, q, got, c.want[k])
			}
		}
	}
}

// TestMoments: means and covariances that follow from the definitions by hand.
func TestMoments(t *testing.T) {
	for _, c := range []struct {
		name string
		mean [2]float64
		cov  [3]float64
	}{
		{"mixture", [2]float64{0, 0.5}, [3]float64{2 + 0.25, 0, 2.75 + 0.25}},
		{"8gaussians", [2]float64{}, [3]float64{8.25 / 1.999396, 0, 8.25 / 1.999396}},
		// Radii 0.75 k: half of the mean square in each direction.
		{"rings", [2]float64{}, [3]float64{0.5625*7.5/2 + 0.0064, 0, 0.5625*7.5/2 + 0.0064}},
		// E|x|^2 = 4 (1 + 0.3^2 + 0.1^2), and five blades have no direction.
		{"pinwheel", [2]float64{}, [3]float64{2.2, 0, 2.2}},
	} {
		mean, cov := moments(sampled(t, c.name, 400_000, 7))
		for k := range mean {
			if math.Abs(mean[k]-c.mean[k]) > 0.017 { // five standard errors of the widest
				t.Errorf("%s: mean %v, want %v", c.name, mean, c.mean)
				break
			}
		}
		for k := range cov {
			if math.Abs(cov[k]-c.cov[k]) > 0.03 {
				t.Errorf("%s: covariance %v, want %v", c.name, cov, c.cov)
				break
			}
		}
	}
}

func TestSiggraph(t *testing.T) {
	points := wordPoints()
	if len(points) != 2*wordCount {
		t.Fatalf("%d points of %d", len(points)/2, wordCount)
	}
	mean, _ := moments(points)
	lo, hi := slices.Min(points), slices.Max(points)
	if math.Hypot(mean[0], mean[1]) > 1e-3 || hi-lo < 7.9 || hi-lo > 8.1 {
		t.Errorf("middle %v, from %v to %v", mean, lo, hi)
	}
	known := map[[2]float32]bool{}
	for i := 0; i < len(points); i += 2 {
		known[[2]float32{points[i], points[i+1]}] = true
	}
	drawn := map[[2]float32]bool{}
	for i, p := 0, sampled(t, "siggraph", 9800, 8); i < len(p); i += 2 {
		at := [2]float32{p[i], p[i+1]}
		if !known[at] {
			t.Fatalf("%v is none of the points", at)
		}
		drawn[at] = true
	}
	// With replacement, 1 - 1/e of them are seen: 6195, give or take 5 times 31.
	if math.Abs(float64(len(drawn))-6195) > 155 {
		t.Errorf("%d different points of 9,800 draws", len(drawn))
	}
	s := open2D(t, "siggraph")
	if _, ok := s.LogDensity(0, 0); ok {
		t.Error("a list of points claims a density")
	}
	if _, ok := s.Entropy(); ok {
		t.Error("a list of points claims an entropy")
	}
}

// TestFarAway: densities fall as they should where their own terms vanish, and are never
// not-a-number.
func TestFarAway(t *testing.T) {
	for _, name := range planeNames {
		s := open2D(t, name)
		for _, at := range [][2]float64{{30, 0}, {-1e6, 1e6}, {1e300, 0}, {0, 7}, {0, 0}} {
			if l, ok := s.LogDensity(at[0], at[1]); ok && (math.IsNaN(l) || l > 5) {
				t.Errorf("%s at %v: %v", name, at, l)
			}
		}
	}
	// Along a line outwards a Gaussian's logarithm falls by its square.
	s := open2D(t, "moons")
	near, _ := s.LogDensity(0, 1.3)
	far, _ := s.LogDensity(0, 2)
	if fall := near - far; fall < 150 || fall > 190 { // (1^2 - 0.3^2)/2/0.05^2 = 182 or so
		t.Errorf("moons falls by %v", fall)
	}
}
