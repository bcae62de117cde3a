package viz

import (
	"image"
	"image/color"
	"image/draw"

	"golang.org/x/image/font"
)

// panelAxes are the numbers below square panels, and to the left of the first: panels
// side by side have one vertical axis.
type panelAxes struct {
	r           Range
	xs, ys      []tick
	face        font.Face
	left, below int // the room that they need; 0 where the range is empty
}

const (
	tickLength = 4 // pixels
	tickSize   = 13
)

func newPanelAxes(r Range) *panelAxes {
	a := &panelAxes{r: r}
	if !(r.X1 > r.X0 && r.Y1 > r.Y0) {
		return a
	}
	a.face = face(tickSize)
	a.xs, a.ys = linearTicks(r.X0, r.X1, 8), linearTicks(r.Y0, r.Y1, 8)
	for _, t := range a.ys {
		a.left = max(a.left, textWidth(a.face, t.label)+tickLength+4)
	}
	a.below = tickLength + 3 + lineHeight(a.face)
	return a
}

// draw marks the axes of a panel of side pixels whose corner is at. Labels that would
// meet their neighbours are left out.
func (a *panelAxes) draw(page draw.Image, at image.Point, side int, vertical bool) {
	if a.below == 0 {
		return
	}
	mark := func(r image.Rectangle) { draw.Draw(page, r, image.NewUniform(frameGrey), image.Point{}, draw.Src) }
	free := at.X - panelGap
	for _, t := range a.xs {
		x := at.X + int((t.at-a.r.X0)/(a.r.X1-a.r.X0)*float64(side-1)+0.5)
		mark(image.Rect(x, at.Y+side, x+1, at.Y+side+tickLength))
		if half := textWidth(a.face, t.label) / 2; x-half > free {
			drawText(page, a.face, t.label, x, at.Y+side+tickLength+2+a.face.Metrics().Ascent.Ceil(), middle, color.Color(ink))
			free = x + half + 4
		}
	}
	if !vertical {
		return
	}
	for _, t := range a.ys {
		y := at.Y + side - 1 - int((t.at-a.r.Y0)/(a.r.Y1-a.r.Y0)*float64(side-1)+0.5)
		mark(image.Rect(at.X-tickLength, y, at.X, y+1))
		drawText(page, a.face, t.label, at.X-tickLength-3, y+capHeight(a.face)/2, right, color.Color(ink))
	}
}
