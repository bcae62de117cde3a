package datasets

import (
	"fmt"
	"math"
	"sync"
)

// plane is the shape of a point of the plane among shapes of images.
var plane = [3]int{2, 1, 1}

// Set2D is a distribution of points in the plane. Its methods may be called from
// any number of goroutines.
type Set2D struct {
	Info

	sample     func(dst []float32, key uint64, first int64) // [N,2]
	logDensity func(x, y float64) float64                   // nil where there is none
	entropy    func() float64                               // nil where there is none
	notes      []string

	rangeOnce sync.Once
	plotRange Range
}

// Open2D opens a set of points. Only image:FILE and points:FILE read a file. The
// error is an [*UnknownError] where the name is wrong, and a [*FileError] where the
// file is.
func Open2D(name string, opts Options) (*Set2D, error) {
	e, err := find(name)
	if err != nil {
		return nil, err
	}
	return e.open2DIn(e.describe(), opts)
}

// Reopen2D is [Open2D] for a model that was trained on the set: the points of a file are
// laid into the frame of then, in, whatever the file holds now.
func Reopen2D(in Info, opts Options) (*Set2D, error) {
	e, err := find(in.Name)
	if err != nil {
		return nil, err
	}
	info := e.describe()
	info.Frame, opts.framed = in.Frame, true
	return e.open2DIn(info, opts)
}

func (e *entry) open2DIn(info Info, opts Options) (*Set2D, error) {
	if e.open2D == nil {
		return nil, fmt.Errorf("%s is a set of images, not of points", e.info.Name)
	}
	return e.open2D(info, opts)
}

// Sample fills dst, [N,2], with the points number first, first+1, ... of the stream
// that the seed names. A point depends on the seed and its number alone: not on how
// many are drawn together, nor on which thread or machine.
func (s *Set2D) Sample(dst []float32, seed, first int64) {
	s.sample(dst[:len(dst)/2*2], pointKey(seed), first)
}

// LogDensity is the logarithm of the density at a point: -Inf where no points fall.
// It is false where the set has no density, being a list of points.
func (s *Set2D) LogDensity(x, y float64) (float64, bool) {
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
func (s *Set2D) Entropy() (float64, bool) {
	if s.entropy == nil {
		return math.NaN(), false
	}
	return s.entropy(), true
}

// Notes says what a user should know of his own file before training on it, a line
// each: where its points are laid for the flow. It is mostly empty.
func (s *Set2D) Notes() []string { return s.notes }

// Range is a rectangle of the plane.
type Range struct{ X0, X1, Y0, Y1 float64 }

// PlotRange is a square around 10,000 points of the set with a margin of 5 % on each
// side. It is the same at each call.
func (s *Set2D) PlotRange() Range {
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

// SquareAround is the square around points, [N,2], with a margin of 5 % of its side on
// each side. Points that are not finite are left out; around nothing it is [-1,1]x[-1,1].
func SquareAround(points []float32) Range {
	inf := math.Inf(1)
	lo, hi := [2]float64{inf, inf}, [2]float64{-inf, -inf}
	for i := 0; i+1 < len(points); i += 2 {
		x, y := float64(points[i]), float64(points[i+1])
		if math.IsNaN(x-x) || math.IsNaN(y-y) {
			continue
		}
		lo[0], hi[0] = min(lo[0], x), max(hi[0], x)
		lo[1], hi[1] = min(lo[1], y), max(hi[1], y)
	}
	if lo[0] > hi[0] {
		return Range{-1, 1, -1, 1}
	}
	const margin = 0.05
	side := max(hi[0]-lo[0], hi[1]-lo[1])
	if side == 0 {
		side = 1 // all in one place
	}
	half := side * (0.5 + margin)
	cx, cy := (lo[0]+hi[0])/2, (lo[1]+hi[1])/2
	return Range{cx - half, cx + half, cy - half, cy + half}
}

// planeSets are the rows of the registry for sets of points.
var planeSets = []entry{
	planeSet("checkerboard", "eight squares of a chess board, evenly filled", checkerboard),
	planeSet("moons", "two half circles that reach into each other, as scikit-learn draws them", moons),
	planeSet("mixture", "four equal Gaussians, two of them touching", mixture),
	planeSet("siggraph", "9,800 points that spell a word", siggraph),
	planeSet("invertocat", "the silhouette of a cat, as a density", invertocat),
	planeSet("8gaussians", "eight Gaussians on a circle", eightGaussians),
	planeSet("pinwheel", "five bent blades around the middle", pinwheel),
	planeSet("rings", "four circles, one inside the other", rings),
	planeSet("spirals", "two arms of a spiral", spirals),
	planeSet("swissroll", "one long rolled-up band", swissRoll),
	{
		info:   Info{Name: "image:FILE", Shape: plane},
		about:  "any PNG or JPEG as a density: the darker, the more points",
		open2D: openPicture,
	},
	{
		info:   Info{Name: "points:FILE", Shape: plane},
		about:  "points of your own, two numbers each: .csv, .npy or .npz",
		open2D: openPoints,
	},
}

// planeSet is the row of a set that needs no file.
func planeSet(name, about string, make func() *Set2D) entry {
	return entry{
		info:  Info{Name: name, Shape: plane},
		about: about,
		open2D: func(info Info, _ Options) (*Set2D, error) {
			s := make()
			s.Info = info
			return s, nil
		},
	}
}

// constant is an entropy that is known.
func constant(nats float64) func() float64 { return func() float64 { return nats } }
