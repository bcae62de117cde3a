package datasets

import (
	"fmt"
	"image/color"
	"slices"
	"strings"
	"testing"

	"flowmatch/datasets/picture/picturetest"
)

func sized(w, h int) []byte {
	return picturetest.PNG(picturetest.Paint(w, h, func(x, _ int) color.Color { return color.NRGBA{uint8(x), 80, 160, 255} }))
}

// The size is one that networks halve, and that nearly all pictures have.
func TestFolderSize(t *testing.T) {
	for name, c := range map[string]struct {
		sides [][2]int
		want  int
		note  string
	}{
		"large":      {[][2]int{{640, 480}, {300, 900}}, 64, ""},
		"exact":      {[][2]int{{64, 64}}, 64, ""},
		"just below": {[][2]int{{63, 200}}, 48, ""},
		"portrait":   {[][2]int{{31, 90}, {90, 31}}, 28, ""},
		"digits":     {[][2]int{{8, 8}, {11, 9}}, 8, ""},
		"tiny":       {[][2]int{{5, 4}, {3, 9}}, 8, "2 are smaller than the size that they get, and enlarged"},
		"one of two": {[][2]int{{20, 20}, {90, 90}}, 16, ""},
	} {
		files := map[string][]byte{}
		for i, s := range c.sides {
			files[fmt.Sprintf("%d.png", i)] = sized(s[0], s[1])
		}
		im, err := Open("folder:"+layFiles(t, files), Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		notes := strings.Join(im.Warnings, "\n")
		if !slices.Equal(im.Shape, []int{3, c.want, c.want}) || im.Labels != nil || im.Classes() != 0 || im.Len() != len(c.sides) || im.check() != "" {
			t.Errorf("%s: shape %v, labels %v, %d images, %q", name, im.Shape, im.Labels, im.Len(), im.check())
		}
		if !strings.Contains(notes, c.note) || strings.Contains(notes, "enlarged") != (c.note != "") || !strings.Contains(notes, "without classes") {
			t.Errorf("%s: notes %q", name, notes)
		}
	}
}

// One picture in ten may be smaller, and is enlarged; a bad one has no say.
func TestFolderSizeOutliers(t *testing.T) {
	files := map[string][]byte{"a/bad.png": {}}
	for i := range 19 {
		files[fmt.Sprintf("a/%02d.png", i)] = sized(50, 60)
	}
	files["b/small.png"] = sized(10, 10)
	im, err := Open("folder:"+layFiles(t, files), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if notes := strings.Join(im.Warnings, "\n"); im.Shape[1] != 48 || !strings.Contains(notes, "of 20 pictures 1 is smaller") {
		t.Errorf("shape %v, notes %q", im.Shape, notes)
	}
	for want, sides := range map[int][]int{
		64: nil,
		8:  {1, 2, 3},
		12: {10, 14, 70, 70, 70, 70, 70, 70, 70, 70}, // the second of ten decides
		32: {32, 47, 47},
	} {
		if got := sizeFor(sides); got != want {
			t.Errorf("%v: %d, want %d", sides, got, want)
		}
	}
}

// What is kept for tests has the size and the channels of what is trained on.
func TestFolderSizeOfParts(t *testing.T) {
	dir := layFiles(t, map[string][]byte{"train/a/1.png": sized(40, 40), "test/a/1.png": sized(20, 20)})
	test, err := Open("folder:"+dir, Options{Split: Test})
	if err != nil || test.Shape[1] != 32 {
		t.Errorf("%v, error %v", test, err)
	}
	grey := layFiles(t, map[string][]byte{"train/a/1.png": shade(9), "test/a/1.png": sized(20, 20)})
	fit, test, err := OpenParts(t.Context(), "folder:"+grey, Options{})
	if err != nil || !slices.Equal(fit.Shape, []int{1, 8, 8}) || !slices.Equal(test.Shape, fit.Shape) {
		t.Errorf("shapes %v and %v, error %v", fit.Shape, test.Shape, err)
	}
}
