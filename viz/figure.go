package viz

import (
	"image/color"
	"image/draw"
	"math"
	"slices"

	"github.com/fogleman/gg"
	"golang.org/x/image/font"
)

var (
	gridGrey  = color.Gray{Y: 0xe2}
	frameGrey = color.Gray{Y: 0x70}
)

// figure is a plot with one pair of axes.
type figure struct {
	dc                    *gg.Context
	title, xLabel, yLabel string
	x, y                  axis
	log, logX             bool // the vertical and the horizontal axis
	plot                  struct{ x0, y0, x1, y1 float64 }
	small, large          font.Face
	below                 int // baseline of the words below the plot
}

// axis is a range of values and its marks.
type axis struct {
	lo, hi float64
	ticks  []tick
}

func newFigure(width, height int) *figure {
	f := &figure{dc: gg.NewContext(width, height)}
	em := max(9, 0.017*float64(width))
	f.small, f.large = face(em), face(1.25*em)
	f.dc.SetColor(color.White)
	f.dc.Clear()
	return f
}

// setX spans the steps.
func (f *figure) setX(points []point) {
	f.x = axis{lo: 0, hi: 1}
	if n := len(points); n > 0 {
		f.x.lo, f.x.hi = points[0].x, points[n-1].x
		if n > 1 && f.x.lo == 1 {
			f.x.lo = 0 // counted from 1: an axis from 0 reads better
		}
		if !(f.x.hi > f.x.lo) {
			f.x.lo, f.x.hi = f.x.lo-0.5, f.x.lo+0.5
		}
	}
	f.x.ticks = whole(linearTicks(f.x.lo, f.x.hi, 8))
}

// whole leaves out marks between steps.
func whole(ticks []tick) []tick {
	kept := ticks[:0]
	for _, t := range ticks {
		if t.at == math.Trunc(t.at) {
			kept = append(kept, tick{t.at, number(t.at, 0)})
		}
	}
	return kept
}

// setY spans the points that are drawn; see Losses for what it leaves out.
func (f *figure) setY(drawn, smoothed []point) {
	ys := finite(drawn)
	if len(ys) == 0 {
		f.y = axis{lo: 0, hi: 1, ticks: linearTicks(0, 1, 6)}
		return
	}
	slices.Sort(ys)
	lo, hi := ys[0], quantile(ys, 0.995)
	if len(ys) >= 200 {
		lo = quantile(ys, 0.001)
	}
	for i, p := range smoothed {
		if isFinite(p.y) && i >= len(smoothed)/100 {
			lo, hi = min(lo, p.y), max(hi, p.y)
		}
	}
	if f.log = lo > 1e-100 && hi > 100*lo; f.log {
		margin := math.Pow(hi/lo, 0.04)
		f.y = axis{lo: lo / margin, hi: hi * margin}
		f.y.ticks = logTicks(f.y.lo, f.y.hi)
		return
	}
	margin := 0.05 * (hi - lo)
	if !(margin > 1e-9*math.Abs(hi)) {
		margin = max(0.05*math.Abs(hi), 1e-9) // all equal
	}
	f.y = axis{lo: lo - margin, hi: hi + margin}
	if lo >= 0 && (f.y.lo < 0 || lo < 0.2*hi) {
		f.y.lo = 0 // so near to zero that zero should be seen
	}
	f.y.ticks = linearTicks(f.y.lo, f.y.hi, 7)
}

// quantile of sorted values, between neighbours in proportion.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := min(int(at), len(sorted)-1)
	j := min(i+1, len(sorted)-1)
	return sorted[i] + (at-float64(i))*(sorted[j]-sorted[i])
}

// px and py are the place of a value on the page.
func (f *figure) px(x float64) float64 {
	lo, hi := f.x.lo, f.x.hi
	if f.logX {
		x, lo, hi = math.Log(x), math.Log(lo), math.Log(hi)
	}
	return f.plot.x0 + (x-lo)/(hi-lo)*(f.plot.x1-f.plot.x0)
}

func (f *figure) py(y float64) float64 {
	lo, hi := f.y.lo, f.y.hi
	if f.log {
		y, lo, hi = math.Log(y), math.Log(lo), math.Log(hi)
	}
	// Far outside is as good as just outside, and keeps the drawing's numbers small.
	part := min(2, max(-1, (y-lo)/(hi-lo)))
	return f.plot.y1 - part*(f.plot.y1-f.plot.y0)
}

// column tells points apart that are drawn on different columns of pixels. It needs
// the horizontal axis only, so that it can help to choose the vertical one.
func (f *figure) column(p point) int {
	return int((p.x - f.x.lo) / (f.x.hi - f.x.lo) * float64(f.dc.Width()))
}

// drawAxes lays out the page around its labels and draws all but the curves.
func (f *figure) drawAxes() {
	dc := f.dc
	page := dc.Image().(draw.Image)
	w, h := dc.Width(), dc.Height()
	pad := lineHeight(f.small) / 2
	widest := 0
	for _, t := range f.y.ticks {
		widest = max(widest, textWidth(f.small, t.label))
	}
	f.plot.x0 = float64(pad+lineHeight(f.small)+pad+widest+pad) + 0.5
	f.plot.x1 = float64(w-2*pad) - 0.5
	if n := len(f.x.ticks); n > 0 { // room for the half of the last label
		f.plot.x1 = float64(w-max(2*pad, textWidth(f.small, f.x.ticks[n-1].label)/2+pad)) - 0.5
	}
	f.plot.y0 = float64(pad+lineHeight(f.large)+pad) + 0.5
	f.plot.y1 = float64(h-pad-2*lineHeight(f.small)-pad) - 0.5

	dc.SetLineWidth(1)
	dc.SetColor(gridGrey)
	for _, t := range f.x.ticks {
		x := math.Floor(f.px(t.at)) + 0.5
		dc.DrawLine(x, f.plot.y0, x, f.plot.y1)
		dc.Stroke()
	}
	for _, t := range f.y.ticks {
		y := math.Floor(f.py(t.at)) + 0.5
		dc.DrawLine(f.plot.x0, y, f.plot.x1, y)
		dc.Stroke()
	}
	dc.SetColor(frameGrey)
	dc.DrawRectangle(f.plot.x0, f.plot.y0, f.plot.x1-f.plot.x0, f.plot.y1-f.plot.y0)
	dc.Stroke()

	ascent := f.small.Metrics().Ascent.Ceil()
	under := int(f.plot.y1) + pad/2 + ascent
	for _, t := range f.x.ticks {
		drawText(page, f.small, t.label, int(f.px(t.at)), under, middle, ink)
	}
	for _, t := range f.y.ticks {
		y := int(f.py(t.at)) + capHeight(f.small)/2
		drawText(page, f.small, t.label, int(f.plot.x0)-pad/2-2, y, right, ink)
	}
	centreX, centreY := int(f.plot.x0+f.plot.x1)/2, int(f.plot.y0+f.plot.y1)/2
	drawText(page, f.large, f.title, centreX, pad+f.large.Metrics().Ascent.Ceil(), middle, ink)
	f.below = under + lineHeight(f.small) + pad/4
	drawText(page, f.small, f.xLabel, centreX, f.below, middle, ink)
	drawTextUp(page, f.small, f.yLabel, pad+ascent, centreY, ink)
}
