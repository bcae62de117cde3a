package figures

import (
	"fmt"
	"path/filepath"
	"slices"

	"flowmatch/cmd/internal/terminal"
	"flowmatch/datasets"
	"flowmatch/viz"
)

// DataFile shows what a run on a user's own pictures was trained on.
const DataFile = "data.png"

// A grid of what was read has so many columns of classes, and of each class, or of all
// where there are none, so many pictures.
const (
	dataClasses  = 20
	dataPerClass = 10
	dataAll      = 100
)

// Data draws some of the images that a run in the folder is trained on, evenly taken: a
// column for each class. It gives the path.
func Data(dir string, im *datasets.Images) (string, error) {
	taken, labels := someOf(im)
	shown := viz.Pictures{Shape: [3]int(im.Shape), X: make([]float32, len(taken)*im.Dim())}
	for k, i := range taken {
		im.Floats(shown.X[k*im.Dim():], i)
	}
	layout := viz.Square(len(taken))
	if im.Labels != nil && im.Classes() > 1 {
		names := make([]string, im.Classes())
		for c, name := range im.ClassNames {
			names[c] = terminal.Printable(name)
		}
		layout = viz.ByClass(labels, names, 0)
	}
	title := im.Slug()
	if len(taken) < im.Len() {
		title = Title(title, fmt.Sprintf("%d of %s", len(taken), terminal.Counted(im.Len(), "picture")))
	}
	grid, err := viz.ImageGrid(shown, viz.GridConfig{Layout: layout, Title: title})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, DataFile)
	return path, WritePNG(path, grid)
}

// someOf are the images that are shown, class by class, and their classes.
func someOf(im *datasets.Images) (taken []int, labels []int64) {
	of := make([][]int, max(1, im.Classes()))
	for i := range im.Len() {
		class := 0
		if im.Labels != nil {
			class = int(im.Labels[i])
		}
		of[class] = append(of[class], i)
	}
	of = slices.DeleteFunc(of, func(of []int) bool { return len(of) == 0 })
	most := dataPerClass
	if len(of) == 1 {
		most = dataAll
	}
	for _, images := range of[:min(len(of), dataClasses)] {
		n := min(most, len(images))
		for k := range n {
			i := images[k*len(images)/n]
			taken = append(taken, i)
			if im.Labels != nil {
				labels = append(labels, int64(im.Labels[i]))
			}
		}
	}
	return taken, labels
}
