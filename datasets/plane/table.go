package plane

import (
	"fmt"
	"slices"
	"strings"

	"flowmatch/datasets/set"
)

// Kind is a row of the table of sets. A name with a colon stands for many sets: of
// "image:FILE", what is written behind the colon is a path.
type Kind struct {
	set.Info
	Traits set.Traits
	About  string // one line for people

	// open reads a file, if there is one, and lays its points into the frame; nil: into
	// that which fits them.
	open func(in set.Info, into *framed) (*Set, error)
}

// framed is a frame that is given: nil leaves points as they are.
type framed struct{ *Frame }

// Kinds lists the sets in the order in which they are shown.
func Kinds() []Kind { return slices.Clone(table) }

var table = []Kind{
	inReference(builtIn("checkerboard", "eight squares of a chess board, evenly filled", checkerboard)),
	inReference(builtIn("moons", "two half circles that reach into each other, as scikit-learn draws them", moons)),
	inReference(builtIn("mixture", "four equal Gaussians, two of them touching", mixture)),
	inReference(builtIn("siggraph", "9,800 points that spell a word", siggraph)),
	inReference(builtIn("invertocat", "the silhouette of a cat, as a density", invertocat)),
	builtIn("8gaussians", "eight Gaussians on a circle", eightGaussians),
	builtIn("pinwheel", "five bent blades around the middle", pinwheel),
	builtIn("rings", "four circles, one inside the other", rings),
	builtIn("spirals", "two arms of a spiral", spirals),
	builtIn("swissroll", "one long rolled-up band", swissRoll),
	{described("image:FILE"), set.Traits{}, "any picture as a density: the darker, the more points", openPicture},
	{described("points:FILE"), set.Traits{}, "points of your own, two numbers each: .csv, .txt, .npy or .npz", openPoints},
}

func described(name string) set.Info { return set.Info{Name: name, Shape: []int{2}} }

// builtIn is the row of a set that needs no file.
func builtIn(name, about string, make func() *Set) Kind {
	return Kind{described(name), set.Traits{}, about, func(in set.Info, _ *framed) (*Set, error) {
		s := make()
		s.Info = in
		return s, nil
	}}
}

// inReference marks a set that the reference system has, too.
func inReference(k Kind) Kind {
	k.Traits.Reference = true
	return k
}

// Open opens a set by its name, as the table has it. Only image:FILE and points:FILE read a
// file, and give a *[set.FileError] where that is wrong.
func Open(name string) (*Set, error) { return open(name, nil) }

// OpenIn is [Open] for a model that was trained on the set: the points of a file are laid
// into the frame of then, whatever the file holds now; nil leaves them as they are.
func OpenIn(name string, frame *Frame) (*Set, error) { return open(name, &framed{frame}) }

func open(name string, into *framed) (*Set, error) {
	kind, path, file := strings.Cut(name, ":")
	for _, k := range table {
		known, _, many := strings.Cut(k.Name, ":")
		if known == kind && many == file && (path != "" || !file) {
			in := described(name)
			if into != nil {
				in.Frame = into.Frame
			}
			return k.open(in, into)
		}
	}
	var names []string
	for _, k := range table {
		names = append(names, k.Name)
	}
	return nil, fmt.Errorf("%q is no set of points: these are %s", name, strings.Join(names, ", "))
}
