package plane

import (
	"math"
	"slices"
	"testing"

	"github.com/wangkuiyi/gotorch/splitmix"
)

// planeNames are the sets that need no file.
var planeNames = []string{"checkerboard", "moons", "mixture", "siggraph", "invertocat",
	"8gaussians", "pinwheel", "rings", "spirals", "swissroll"}

func open2D(t testing.TB, name string) *Set {
	t.Helper()
	s, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sampled(t testing.TB, name string, n int, seed int64) []float32 {
	points := make([]float32, 2*n)
	open2D(t, name).Sample(points, seed, 0)
	return points
}

// TestSampleIsAFunction: a point depends on the seed and its number alone.
func TestSampleIsAFunction(t *testing.T) {
	for _, name := range planeNames {
		s := open2D(t, name)
		whole := make([]float32, 2*1000)
		s.Sample(whole, 7, 0)
		parts := make([]float32, 2*1000)
		s.Sample(parts[2*600:], 7, 600)
		s.Sample(parts[:2*1], 7, 0)
		s.Sample(parts[2*1:2*600], 7, 1)
		if !slices.Equal(whole, parts) {
			t.Errorf("%s: drawn in parts, the points are others", name)
		}
		odd := []float32{1, 2, 3}
		s.Sample(odd, 7, 0)
		if odd[0] != whole[0] || odd[1] != whole[1] || odd[2] != 3 {
			t.Errorf("%s: half a point: %v, want %v and 3", name, odd, whole[:2])
		}
		other := make([]float32, 2*1000)
		s.Sample(other, 8, 0)
		same := 0
		for i := 0; i < len(other); i += 2 {
			if other[i] == whole[i] && other[i+1] == whole[i+1] {
				same++
			}
		}
		if same > 5 { // of siggraph's 9,800 points a few are drawn twice
			t.Errorf("%s: %d points of two seeds are the same", name, same)
		}
	}
}

// TestSamplePinned: a resumed run, and anybody who repeats one, must get the points that
// it had. Should these numbers have to change, say so in the notes of the release.
func TestSamplePinned(t *testing.T) {
	for _, c := range []struct {
		name string
		want [2]float32
	}{
		{"checkerboard", [2]float32{2.53427, 3.41239}},
		{"moons", [2]float32{0.0810447, 0.398062}},
		{"mixture", [2]float32{-2.78406, 2.77740}},
		{"siggraph", [2]float32{1.51682, -0.938948}},
		{"invertocat", [2]float32{1.46238, -2.36417}},
	} {
		var got [2]float32
		open2D(t, c.name).Sample(got[:], 42, 123_456)
		for k := range got {
			if math.Abs(float64(got[k]-c.want[k])) > 1e-5 {
				t.Errorf("%s: %v, want %v", c.name, got, c.want)
				break
			}
		}
	}
}

// TestSampleIsUncorrelated: a flow draws noise under the same seed and number. Points must
// not follow from it, nor neighbours from each other.
func TestSampleIsUncorrelated(t *testing.T) {
	const n = 100_000
	p := sampled(t, "8gaussians", n, 1)
	q := sampled(t, "8gaussians", n, 2)
	z := gauss()
	noise := make([]float32, 2*n)
	for i := range n { // as one would draw it, from the seed and the number
		d := draws{splitmix.Source(splitmix.First(splitmix.First(1) ^ uint64(i)))}
		noise[2*i], noise[2*i+1] = float32(z.normal(&d)), float32(z.normal(&d))
	}
	for _, c := range []struct {
		what string
		a, b []float32
	}{
		{"x and y of a point", p, p[1:]},
		{"x of neighbours", p, p[2:]},
		{"x of two seeds", p, q},
		{"x and noise", p, noise},
	} {
		var sab, saa, sbb float64
		for i := 0; i < 2*n-2; i += 2 {
			a, b := float64(c.a[i]), float64(c.b[i])
			sab, saa, sbb = sab+a*b, saa+a*a, sbb+b*b
		}
		if r := sab / math.Sqrt(saa*sbb); math.Abs(r) > 5/math.Sqrt(n) {
			t.Errorf("%s: a correlation of %.4f, allowed %.4f", c.what, r, 5/math.Sqrt(n))
		}
	}
}

// quadrature is the sum over a grid of the mass and of -p log p. The densities are
// smooth at the scale of their noise, so that at two points a deviation the sum
// is the integral to many digits (Trefethen and Weideman 2014).
func quadrature(s *Set, half, step float64) (mass, entropy float64) {
	n := int(half / step)
	for i := -n; i <= n; i++ {
		for j := -n; j <= n; j++ {
			l, _ := s.LogDensity(float64(i)*step, float64(j)*step)
			if l > -60 {
				p := math.Exp(l) * step * step
				mass += p
				entropy -= p * l
			}
		}
	}
	return mass, entropy
}

func TestEntropies(t *testing.T) {
	for _, c := range []struct {
		name       string
		half, step float64
	}{
		{"mixture", 5, 0.1},
		{"8gaussians", 6, 0.1},
		{"moons", 2.6, 0.025},
		{"rings", 3.7, 0.04},
		{"spirals", 4.3, 0.05},
		{"swissroll", 4.8, 0.1},
		{"pinwheel", 6.5, 0.04}, // 4e-6 of its mass lie in folds that a grid sees badly
		{"invertocat", 4.2, 2.0 / 406},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open2D(t, c.name)
			mass, entropy := quadrature(s, c.half, c.step)
			known, ok := s.Entropy()
			if !ok || math.Abs(mass-1) > 1e-5 || math.Abs(entropy-known) > 5e-5 {
				t.Errorf("mass %.7f, entropy %.6f; it says %.6f", mass, entropy, known)
			}
		})
	}
	// Its edges are not smooth, but its area is known: reference, section 2.
	s := open2D(t, "checkerboard")
	if h, ok := s.Entropy(); !ok || math.Abs(h-3.67646) > 1e-5 {
		t.Errorf("checkerboard: %v", h)
	}
	if l, ok := s.LogDensity(0.5, 0.5); !ok || math.Abs(math.Exp(l)-0.0253125) > 1e-9 {
		t.Errorf("checkerboard: density %v", math.Exp(l))
	}
}

