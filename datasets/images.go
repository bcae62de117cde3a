package datasets

import (
	"fmt"
	"slices"
	"strings"
)

// Images is a set of labelled pictures of one size, held as bytes.
type Images struct {
	Info

	Pixels []uint8 // [N,C,H,W], each below Levels
	Labels []uint8 // [N], each below len(ClassNames); nil for a set without classes

	Files *Inventory // what they were read from, of which Data is the fingerprint; nil if inside the program

	Warnings []string // what the reader passed over or did without, a line each, for people

	// Undivided says that the set has no test part of its own: some of its images are
	// held out for that.
	Undivided bool
}

// Describe is the Info, as it is of every [Set].
func (im *Images) Describe() Info { return im.Info }

// Notes are the Warnings.
func (im *Images) Notes() []string { return im.Warnings }

// Inventory is the Files.
func (im *Images) Inventory() *Inventory { return im.Files }

// Len is the number of images.
func (im *Images) Len() int {
	if d := im.Dim(); d > 0 {
		return len(im.Pixels) / d
	}
	return 0
}

// Floats writes image i, normalised to [-1,1], to dst: [C,H,W].
// It panics if dst is shorter than one image or i is out of range.
func (im *Images) Floats(dst []float32, i int) {
	d := im.Dim()
	normalise(dst[:d], im.Pixels[i*d:(i+1)*d], im.scale())
}

// scale maps each of the 256 byte values to its float.
func (im *Images) scale() *[256]float32 {
	var t [256]float32
	for k := range t {
		t[k] = float32(2*float64(k)/float64(im.Levels-1) - 1)
	}
	return &t
}

func normalise(dst []float32, pixels []uint8, table *[256]float32) {
	for j, k := range pixels {
		dst[j] = table[k]
	}
}

// Unlabelled is the set without its Labels.
func (im *Images) Unlabelled() Set {
	out := *im
	out.Labels = nil
	return &out
}

// Subset is a new set of the images for which keep is true, in their order. Its
// memory is its own.
func (im *Images) Subset(keep func(i int) bool) *Images {
	sub := &Images{Info: im.Info}
	d := im.Dim()
	for i := range im.Len() {
		if !keep(i) {
			continue
		}
		sub.Pixels = append(sub.Pixels, im.Pixels[i*d:(i+1)*d]...)
		if im.Labels != nil {
			sub.Labels = append(sub.Labels, im.Labels[i])
		}
	}
	return sub
}

// warnOfMissing notes the classes of which there is no image.
func (im *Images) warnOfMissing() {
	have := make([]bool, im.Classes())
	for _, y := range im.Labels {
		have[y] = true
	}
	var missing []string
	for c, ok := range have {
		if !ok {
			missing = append(missing, im.ClassNames[c])
		}
	}
	if n := len(missing); n > 0 {
		const most = 10
		if n > most {
			missing = append(missing[:most:most], fmt.Sprintf("and %d more", n-most))
		}
		im.Warnings = append(im.Warnings, fmt.Sprintf("%s: there is no image of %d of its %d classes, and no model can learn them: %s",
			im.Name, n, im.Classes(), strings.Join(missing, ", ")))
	}
}

// Reclass numbers the classes as a model has them that was trained on the set when it was
// listed in another order. It is false, and changes nothing, where they are not the
// same classes.
func (im *Images) Reclass(names []string) bool {
	place := make(map[string]uint8, len(names))
	for k, n := range names {
		place[n] = uint8(k)
	}
	if len(place) != len(im.ClassNames) || len(names) != len(im.ClassNames) {
		return false
	}
	to := make([]uint8, len(names))
	for k, n := range im.ClassNames {
		at, ok := place[n]
		if !ok {
			return false
		}
		to[k] = at
	}
	for i, y := range im.Labels {
		im.Labels[i] = to[y]
	}
	im.ClassNames = slices.Clone(names)
	return len(names) > 0
}

// check holds what every reader promises: whole images, a label each, pixels and
// labels in range. It returns the fault in words, or "".
func (im *Images) check() string {
	d := im.Dim()
	if d <= 0 || len(im.Pixels)%d != 0 {
		return fmt.Sprintf("%d pixels are not whole images of %v", len(im.Pixels), im.Shape)
	}
	if im.Labels != nil && len(im.Labels) != im.Len() {
		return fmt.Sprintf("%d images but %d labels", im.Len(), len(im.Labels))
	}
	if im.Levels < 256 {
		for i, k := range im.Pixels {
			if int(k) >= im.Levels {
				return fmt.Sprintf("image %d has a pixel of %d: the largest is %d", i/d, k, im.Levels-1)
			}
		}
	}
	for i, y := range im.Labels {
		if int(y) >= len(im.ClassNames) {
			return fmt.Sprintf("label %d of image %d is out of range: there are %d classes", y, i, len(im.ClassNames))
		}
	}
	return ""
}
