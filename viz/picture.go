package viz

import (
	"fmt"
	"image"
	"image/color"
)

// Picture is sample i at its own size, a pixel a pixel.
func Picture(p Pictures, i int) (image.Image, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if i < 0 || i >= p.Len() {
		return nil, fmt.Errorf("viz: picture %d of %d", i, p.Len())
	}
	c, h, w := p.Shape[0], p.Shape[1], p.Shape[2]
	px := make([]uint8, p.dim())
	p.levels(px, i)
	if c == 1 {
		return &image.Gray{Pix: px, Stride: w, Rect: image.Rect(0, 0, w, h)}, nil
	}
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			at := y*w + x
			img.SetRGBA(x, y, color.RGBA{px[at], px[h*w+at], px[2*h*w+at], 255})
		}
	}
	return img, nil
}
