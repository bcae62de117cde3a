package plane

import (
	"image"
	"sync"

	"github.com/fogleman/gg"
)

// invertocat is the silhouette of a cat as a density. The drawing is this project's
// own; only the name and the size are the reference system's.
func invertocat() *Set { return catDensity().set() }

var catDensity = sync.OnceValue(func() *pictureDensity {
	shade := shadesOf(drawCat())
	d, err := newPictureDensity(shade, catWidth, catHeight)
	if err != nil {
		panic("plane: the cat: " + err.Error())
	}
	// Both sides span [-4,4], though they differ by a pixel.
	d.pitchX, d.pitchY = 8.0/(catWidth-1), 8.0/(catHeight-1)
	d.left, d.top = -4, 4
	return d
})

const catWidth, catHeight = 407, 408

// drawCat draws a sitting cat, black on white.
func drawCat() image.Image {
	dc := gg.NewContext(catWidth, catHeight)
	dc.SetRGB(1, 1, 1)
	dc.Clear()
	dc.SetRGB(0, 0, 0)

	// The tail, a thick stroke that curls up on the right.
	dc.SetLineCapRound()
	dc.SetLineWidth(26)
	dc.MoveTo(238, 366)
	dc.CubicTo(330, 392, 388, 330, 352, 268)
	dc.CubicTo(334, 238, 338, 206, 368, 200)
	dc.Stroke()

	// The body: shoulders, hips, and the base they sit on.
	dc.MoveTo(142, 176)
	dc.CubicTo(108, 236, 74, 296, 84, 352)
	dc.CubicTo(88, 378, 108, 386, 132, 386)
	dc.LineTo(240, 386)
	dc.CubicTo(266, 386, 286, 376, 290, 350)
	dc.CubicTo(298, 296, 264, 236, 232, 176)
	dc.ClosePath()
	dc.Fill()

	// The head, a little wider than high.
	dc.DrawEllipse(187, 128, 92, 76)
	dc.Fill()

	// Ears, from the tip down both sides.
	for _, side := range []float64{-1, 1} {
		at := func(x float64) float64 { return 187 + side*x }
		dc.MoveTo(at(80), 14)
		dc.CubicTo(at(92), 40, at(98), 82, at(90), 124)
		dc.LineTo(at(20), 66)
		dc.CubicTo(at(38), 44, at(58), 26, at(80), 14)
		dc.ClosePath()
		dc.Fill()
	}

	// In white: eyes, nose, the whiskers' roots, and a line between the forelegs.
	dc.SetRGB(1, 1, 1)
	for _, side := range []float64{-1, 1} {
		at := func(x float64) float64 { return 187 + side*x }
		dc.MoveTo(at(18), 126)
		dc.QuadraticTo(at(38), 92, at(62), 112)
		dc.QuadraticTo(at(46), 142, at(18), 126)
		dc.ClosePath()
		dc.Fill()
		dc.SetLineWidth(4)
		dc.DrawLine(at(26), 156, at(80), 148)
		dc.DrawLine(at(26), 166, at(78), 172)
		dc.Stroke()
		dc.SetLineWidth(6)
		dc.MoveTo(at(44), 386)
		dc.CubicTo(at(52), 350, at(48), 320, at(36), 292)
		dc.Stroke()
	}
	dc.MoveTo(176, 152)
	dc.LineTo(198, 152)
	dc.LineTo(187, 166)
	dc.ClosePath()
	dc.Fill()
	dc.SetLineWidth(6)
	dc.DrawLine(187, 300, 187, 386)
	dc.Stroke()

	// In black again: upright pupils.
	dc.SetRGB(0, 0, 0)
	dc.DrawEllipse(187-41, 118, 5, 13)
	dc.DrawEllipse(187+41, 118, 5, 13)
	dc.Fill()
	return dc.Image()
}
