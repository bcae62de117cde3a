package metrics

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Gaussian is a normal distribution.
type Gaussian struct {
	Mean []float64     // [D]
	Cov  *mat.SymDense // [D,D]
}

// FitGaussian has the mean and the covariance (divided by N-1) of features:
// [N,dim].
func FitGaussian(features []float32, dim int) (Gaussian, error) {
	n := len(features) / max(1, dim)
	if dim < 1 || n < 2 || n*dim != len(features) {
		return Gaussian{}, fmt.Errorf("metrics: %d numbers are no two or more rows of %d", len(features), dim)
	}
	g := Gaussian{make([]float64, dim), mat.NewSymDense(dim, nil)}
	for i, f := range features {
		g.Mean[i%dim] += float64(f) / float64(n)
	}
	centred := mat.NewDense(n, dim, nil)
	for i, f := range features {
		centred.Set(i/dim, i%dim, float64(f)-g.Mean[i%dim])
	}
	g.Cov.SymOuterK(1/float64(n-1), centred.T())
	return g, nil
}

// Frechet is the squared 2-Wasserstein distance between two Gaussians,
//
//	|mA - mB|^2 + tr(A + B - 2 (A^1/2 B A^1/2)^1/2),
//
// which is what is called FID where the features are Inception's.
func Frechet(a, b Gaussian) (float64, error) {
	if len(a.Mean) != len(b.Mean) || len(a.Mean) == 0 {
		return 0, fmt.Errorf("metrics: Gaussians of %d and %d dimensions", len(a.Mean), len(b.Mean))
	}
	sum := mat.Trace(a.Cov) + mat.Trace(b.Cov)
	for i := range a.Mean {
		sum += (a.Mean[i] - b.Mean[i]) * (a.Mean[i] - b.Mean[i])
	}
	var ea, em mat.EigenSym
	if !ea.Factorize(a.Cov, true) {
		return 0, errors.New("metrics: a covariance has no eigenvalues; are all features finite?")
	}
	root := squareRoot(&ea)
	var left, product mat.Dense
	left.Mul(root, b.Cov)
	product.Mul(&left, root)
	if !em.Factorize(symmetric(&product), false) {
		return 0, errors.New("metrics: the product of the covariances has no eigenvalues; are all features finite?")
	}
	for _, l := range em.Values(nil) {
		sum -= 2 * math.Sqrt(max(0, l)) // rounding makes a zero a little negative
	}
	return max(0, sum), nil
}

// squareRoot is V sqrt(L) V' of V L V'.
func squareRoot(e *mat.EigenSym) *mat.Dense {
	var v, scaled, root mat.Dense
	e.VectorsTo(&v)
	scaled.CloneFrom(&v)
	for j, l := range e.Values(nil) {
		s := math.Sqrt(max(0, l))
		for i := range v.RawMatrix().Rows {
			scaled.Set(i, j, v.At(i, j)*s)
		}
	}
	root.Mul(&scaled, v.T())
	return &root
}

// symmetric is the mean of m and its transpose.
func symmetric(m *mat.Dense) *mat.SymDense {
	n, _ := m.Dims()
	s := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			s.SetSym(i, j, (m.At(i, j)+m.At(j, i))/2)
		}
	}
	return s
}