// TestDensityIsOfTheSamples: the mean of -log p over samples is the entropy, within five
// standard errors, and so is its variance what it should be: with the integral of p
// being 1, no other density gives the least mean.
func TestDensityIsOfTheSamples(t *testing.T) {
	for _, name := range planeNames {
		if name == "siggraph" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open2D(t, name)
			const n = 20_000
			var sum, squares float64
			for i, p := 0, sampled(t, name, n, 3); i < len(p); i += 2 {
				l, _ := s.LogDensity(float64(p[i]), float64(p[i+1]))
				sum -= l
				squares += l * l
			}
			mean := sum / n
			deviation := math.Sqrt(max(0, squares/n-mean*mean) / n)
			want, _ := s.Entropy()
			if !(math.Abs(mean-want) <= 5*deviation+1e-9) {
				t.Errorf("mean of -log p %.4f, entropy %.4f, standard error %.4f", mean, want, deviation)
			}
		})
	}
}

// TestDensityFitsCells compares counts with the density in each cell of a grid, which
// sees what means do not: the wrong place, the wrong way round.
func TestDensityFitsCells(t *testing.T) {
	for _, name := range []string{"moons", "mixture", "invertocat", "8gaussians", "pinwheel", "rings", "spirals", "swissroll"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const n, cells = 200_000, 24
			fine := 12
			if name == "invertocat" {
				fine = 36 // half a pixel
			}
			s := open2D(t, name)
			r := s.PlotRange()
			side := r.X1 - r.X0
			counts := make([]float64, cells*cells)
			outside := 0.0
			for i, p := 0, sampled(t, name, n, 4); i < len(p); i += 2 {
				x, y := (float64(p[i])-r.X0)/side*cells, (float64(p[i+1])-r.Y0)/side*cells
				if x < 0 || x >= cells || y < 0 || y >= cells {
					outside++
					continue
				}
				counts[int(y)*cells+int(x)]++
			}
			chi, freedom, rest := 0.0, 0.0, float64(n)
			h := side / cells / float64(fine)
			for k, got := range counts {
				want := 0.0
				for i := range fine {
					for j := range fine {
						x := r.X0 + float64(k%cells)*side/cells + (float64(i)+0.5)*h
						y := r.Y0 + float64(k/cells)*side/cells + (float64(j)+0.5)*h
						l, _ := s.LogDensity(x, y)
						want += n * math.Exp(l) * h * h
					}
				}
				rest -= want
				if want < 8 { // too few for chi-square
					continue
				}
				chi += (got - want) * (got - want) / want
				freedom++
			}
			// Chi-square has mean freedom and variance twice that; cells are cut by a
			// grid of points, hence a little more.
			if limit := freedom + 6*math.Sqrt(2*freedom); chi > limit {
				t.Errorf("chi-square %.0f of %.0f cells, allowed %.0f", chi, freedom, limit)
			}
			if math.Abs(rest-outside) > 6*math.Sqrt(outside+4) {
				t.Errorf("%v points outside, expected %.1f", outside, rest)
			}
		})
	}
}

func TestPlotRange(t *testing.T) {
	got := SquareAround([]float32{-1, 2, 3, 3, float32(math.NaN()), 100, 1, float32(math.Inf(1))})
	want := Range{1 - 2.2, 1 + 2.2, 2.5 - 2.2, 2.5 + 2.2} // 4 wide, a margin of 0.2 on each side
	for _, d := range []float64{got.X0 - want.X0, got.X1 - want.X1, got.Y0 - want.Y0, got.Y1 - want.Y1} {
		if math.Abs(d) > 1e-12 {
			t.Fatalf("%+v, want %+v", got, want)
		}
	}
	if got := SquareAround(nil); got != (Range{-1, 1, -1, 1}) {
		t.Errorf("around nothing: %+v", got)
	}
	if got := SquareAround([]float32{5, 5}); math.Abs(got.X1-got.X0-1.1) > 1e-12 || math.Abs(got.X0+got.X1-10) > 1e-12 {
		t.Errorf("around one point: %+v", got)
	}
	for _, name := range planeNames {
		r := open2D(t, name).PlotRange()
		if math.Abs((r.X1-r.X0)-(r.Y1-r.Y0)) > 1e-9 || r.X1-r.X0 < 2 || r.X1-r.X0 > 14 {
			t.Errorf("%s: %+v is no square of a good size", name, r)
		}
	}
}

func BenchmarkSample(b *testing.B) {
	for _, name := range planeNames {
		s := open2D(b, name)
		points := make([]float32, 2*4096)
		b.Run(name, func(b *testing.B) {
			step := int64(0)
			for b.Loop() {
				s.Sample(points, 1, 4096*step)
				step++
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/4096, "ns/point")
		})
	}
}
