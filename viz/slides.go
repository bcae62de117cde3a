package viz

import (
	"errors"
	"image"
	"image/color"
	"image/draw"
	"io"
	"iter"
	"math"
	"time"
)

// SlidesConfig says how long the pages of a film are seen. The zero value is good.
type SlidesConfig struct {
	Each time.Duration // default 0.5 s
	Hold time.Duration // how long the last page stays; default 2 s
}

// SlidesGIF writes finished pages, as ImageGrid and DatasetPlot make them, one after
// another as a film. Pages of different sizes are set in the middle of the largest. They
// are gone through twice: for size and colours, then to be written one at a time. An
// error from the iterator ends the film and is returned.
func SlidesGIF(w io.Writer, pages iter.Seq2[image.Image, error], cfg SlidesConfig) error {
	if cfg.Each <= 0 {
		cfg.Each = 500 * time.Millisecond
	}
	if cfg.Hold <= 0 {
		cfg.Hold = 2 * time.Second
	}
	size, palette, err := slidesLook(pages)
	if err != nil {
		return err
	}
	gif, err := newGIF(w, size, palette)
	if err != nil {
		return err
	}
	screen := image.NewPaletted(image.Rectangle{Max: size}, palette)
	screenInks := newSlideInks(palette)
	shown := false
	for page, failure := range pages {
		if failure != nil {
			return failure
		}
		if shown { // the page before
			if err := gif.add(screen, hundredths(cfg.Each)); err != nil {
				return err
			}
		}
		screenInks.draw(screen, page)
		shown = true
	}
	if err := gif.add(screen, hundredths(cfg.Hold)); err != nil {
		return err
	}
	return gif.close()
}

func hundredths(d time.Duration) int {
	return int(max(2, min(d/(10*time.Millisecond), math.MaxUint16)))
}

// slidesPixels is about how many pixels of all pages choose the colours.
const slidesPixels = 60_000

// slidesLook is the size that all pages fit, and their colours.
func slidesLook(pages iter.Seq2[image.Image, error]) (size image.Point, palette color.Palette, err error) {
	grey, n := true, 0
	for page, err := range pages {
		if err != nil {
			return size, nil, err
		}
		b := page.Bounds()
		size.X, size.Y = max(size.X, b.Dx()), max(size.Y, b.Dy())
		_, g := page.(*image.Gray)
		grey = grey && g
		n++
	}
	if n == 0 {
		return size, nil, errors.New("viz: a film needs at least one page")
	}
	if err := checkPage(size); err != nil {
		return size, nil, err
	}
	if grey {
		return size, greyPalette(), nil
	}
	var pixels []rgb
	stride := max(1, n*size.X*size.Y/slidesPixels)
	skip := 0
	for page, err := range pages {
		if err != nil {
			return size, nil, err
		}
		b := page.Bounds()
		plane := b.Dx() * b.Dy()
		for ; skip < plane; skip += stride {
			pixels = append(pixels, rgbAt(page.At(b.Min.X+skip%b.Dx(), b.Min.Y+skip/b.Dx())))
		}
		skip -= plane
	}
	return size, colourPalette(pixels), nil
}

func rgbAt(c color.Color) rgb {
	r, g, b, _ := c.RGBA()
	return rgb{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8)}
}

// slideInks finds the palette's nearest colours for finished pages.
type slideInks struct {
	greys bool
	q     *quantiser
	white uint8
}

func newSlideInks(p color.Palette) *slideInks {
	k := &slideInks{greys: len(p) == 1+greyLevels, white: uint8(1 + p[1:].Index(color.White))}
	if !k.greys {
		k.q = newQuantiser(p, firstHue)
	}
	return k
}

// draw sets a page in the middle of the screen.
func (k *slideInks) draw(screen *image.Paletted, page image.Image) {
	b := page.Bounds()
	at := screen.Rect.Size().Sub(b.Size()).Div(2)
	if b.Size() != screen.Rect.Size() {
		draw.Draw(screen, screen.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
	}
	for y := range b.Dy() {
		row := screen.Pix[screen.PixOffset(at.X, at.Y+y):][:b.Dx()]
		for x := range row {
			row[x] = k.index(page.At(b.Min.X+x, b.Min.Y+y))
		}
	}
}

func (k *slideInks) index(c color.Color) uint8 {
	v := rgbAt(c)
	switch {
	case v == rgb{255, 255, 255}:
		return k.white
	case k.greys:
		return uint8(1 + (int(v[0])*(greyLevels-1)+127)/255)
	}
	return k.q.nearest(v)
}
