package kinds

import (
	"flowmatch/datasets"
)

// Kind is a kind of sets.
type Kind struct {
	What string // "a set of points"

	// About says what a set of the kind has, for the line that a training begins with.
	About func(datasets.Set) string
	// Smaller are flags of a smaller training, said where one takes hours; it may be "".
	Smaller func(datasets.Info) string

	Samples   int                        // that sample draws of a model without classes
	Shown     int                        // the most of them in a picture; 0: all
	Pictures  bool                       // a sample is a picture, which may be a file of its own
	FilmTimes func(frames int) []float64 // of a film of samples

	Measured int // samples that evaluate draws by each solver
	// Paths says that --num-samples decides the paths whose straightness is measured, too.
	Paths bool

	Pairs        int // of a teacher, that reflow draws; 0: fresh ones for every step
	PairsPerFile int // some tens of seconds' work of the kind's networks, and no more files than needed
}

// Of is the kind of a set.
func Of(in datasets.Info) *Kind { return Each[*Kind]{&Points, &Images}.Of(in) }

// Each is something of each kind.
type Each[T any] struct{ Points, Images T }

// Of is that of the kind of a set.
func (e Each[T]) Of(in datasets.Info) T {
	if in.Is2D() {
		return e.Points
	}
	return e.Images
}
