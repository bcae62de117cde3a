package figures

import (
	"fmt"
	"testing"

	"flowmatch/datasets"
)

// Some of each class, from all over it; of one class, or none, a block.
func TestSomeOf(t *testing.T) {
	set := func(n, classes int) *datasets.Images {
		im := &datasets.Images{Info: datasets.Info{Name: "folder:a", Shape: []int{1, 1, 1}, Levels: 256}, Pixels: make([]uint8, n)}
		for i := range n {
			if classes > 0 {
				im.Labels = append(im.Labels, uint8(i%classes))
			}
		}
		for c := range classes {
			im.ClassNames = append(im.ClassNames, fmt.Sprint("class\t", c))
		}
		return im
	}
	for _, c := range []struct {
		images, classes, want, last int
		lastLabel                   int64
	}{
		{1, 0, 1, 0, -1}, {5, 0, 5, 4, -1}, {1000, 0, 100, 990, -1}, {300, 1, 100, 297, 0},
		{40, 2, 20, 37, 1}, {7, 3, 7, 5, 2}, {500, 50, 200, 469, 19},
	} {
		im := set(c.images, c.classes)
		taken, labels := someOf(im)
		ok := len(taken) == c.want && taken[len(taken)-1] == c.last && (c.classes > 0) == (labels != nil)
		for k, l := range labels {
			ok = ok && im.Labels[taken[k]] == uint8(l)
		}
		if !ok || labels != nil && labels[len(labels)-1] != c.lastLabel {
			t.Errorf("%d images of %d classes: %v, %v", c.images, c.classes, taken, labels)
		}
		if _, err := Data(t.TempDir(), im); err != nil {
			t.Errorf("%d images of %d classes: %v", c.images, c.classes, err)
		}
	}
}
