package datasets

import (
	"slices"

	"flowmatch/datasets/picture"
)

// folderSizes are the heights and widths that are chosen from: networks halve them down
// to few pixels.
var folderSizes = []int{LeastChosen, 12, 16, 24, 28, 32, 48, MostChosen}

// The least and the most that is chosen for a folder's pictures.
const (
	LeastChosen = 8
	MostChosen  = 64
)

const (
	headsRead     = 1000 // pictures whose sizes decide, at most
	enlargedOneIn = 10   // more than one in so many is never enlarged
)

// chooseSize is the height and width for a folder's pictures where none is asked for: the
// largest of [folderSizes] that nine in ten of the pictures to train on have, and 8 for
// smaller ones. Of large folders it looks at the heads of a thousand pictures.
func (t *folderTree) chooseSize(part Split, stop func() error) (int, error) {
	if t.divided() && part == Test { // tests are at the size of what is trained on
		train, err := listClasses(Info{Name: t.set + ":" + t.dir})
		if err == nil {
			err = train.listPictures(Train, stop)
		}
		if err != nil {
			return 0, err
		}
		t = train
	}
	var sides []int
	heads := min(headsRead, len(t.pictures))
	for i := range heads {
		if err := stop(); err != nil {
			return 0, err
		}
		if side := t.shortSide(t.pictures[i*len(t.pictures)/heads].path); side > 0 {
			sides = append(sides, side)
		}
	}
	slices.Sort(sides)
	return sizeFor(sides), nil
}

// sizeFor is the size for pictures of these short sides, the shortest first.
func sizeFor(sides []int) int {
	size := folderSizes[len(folderSizes)-1]
	if len(sides) == 0 { // none is good, as reading them will tell
		return size
	}
	least := sides[len(sides)/enlargedOneIn]
	for i := len(folderSizes) - 1; i >= 0; i-- {
		if size = folderSizes[i]; size <= least {
			break
		}
	}
	return size
}

// shortSide is that of a picture by its head, 0 for one that cannot be read.
func (t *folderTree) shortSide(path string) int {
	f, bytes, err := t.open(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	p, err := picture.ReadHead(f, bytes)
	if err != nil {
		return 0
	}
	return min(p.Width, p.Height)
}
