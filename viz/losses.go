package viz

import (
	"image"
	"image/color"
	"math"
)

// LossesConfig says how the curve of the loss looks. The zero value is good.
type LossesConfig struct {
	Title         string  // default "Training dynamics"
	Width, Height int     // pixels; default 1000 x 600
	Sigma         float64 // of the smoothing, in steps; default 5, in runs over 2,000 steps 1/400 of them
}

// lossBlue is the first colour of the usual cycle, the one known from other tools.
var lossBlue = color.NRGBA{0x1f, 0x77, 0xb4, 0xff}

// Losses draws the loss of every step, faintly, and smoothed. steps are rising
// numbers, nil for 1, 2, 3...; values that are not finite leave gaps.
//
// The vertical axis is linear, and logarithmic where the losses span more than two
// powers of ten. It ends at the 99.5 % quantile of what is drawn (or the smoothed
// line's highest point after the first hundredth of the run, if that is higher): a
// few steps may run out at the top.
func Losses(steps []int, values []float64, cfg LossesConfig) image.Image {
	if cfg.Width <= 0 {
		cfg.Width = 1000
	}
	if cfg.Height <= 0 {
		cfg.Height = 600
	}
	points := lossPoints(steps, values)
	if cfg.Sigma <= 0 {
		cfg.Sigma = max(5, float64(len(points))/400)
	}
	smoothed := smooth(points, cfg.Sigma)

	f := newFigure(cfg.Width, cfg.Height)
	if cfg.Title == "" {
		cfg.Title = "Training dynamics"
	}
	f.title, f.xLabel, f.yLabel = cfg.Title, "Steps", "Loss"
	f.setX(points)
	drawn := columnSpans(points, f.column)
	f.setY(drawn, smoothed)
	f.drawAxes()
	if len(finite(points)) == 0 {
		f.note("no losses to show")
		return f.dc.Image()
	}
	width := 1.0
	if len(drawn) < cfg.Width {
		width = 1.5 // few points: a thin pale line would be lost
	}
	f.line(drawn, width, fade(lossBlue, 0.3))
	f.line(columnSpans(smoothed, f.column), 2, lossBlue)
	f.legend([]key{{"every step", fade(lossBlue, 0.3)}, {sigmaLabel(cfg.Sigma), lossBlue}})
	return f.dc.Image()
}

func sigmaLabel(sigma float64) string {
	return "smoothed, σ = " + number(math.Round(sigma), 0)
}

// point is a step and its loss.
type point struct{ x, y float64 }

func lossPoints(steps []int, values []float64) []point {
	n := len(values)
	if steps != nil {
		n = min(n, len(steps))
	}
	points := make([]point, n)
	for i := range points {
		points[i] = point{float64(i + 1), values[i]}
		if steps != nil {
			points[i].x = float64(steps[i])
		}
	}
	return points
}

// isFinite also leaves out numbers that no loss has and no axis can show.
func isFinite(v float64) bool { return math.Abs(v) < 1e100 }

func finite(points []point) []float64 {
	var ys []float64
	for _, p := range points {
		if isFinite(p.y) {
			ys = append(ys, p.y)
		}
	}
	return ys
}

func fade(c color.NRGBA, alpha float64) color.NRGBA {
	c.A = uint8(alpha*255 + 0.5)
	return c
}

// columnSpans thins a curve to what a screen can show: where more than four points
// fall on one column of pixels, the first, the least, the greatest and the last of
// them remain, in their order. Points that are not finite remain as gaps.
func columnSpans(points []point, column func(point) int) []point {
	var out []point
	for from := 0; from < len(points); {
		to := from + 1
		gap := !isFinite(points[from].y)
		for to < len(points) && isFinite(points[to].y) != gap && column(points[to]) == column(points[from]) {
			to++
		}
		part := points[from:to]
		from = to
		switch {
		case gap:
			out = append(out, part[0])
			continue
		case len(part) <= 4:
			out = append(out, part...)
			continue
		}
		least, most := 0, 0
		for i, p := range part {
			if p.y < part[least].y {
				least = i
			}
			if p.y > part[most].y {
				most = i
			}
		}
		out = append(out, part[0], part[min(least, most)], part[max(least, most)], part[len(part)-1])
	}
	return out
}
