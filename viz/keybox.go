package viz

import (
	"image/color"
	"image/draw"
	"math"
)

// curveKey is a line of a chart's legend.
type curveKey struct {
	label  string
	color  color.NRGBA
	dashed bool
	marked bool
}

// keyBox draws the legend where it has the least ink behind it.
func (f *figure) keyBox(keys []curveKey) {
	dc := f.dc
	page := dc.Image().(draw.Image)
	em := float64(capHeight(f.small))
	line := float64(lineHeight(f.small)) * 1.15
	stroke := 3.2 * em
	widest := 0
	for _, k := range keys {
		widest = max(widest, textWidth(f.small, k.label))
	}
	w := em + stroke + 0.8*em + float64(widest) + em
	h := line*float64(len(keys)) + 0.8*em
	if len(keys) == 0 || w > f.plot.x1-f.plot.x0 || h > f.plot.y1-f.plot.y0 {
		return
	}
	x0, y0 := f.clearPlace(w, h, em)
	dc.SetColor(color.NRGBA{0xff, 0xff, 0xff, 0xe6})
	dc.DrawRoundedRectangle(x0, y0, w, h, 4)
	dc.Fill()
	dc.SetColor(gridGrey)
	dc.SetLineWidth(1)
	dc.DrawRoundedRectangle(math.Floor(x0)+0.5, math.Floor(y0)+0.5, math.Floor(w), math.Floor(h), 4)
	dc.Stroke()
	for i, k := range keys {
		middle := y0 + 0.4*em + line*(float64(i)+0.5)
		x := x0 + em
		dc.SetColor(k.color)
		dc.SetLineWidth(2)
		if k.dashed {
			dc.SetDash(6, 4)
		}
		dc.DrawLine(x, middle, x+stroke, middle)
		dc.Stroke()
		dc.SetDash()
		if k.marked {
			dc.DrawCircle(x+stroke/2, middle, 4)
			if k.dashed {
				dc.SetColor(color.White)
				dc.FillPreserve()
				dc.SetColor(k.color)
				dc.Stroke()
			} else {
				dc.Fill()
			}
		}
		drawText(page, f.small, k.label, int(x+stroke+0.8*em), int(middle+em/2), left, ink)
	}
}

// clearPlace is the emptiest place for a box of that size, in a corner or in the middle
// of a side; of equal ones, the upper right corner.
func (f *figure) clearPlace(w, h, margin float64) (x, y float64) {
	xs := [3]float64{f.plot.x1 - margin - w, f.plot.x0 + margin, (f.plot.x0 + f.plot.x1 - w) / 2}
	ys := [3]float64{f.plot.y0 + margin, f.plot.y1 - margin - h, (f.plot.y0 + f.plot.y1 - h) / 2}
	least := math.MaxInt
	for _, cy := range ys {
		for _, cx := range xs {
			if n := f.inkWithin(cx, cy, w, h); n < least {
				least, x, y = n, cx, cy
			}
		}
	}
	return x, y
}

// inkWithin counts the pixels that are neither white nor of the grid.
func (f *figure) inkWithin(x, y, w, h float64) int {
	img := f.dc.Image()
	n := 0
	for j := int(y); j < int(y+h); j++ {
		for i := int(x); i < int(x+w); i++ {
			if r, _, b, _ := img.At(i, j).RGBA(); min(r, b) < uint32(gridGrey.Y-8)<<8 {
				n++
			}
		}
	}
	return n
}
