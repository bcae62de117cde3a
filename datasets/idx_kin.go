package datasets

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Sets of IDX files look alike, and their files often have one name: MNIST's. What can
// tell them apart are the labels that occur, and how bright the pictures are.

// labelRanges are the labels of sets that not all have.
var labelRanges = []struct {
	set         string
	first, last uint8
	above       uint8 // with none above it, they may be those of a smaller set
}{
	{"emnist_letters", 1, 26, 9},
	{"emnist_balanced", 0, 46, 9},
	{"emnist_byclass", 0, 61, 46},
}

// setOfLabels is the set that has such labels and that others have not, or "". A few
// labels above the ten of MNIST may be damage; of these sets half and more are.
func setOfLabels(labels []byte) string {
	if len(labels) == 0 {
		return ""
	}
	above := 0
	for _, y := range labels {
		if y > 9 {
			above++
		}
	}
	least, most := slices.Min(labels), slices.Max(labels)
	for _, r := range labelRanges {
		if least >= r.first && most <= r.last && most > r.above && 5*above >= 2*len(labels) {
			return r.set
		}
	}
	return ""
}

// otherIDX says what to do about labels that are not the set's own; "" if they are.
func otherIDX(info Info, first uint8, labels []byte) Remedy {
	least, most := slices.Min(labels), slices.Max(labels)
	if least >= first && int(most) < int(first)+info.Classes() {
		return ""
	}
	if set := setOfLabels(labels); set != "" && set != info.Name {
		return Remedy(fmt.Sprintf("they are those of %s: take the set %s, which reads them where they lie", set, set))
	}
	if most <= 9 {
		return "they may be those of mnist, or of a set like it: take that one"
	}
	return ""
}

// brightness are the means of the training images of sets whose files and labels are
// alike, as they are used everywhere to normalise.
var brightness = []bright{
	{"mnist", 0.1307},
	{"fashion_mnist", 0.2860},
	{"kmnist", 0.1918},
}

type bright struct {
	set  string
	mean float64 // of 1
}

// warnOfBrightness notes whole sets of which the pictures are as bright as another's.
func (im *Images) warnOfBrightness() {
	if n := im.Len(); n != 60000 && n != 10000 {
		return
	}
	if !slices.ContainsFunc(brightness, func(b bright) bool { return b.set == im.Name }) {
		return
	}
	sum := uint64(0)
	for _, p := range im.Pixels {
		sum += uint64(p)
	}
	mean := float64(sum) / float64(len(im.Pixels)) / 255
	for _, b := range brightness {
		if b.set != im.Name && math.Abs(mean-b.mean) < 0.01 {
			im.Warnings = append(im.Warnings, fmt.Sprintf("%s: its images are as bright as those of %s: if that is what they are, move them to %s/ and take the set %s",
				im.Name, b.set, strings.ToLower(b.set), b.set))
		}
	}
}

// clearly is a ratio of height and width that tells how writing lies.
const clearly = 1.25

// alreadyUpright tells whether pictures stored under MNIST's names have been turned by
// someone, where their makers store them by columns.
func (im *Images) alreadyUpright() bool {
	across, down := im.extent()
	return down > clearly*across
}

// warnOfLying notes pictures that lie on their sides.
func (im *Images) warnOfLying() {
	if across, down := im.extent(); across > clearly*down {
		im.Warnings = append(im.Warnings, im.Name+": its pictures lie on their sides, as EMNIST's makers store theirs: if they are EMNIST's digits, move them to emnist_digits/ and take the set emnist_digits, which sets them upright")
	}
}

// extent is how wide and how tall the writing is: the variances of its ink from side to
// side and from top to bottom, added up. Writing is taller than wide: twice for MNIST's
// own, and the other way round for pictures stored by columns.
func (im *Images) extent() (across, down float64) {
	n := im.Shape[1]
	for plane := range slices.Chunk(im.Pixels, n*n) {
		var ink, sx, sy, sxx, syy float64
		for i, v := range plane {
			w, x, y := float64(v), float64(i%n), float64(i/n)
			ink, sx, sy = ink+w, sx+w*x, sy+w*y
			sxx, syy = sxx+w*x*x, syy+w*y*y
		}
		if ink > 0 {
			across += sxx/ink - sx/ink*(sx/ink)
			down += syy/ink - sy/ink*(sy/ink)
		}
	}
	return across, down
}
