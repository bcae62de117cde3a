package viz

import (
	"image"
	"image/color"
	"testing"
)

func TestBeside(t *testing.T) {
	a := image.NewGray(image.Rect(0, 0, 3, 2)) // black
	b := image.NewRGBA(image.Rect(5, 5, 7, 9)) // elsewhere, higher
	red := color.RGBA{255, 0, 0, 255}
	for i := range 8 {
		b.SetRGBA(5+i%2, 5+i/2, red)
	}
	page := Beside(a, b).(*image.RGBA)
	if page.Rect != image.Rect(0, 0, 5, 4) {
		t.Fatalf("%v", page.Rect)
	}
	for _, c := range []struct {
		x, y int
		want color.RGBA
	}{
		{0, 0, color.RGBA{0, 0, 0, 255}}, {2, 1, color.RGBA{0, 0, 0, 255}}, {2, 2, color.RGBA{255, 255, 255, 255}},
		{3, 0, red}, {4, 3, red},
	} {
		if got := page.RGBAAt(c.x, c.y); got != c.want {
			t.Errorf("%d,%d: %v, want %v", c.x, c.y, got, c.want)
		}
	}
}
