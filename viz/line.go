package viz

import (
	"image"
	"image/color"
	"image/draw"

	"github.com/fogleman/gg"
)

// strokeLength is how many points are stroked at once. The rasteriser looks through
// all that a path has left on a line of pixels for each new piece of it, so a path
// of thousands of strokes up and down takes half a minute where short ones take
// milliseconds.
const strokeLength = 24

// line draws a curve inside the axes, broken at what is not finite. A point alone
// is a dot. The parts are drawn at full strength on a layer of their own, and the
// layer is laid on the page in the colour's own strength, so that nothing shows
// where parts overlap.
func (f *figure) line(points []point, width float64, c color.NRGBA) {
	layer := gg.NewContext(f.dc.Width(), f.dc.Height())
	layer.SetColor(color.Black)
	layer.SetLineWidth(width)
	layer.SetLineJoin(gg.LineJoinRound)
	layer.SetLineCap(gg.LineCapRound)

	run := 0 // points of the part so far
	var last point
	end := func() {
		if run == 1 {
			layer.ClearPath()
			layer.DrawCircle(f.px(last.x), f.py(last.y), 1.5*width)
			layer.Fill()
		}
		layer.Stroke()
		run = 0
	}
	for _, p := range points {
		if !isFinite(p.y) || f.log && p.y <= 0 {
			end()
			continue
		}
		if run >= strokeLength {
			layer.Stroke()
			layer.MoveTo(f.px(last.x), f.py(last.y))
			run = 1
		}
		if run == 0 {
			layer.MoveTo(f.px(p.x), f.py(p.y))
		} else {
			layer.LineTo(f.px(p.x), f.py(p.y))
		}
		last = p
		run++
	}
	end()

	inside := image.Rect(int(f.plot.x0)+1, int(f.plot.y0)+1, int(f.plot.x1), int(f.plot.y1))
	page := f.dc.Image().(draw.Image)
	draw.DrawMask(page, inside, image.NewUniform(c), image.Point{}, layer.Image(), inside.Min, draw.Over)
}

// key is a line of the legend.
type key struct {
	label string
	color color.NRGBA
}

// legend names the curves below the plot, beside the axis' label, where it hides
// nothing. A page too narrow for it goes without.
func (f *figure) legend(keys []key) {
	page := f.dc.Image().(draw.Image)
	em := capHeight(f.small)
	room := (f.plot.x1-f.plot.x0)/2 - float64(textWidth(f.small, f.xLabel))
	width := 0
	for _, k := range keys {
		width += 5*em + textWidth(f.small, k.label)
	}
	if float64(width) > room {
		return
	}
	x := int(f.plot.x1) - width
	for _, k := range keys {
		x += 2 * em
		stroke := image.Rect(x, f.below-em/2-1, x+2*em, f.below-em/2+1)
		draw.Draw(page, stroke, image.NewUniform(k.color), image.Point{}, draw.Over)
		x += 3 * em
		drawText(page, f.small, k.label, x, f.below, left, ink)
		x += textWidth(f.small, k.label)
	}
}

// note writes a word into the middle of an empty plot.
func (f *figure) note(s string) {
	page := f.dc.Image().(draw.Image)
	drawText(page, f.small, s, int(f.plot.x0+f.plot.x1)/2, int(f.plot.y0+f.plot.y1)/2, middle, frameGrey)
}
