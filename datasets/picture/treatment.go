package picture

import (
	"fmt"
	"math/bits"
	"strings"

	"flowmatch/datasets/set"
)

// Treatment is what was done to a picture beside cropping and scaling it.
type Treatment uint8

const (
	turned    Treatment = 1 << iota // set upright, as its EXIF says
	flattened                       // laid on white, where it is transparent
	shallowed                       // taken at 8 bits, of 16
	stopped                         // of an animation, or of pages, the first picture
	unmanaged                       // its colour profile was not applied
	Enlarged                        // it is smaller than what is made of it
)

// inWords are the Treatments in the order of their bits: of one picture, and of more.
var inWords = [...]struct{ one, more string }{
	{"is set upright, as its EXIF says", "are set upright, as their EXIF says"},
	{"is transparent in parts, which become white", "are transparent in parts, which become white"},
	{"has 16 bits a colour, of which 8 are taken", "have 16 bits a colour, of which 8 are taken"},
	{"is animated or has pages, and its first picture is taken", "are animated or have pages, and their first pictures are taken"},
	{"has a colour profile, which is not applied", "have colour profiles, which are not applied"},
	{"is smaller than the size that it gets, and enlarged", "are smaller than the size that they get, and enlarged"},
}

// String says it of one picture.
func (t Treatment) String() string {
	var parts []string
	for k := range inWords {
		if t>>k&1 == 1 {
			parts = append(parts, inWords[k].one)
		}
	}
	return strings.Join(parts, "; it ")
}

// Treatments counts what was done to pictures.
type Treatments struct {
	pictures int
	counts   [len(inWords)]int
}

// Add counts a picture.
func (t *Treatments) Add(done Treatment) {
	t.pictures++
	for ; done != 0; done &= done - 1 {
		t.counts[bits.TrailingZeros8(uint8(done))]++
	}
}

// String is a line for people: "of 100 pictures 3 are set upright, as their EXIF says".
// It is empty where nothing was done.
func (t *Treatments) String() string {
	var parts []string
	for k, n := range t.counts {
		switch {
		case n == 1:
			parts = append(parts, "1 "+inWords[k].one)
		case n > 1:
			parts = append(parts, fmt.Sprint(n, " ", inWords[k].more))
		}
	}
	if parts == nil {
		return ""
	}
	return fmt.Sprintf("of %d %s %s", t.pictures, set.Noun(t.pictures, "picture"), strings.Join(parts, "; "))
}
