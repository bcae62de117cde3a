package viz

import (
	"image"
	"image/color"
	"math"
)

// Line is a labelled curve of a chart. X and Y have the same length; points that are not
// finite, or not above 0 on a logarithmic axis, leave gaps.
type Line struct {
	Label string
	X, Y  []float64
	Level bool // a level to compare with, Y[0] from side to side: drawn thin and dashed
	Pair  int  // lines of the same pair > 0 share a colour, the later ones being dashed
}

// CurvesConfig says how a chart looks.
type CurvesConfig struct {
	Title, XLabel, YLabel string
	LogX, LogY            bool
	Width, Height         int // pixels; default 1000 x 600
}

// lineColours are the first of the usual cycle, known from other tools.
var lineColours = []color.NRGBA{
	lossBlue,
	{0xff, 0x7f, 0x0e, 0xff}, {0x2c, 0xa0, 0x2c, 0xff}, {0xd6, 0x27, 0x28, 0xff}, {0x94, 0x67, 0xbd, 0xff},
	{0x8c, 0x56, 0x4b, 0xff}, {0xe3, 0x77, 0xc2, 0xff}, {0x17, 0xbe, 0xcf, 0xff},
}

// Curves draws a chart of several lines, a mark on each of their points, with a legend.
func Curves(lines []Line, cfg CurvesConfig) image.Image {
	if cfg.Width <= 0 {
		cfg.Width = 1000
	}
	if cfg.Height <= 0 {
		cfg.Height = 600
	}
	f := newFigure(cfg.Width, cfg.Height)
	f.title, f.xLabel, f.yLabel = cfg.Title, cfg.XLabel, cfg.YLabel
	f.log, f.logX = cfg.LogY, cfg.LogX

	var xs, ys []float64
	points := make([][]point, len(lines))
	for i, l := range lines {
		n := min(len(l.X), len(l.Y))
		if l.Level {
			if len(l.Y) > 0 && drawable(l.Y[0], cfg.LogY) {
				ys = append(ys, l.Y[0])
			}
			continue
		}
		for k := range n {
			p := point{l.X[k], l.Y[k]}
			if !drawable(p.x, cfg.LogX) || !drawable(p.y, cfg.LogY) {
				p.y = math.NaN()
			} else {
				xs, ys = append(xs, p.x), append(ys, p.y)
			}
			points[i] = append(points[i], p)
		}
	}
	f.x = span(xs, cfg.LogX, 0.03, 8)
	f.y = span(ys, cfg.LogY, 0.06, 7)
	f.drawAxes()
	if len(xs) == 0 {
		f.note("nothing to show")
		return f.dc.Image()
	}
	f.drawLines(lines, points)
	return f.dc.Image()
}

func drawable(v float64, log bool) bool { return isFinite(v) && (!log || v > 1e-100) }

// span is an axis around values with a margin, a part of its length, on each side.
func span(values []float64, log bool, margin float64, ticks int) axis {
	if len(values) == 0 {
		values = []float64{1, 10}
	}
	lo, hi := values[0], values[0]
	for _, v := range values {
		lo, hi = min(lo, v), max(hi, v)
	}
	if log {
		m := max(math.Pow(hi/lo, margin), 1.05)
		a := axis{lo: lo / m, hi: hi * m}
		a.ticks = logTicks(a.lo, a.hi)
		if len(a.ticks) < 2 { // within 2, 5 and their like
			a.ticks = linearTicks(a.lo, a.hi, ticks)
		}
		return a
	}
	m := margin * (hi - lo)
	if !(m > 1e-9*math.Abs(hi)) {
		m = max(0.05*math.Abs(hi), 1e-9) // all equal
	}
	a := axis{lo: lo - m, hi: hi + m}
	a.ticks = linearTicks(a.lo, a.hi, ticks)
	return a
}

// drawLines draws the curves, their marks and the legend.
func (f *figure) drawLines(lines []Line, points [][]point) {
	used := 0
	colours := map[int]color.NRGBA{} // of pairs
	var keys []curveKey
	for i, l := range lines {
		c, dashed := color.NRGBA{0x26, 0x26, 0x26, 0xb0}, true
		if !l.Level {
			shared, known := colours[l.Pair]
			if dashed = known && l.Pair > 0; dashed {
				c = shared
			} else {
				c = lineColours[used%len(lineColours)]
				colours[l.Pair] = c
				used++
			}
		}
		if l.Level {
			if len(l.Y) > 0 && isFinite(l.Y[0]) {
				f.level(l.Y[0], c)
			}
		} else {
			f.marked(points[i], c, dashed)
		}
		keys = append(keys, curveKey{l.Label, c, dashed, !l.Level})
	}
	f.keyBox(keys)
}

// level draws a dashed line from side to side.
func (f *figure) level(y float64, c color.NRGBA) {
	if f.log && y <= 0 {
		return
	}
	f.dc.SetColor(c)
	f.dc.SetLineWidth(1.5)
	f.dc.SetDash(7, 5)
	at := math.Floor(f.py(y)) + 0.5
	f.dc.DrawLine(f.plot.x0, at, f.plot.x1, at)
	f.dc.Stroke()
	f.dc.SetDash()
}

// marked draws a curve of few points.
func (f *figure) marked(points []point, c color.NRGBA, dashed bool) {
	dc := f.dc
	dc.SetColor(c)
	dc.SetLineWidth(2)
	if dashed {
		dc.SetDash(8, 5)
	}
	begun := false
	for _, p := range points {
		switch {
		case math.IsNaN(p.y):
			begun = false
		case begun:
			dc.LineTo(f.px(p.x), f.py(p.y))
		default:
			dc.MoveTo(f.px(p.x), f.py(p.y))
			begun = true
		}
	}
	dc.Stroke()
	dc.SetDash()
	for _, p := range points {
		if math.IsNaN(p.y) {
			continue
		}
		dc.DrawCircle(f.px(p.x), f.py(p.y), 4)
		if dashed { // an open mark
			dc.SetColor(color.White)
			dc.FillPreserve()
			dc.SetColor(c)
			dc.Stroke()
		} else {
			dc.Fill()
		}
	}
}
