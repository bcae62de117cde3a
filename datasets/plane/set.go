package plane

import (
	"math"
	"sync"

	"flowmatch/datasets/set"
)

// Set is a distribution of points in the plane. Its methods may be called from
// any number of goroutines.
type Set struct {
	set.Info

	sample     func(dst []float32, key uint64, first int64) // [N,2]
	logDensity func(x, y float64) float64                   // nil where there is none
	entropy    func() float64                               // nil where there is none
	notes      []string

	rangeOnce sync.Once
	plotRange Range
}

// Describe is the Info, as it is of every set.
func (s *Set) Describe() set.Info { return s.Info }

// Sample fills dst, [N,2], with the points number first, first+1, ... of the stream
// that the seed names. A point depends on the seed and its number alone: not on how
// many are drawn together, nor on which thread or machine.
func (s *Set) Sample(dst []float32, seed, first int64) {
	s.sample(dst[:len(dst)/2*2], pointKey(seed), first)
}

// LogDensity is the logarithm of the density at a point: -Inf where no points fall.
// It is false where the set has no density, being a list of points.
func (s *Set) LogDensity(x, y float64) (float64, bool) {
	if s.logDensity == nil {
		return math.NaN(), false
	}
	if !(math.Abs(x) < 1e100 && math.Abs(y) < 1e100) {
		return math.Inf(-1), true
	}
	return s.logDensity(x, y), true
}

// Entropy is the mean of -LogDensity over the set, in nats: no model's mean negative
// log-likelihood can be below it.
func (s *Set) Entropy() (float64, bool) {
	if s.entropy == nil {
		return math.NaN(), false
	}
	return s.entropy(), true
}

// Notes says what a user should know of his own file before training on it, a line
// each: where its points are laid for the flow. It is mostly empty.
func (s *Set) Notes() []string { return s.notes }

// Len is 0: there are as many points as are asked for.
func (s *Set) Len() int { return 0 }

// Inventory is nil: Data tells what a file held.
func (s *Set) Inventory() *set.Inventory { return nil }

// Reclass is false: points have no classes.
func (s *Set) Reclass([]string) bool { return false }

// Unlabelled is the set itself.
func (s *Set) Unlabelled() set.Set { return s }

// PlotRange is a square around 10,000 points of the set with a margin of 5 % on each
// side. It is the same at each call.
func (s *Set) PlotRange() Range {
	s.rangeOnce.Do(func() {
		points := make([]float32, 2*rangeDraws)
		s.Sample(points, rangeSeed, 0)
		s.plotRange = SquareAround(points)
	})
	return s.plotRange
}

const (
	rangeDraws = 10_000
	rangeSeed  = 0
)

// constant is an entropy that is known.
func constant(nats float64) func() float64 { return func() float64 { return nats } }
