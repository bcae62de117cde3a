package viz

import (
	"image"
	"image/color"
	"image/draw"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

var ink = color.Gray{Y: 0x26} // for text: nearly black

// goFont is Go's own typeface, carried in the program: there is no looking for
// fonts on the user's machine.
var goFont = sync.OnceValue(func() *opentype.Font {
	f, err := opentype.Parse(goregular.TTF)
	if err != nil {
		panic("viz: the built-in font: " + err.Error())
	}
	return f
})

// face is the typeface at a height of so many pixels an em. It is not for
// concurrent use: each figure makes its own.
func face(pixels float64) font.Face {
	f, err := opentype.NewFace(goFont(), &opentype.FaceOptions{Size: pixels, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		panic("viz: the built-in font: " + err.Error())
	}
	return f
}

func textWidth(f font.Face, s string) int { return font.MeasureString(f, s).Ceil() }

// lineHeight is the room that a line needs, capHeight that of a capital letter.
func lineHeight(f font.Face) int { m := f.Metrics(); return (m.Ascent + m.Descent).Ceil() }
func capHeight(f font.Face) int  { return f.Metrics().CapHeight.Ceil() }

// anchor places a text by its left end, middle or right end.
type anchor int

const (
	left anchor = iota
	middle
	right
)

// drawText writes s with its baseline at y. Letters start on whole pixels, which
// keeps their stems sharp.
func drawText(dst draw.Image, f font.Face, s string, x, y int, at anchor, c color.Color) {
	switch at {
	case middle:
		x -= textWidth(f, s) / 2
	case right:
		x -= textWidth(f, s)
	}
	d := font.Drawer{Dst: dst, Src: image.NewUniform(c), Face: f, Dot: fixed.P(x, y)}
	d.DrawString(s)
}

// drawTextUp writes s from bottom to top, its middle at y and its baseline at x.
// It turns the pixels by a quarter, so nothing is blurred.
func drawTextUp(dst draw.Image, f font.Face, s string, x, y int, c color.Color) {
	w, h := textWidth(f, s), lineHeight(f)
	base := f.Metrics().Ascent.Ceil()
	flat := image.NewRGBA(image.Rect(0, 0, w, h))
	drawText(flat, f, s, 0, base, left, c)
	turned := image.NewRGBA(image.Rect(0, 0, h, w))
	for i := range w {
		for j := range h {
			turned.SetRGBA(j, w-1-i, flat.RGBAAt(i, j))
		}
	}
	at := image.Pt(x-base, y-w/2)
	draw.Draw(dst, turned.Bounds().Add(at), turned, image.Point{}, draw.Over)
}
