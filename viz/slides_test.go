package viz

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"iter"
	"testing"
	"time"
)

func each(pages ...image.Image) iter.Seq2[image.Image, error] {
	return func(yield func(image.Image, error) bool) {
		for _, p := range pages {
			if !yield(p, nil) {
				return
			}
		}
	}
}

// slide is a white page with one dot.
func slide(w, h int, dot image.Point, c color.Color) image.Image {
	p := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range p.Pix {
		p.Pix[i] = 255
	}
	p.Set(dot.X, dot.Y, c)
	return p
}

// Pages are seen in order, whole and in their colours, small ones in the middle.
func TestSlidesGIF(t *testing.T) {
	red, blue := color.RGBA{200, 30, 40, 255}, color.RGBA{10, 20, 230, 255}
	var b bytes.Buffer
	err := SlidesGIF(&b, each(slide(30, 20, image.Pt(3, 4), red), slide(20, 10, image.Pt(0, 0), blue)), SlidesConfig{Each: 300 * time.Millisecond, Hold: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	film, err := gif.DecodeAll(&b)
	if err != nil {
		t.Fatal(err)
	}
	if len(film.Image) != 2 || film.Delay[0] != 30 || film.Delay[1] != 100 || film.Config.Width != 30 || film.Config.Height != 20 {
		t.Fatalf("%d pages, delays %v, %dx%d", len(film.Image), film.Delay, film.Config.Width, film.Config.Height)
	}
	at := func(page int, p image.Point) rgb { // what a viewer shows
		var seen color.Color = color.White
		for _, f := range film.Image[:page+1] {
			if p.In(f.Rect) {
				if c := f.At(p.X, p.Y); f.ColorIndexAt(p.X, p.Y) != transparent {
					seen = c
				}
			}
		}
		return rgbAt(seen)
	}
	for _, c := range []struct {
		page int
		at   image.Point
		want color.Color
	}{
		{0, image.Pt(3, 4), red}, {0, image.Pt(5, 5), color.White}, {0, image.Pt(29, 19), color.White},
		{1, image.Pt(3, 4), color.White}, {1, image.Pt(5, 5), blue}, {1, image.Pt(0, 0), color.White},
	} {
		if got := at(c.page, c.at); distance(got, rgbAt(c.want)) > 6*25 { // five levels of a channel
			t.Errorf("page %d at %v: %v, want %v", c.page, c.at, got, c.want)
		}
	}
}

// Grids of grey samples are greys, to half a step of them.
func TestSlidesOfGrids(t *testing.T) {
	x := make([]float32, 4*64)
	for i := range x {
		x[i] = float32(i%64)/31.5 - 1
	}
	grid, err := ImageGrid(Pictures{X: x, Shape: [3]int{1, 8, 8}}, GridConfig{Layout: Square(4), Title: "step 8"})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := SlidesGIF(&b, each(grid), SlidesConfig{}); err != nil {
		t.Fatal(err)
	}
	film, err := gif.DecodeAll(&b)
	if err != nil || film.Delay[0] != 200 {
		t.Fatalf("%v", err)
	}
	size := grid.Bounds()
	for y := range size.Dy() {
		for x := range size.Dx() {
			a, b := int(rgbAt(grid.At(x, y))[0]), int(rgbAt(film.Image[0].At(x, y))[0])
			if d := a - b; d > 3 || d < -3 {
				t.Fatalf("(%d,%d) is %d, was %d", x, y, b, a)
			}
		}
	}
}

func TestSlidesRefused(t *testing.T) {
	if err := SlidesGIF(&bytes.Buffer{}, each(), SlidesConfig{}); err == nil {
		t.Error("a film of nothing")
	}
	broken := errors.New("unreadable")
	pages := func(yield func(image.Image, error) bool) { yield(nil, broken) }
	if err := SlidesGIF(&bytes.Buffer{}, pages, SlidesConfig{}); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	if err := SlidesGIF(&bytes.Buffer{}, each(image.NewGray(image.Rect(0, 0, 1<<17, 1))), SlidesConfig{}); err == nil {
		t.Error("a page that is too wide")
	}
}
