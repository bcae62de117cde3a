package viz

import (
	"fmt"
	"image"
	"image/color"
)

// Pictures is a batch of images as a sampler leaves them.
type Pictures struct {
	X     []float32 // [N,C,H,W]; shown clamped to [-1,1]
	Shape [3]int    // channels (1: grey, 3: red, green, blue), height, width
}

// Len is the number of images.
func (p Pictures) Len() int {
	if d := p.dim(); d > 0 {
		return len(p.X) / d
	}
	return 0
}

func (p Pictures) dim() int { return p.Shape[0] * p.Shape[1] * p.Shape[2] }

// check says what makes the batch impossible to draw.
func (p Pictures) check() error {
	c, h, w := p.Shape[0], p.Shape[1], p.Shape[2]
	switch {
	case c != 1 && c != 3:
		return fmt.Errorf("viz: %d channels: a picture has 1 or 3", c)
	case h < 1 || w < 1 || h > 1<<14 || w > 1<<14:
		return fmt.Errorf("viz: pictures of %dx%d cannot be drawn", h, w)
	case len(p.X)%p.dim() != 0:
		return fmt.Errorf("viz: %d values are not whole pictures of %v", len(p.X), p.Shape)
	}
	return nil
}

// level turns a value into 0..255, clamped; NaN shows as black.
func level(v float32) uint8 {
	switch {
	case v >= 1:
		return 255
	case v > -1:
		return uint8((v+1)*127.5 + 0.5)
	}
	return 0
}

// levels writes sample i as bytes of 0..255: [C,H,W].
func (p Pictures) levels(dst []uint8, i int) {
	d := p.dim()
	for j, v := range p.X[i*d : (i+1)*d] {
		dst[j] = level(v)
	}
}

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
