package metrics

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// Along common axes the distance is that of each axis:
// |mA - mB|^2 + sum (sqrt a - sqrt b)^2, whatever way the axes point.
func TestFrechetAlongCommonAxes(t *testing.T) {
	a, b := []float64{4, 0.25, 9}, []float64{1, 1, 0}
	mean := []float64{1, -2, 0.5}
	want := 1 + 4 + 0.25 + 1 + 0.25 + 9.0
	// A rotation about (1,2,2)/3 by 120 degrees (Rodrigues).
	u, c, s := [3]float64{1.0 / 3, 2.0 / 3, 2.0 / 3}, -0.5, math.Sqrt(3)/2
	rotation := mat.NewDense(3, 3, []float64{
		c + u[0]*u[0]*(1-c), u[0]*u[1]*(1-c) - u[2]*s, u[0]*u[2]*(1-c) + u[1]*s,
		u[1]*u[0]*(1-c) + u[2]*s, c + u[1]*u[1]*(1-c), u[1]*u[2]*(1-c) - u[0]*s,
		u[2]*u[0]*(1-c) - u[1]*s, u[2]*u[1]*(1-c) + u[0]*s, c + u[2]*u[2]*(1-c),
	})
	one := mat.NewDense(3, 3, []float64{1, 0, 0, 0, 1, 0, 0, 0, 1})
	for name, r := range map[string]*mat.Dense{"the coordinates'": one, "rotated": rotation} {
		turn := func(d []float64) *mat.SymDense {
			var l, m mat.Dense
			l.Mul(r, mat.NewDiagDense(3, d))
			m.Mul(&l, r.T())
			return symmetric(&m)
		}
		got, err := Frechet(Gaussian{mean, turn(a)}, Gaussian{make([]float64, 3), turn(b)})
		if err != nil || math.Abs(got-want) > 1e-6 { // the square root of rounding's 1e-16, three times
			t.Errorf("%s axes: %v, want %v, %v", name, got, want, err)
		}
		same, err := Frechet(Gaussian{mean, turn(a)}, Gaussian{mean, turn(a)})
		if err != nil || same > 1e-6 {
			t.Errorf("%s axes: %v to itself, %v", name, same, err)
		}
	}
}

// Of two dimensions tr sqrt(M) = sqrt(tr M + 2 sqrt(det M)), M = A B having the
// eigenvalues of A^1/2 B A^1/2.
func TestFrechetOfCrossedAxes(t *testing.T) {
	a, b := mat.NewSymDense(2, []float64{2, 1, 1, 3}), mat.NewSymDense(2, []float64{5, -2, -2, 1})
	trM, detM := 2*5+1*-2+1*-2+3*1.0, (2*3-1)*(5*1-4.0)
	want := 5 + 6 - 2*math.Sqrt(trM+2*math.Sqrt(detM))
	zero := make([]float64, 2)
	for range 2 {
		got, err := Frechet(Gaussian{zero, a}, Gaussian{zero, b})
		if err != nil || math.Abs(got-want) > 1e-12 {
			t.Errorf("%v, want %v, %v", got, want, err)
		}
		a, b = b, a
	}
}

func TestFitGaussian(t *testing.T) {
	g, err := FitGaussian([]float32{1, 10, 3, 10, 5, 40}, 2)
	if err != nil {
		t.Fatal(err)
	}
	// (1,3,5) and (10,10,40): means 3 and 20, divided by 2: 4, 30 and 300.
	for i, c := range []struct{ got, want float64 }{
		{g.Mean[0], 3}, {g.Mean[1], 20}, {g.Cov.At(0, 0), 4}, {g.Cov.At(0, 1), 30}, {g.Cov.At(1, 1), 300},
	} {
		if math.Abs(c.got-c.want) > 1e-12 {
			t.Errorf("%d: %v, want %v", i, c.got, c.want)
		}
	}
	for _, bad := range []struct {
		f   []float32
		dim int
	}{{[]float32{1, 2}, 2}, {[]float32{1, 2, 3}, 2}, {nil, 0}} {
		if _, err := FitGaussian(bad.f, bad.dim); err == nil {
			t.Errorf("%v: accepted", bad)
		}
	}
	if _, err := Frechet(g, Gaussian{[]float64{1}, mat.NewSymDense(1, []float64{1})}); err == nil {
		t.Error("two dimensions and one: accepted")
	}
}

// Samples of the same distribution come close; how close, a fit of N samples in D
// dimensions tells: the bias is D (D+3) / 4N for each of two fits at identity.
func TestFrechetOfSamples(t *testing.T) {
	const n = 20000
	a, _ := FitGaussian(normals(n, [2]float64{}, 1, 1), 2)
	b, _ := FitGaussian(normals(n, [2]float64{}, 1, 2), 2)
	c, _ := FitGaussian(normals(n, [2]float64{3, 0}, 2, 3), 2)
	if d, err := Frechet(a, b); err != nil || d > 50.0/n {
		t.Errorf("%v, %v", d, err)
	}
	// 3^2 + 2 (2-1)^2; the mean of 20,000 is known to 2/sqrt(20000), times 2 * 3.
	if d, err := Frechet(a, c); err != nil || math.Abs(d-11) > 0.4 {
		t.Errorf("%v, want 11, %v", d, err)
	}
}
