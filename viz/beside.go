package viz

import (
	"image"
	"image/draw"
)

// Beside sets pictures side by side on a white page, their tops in line.
func Beside(pictures ...image.Image) image.Image {
	var size image.Point
	for _, p := range pictures {
		size.X += p.Bounds().Dx()
		size.Y = max(size.Y, p.Bounds().Dy())
	}
	page := image.NewRGBA(image.Rectangle{Max: size})
	draw.Draw(page, page.Rect, image.White, image.Point{}, draw.Src)
	x := 0
	for _, p := range pictures {
		b := p.Bounds()
		draw.Draw(page, image.Rect(x, 0, x+b.Dx(), b.Dy()), p, b.Min, draw.Over)
		x += b.Dx()
	}
	return page
}
