package viz

import (
	"errors"
	"fmt"
	"image"
	"image/draw"
	"math"
	"slices"
)

// DensityPanel is a density at the places of [FieldGrid].
type DensityPanel struct {
	Title   string
	Density []float64 // [n*n], n being each panel's own; not the logarithm
	Rough   bool      // a noisy estimate: it has no say in where the colours end
}

// LikelihoodConfig says how the figure looks. The zero value is good.
type LikelihoodConfig struct {
	Title    string  // a line above the panels: of which model; "" for none
	Range    Range   // of the panels, for the numbers on their axes; the zero value: none
	Width    int     // pixels; default 500 a panel, at most 1500
	Quantile float64 // of a panel's values, where the colours end; default 0.995
}

// Likelihood draws densities side by side in the same colours over one colour bar. The
// colours end at a quantile of the values, the largest of those panels that are not
// rough. Places between those of the grid are interpolated.
func Likelihood(panels []DensityPanel, cfg LikelihoodConfig) (image.Image, error) {
	if len(panels) == 0 {
		return nil, errors.New("viz: no density to show")
	}
	if cfg.Width <= 0 {
		cfg.Width = min(500*len(panels), 1500)
	}
	if !(cfg.Quantile > 0 && cfg.Quantile <= 1) {
		cfg.Quantile = 0.995
	}
	sides := make([]int, len(panels))
	for i, p := range panels {
		n := int(math.Sqrt(float64(len(p.Density))) + 0.5)
		if n < 2 || n*n != len(p.Density) {
			return nil, fmt.Errorf("viz: %s: %d densities are no square grid", p.Title, len(p.Density))
		}
		sides[i] = n
	}
	limit := 0.0
	for _, p := range panels {
		if !p.Rough {
			limit = max(limit, densityLimit(p.Density, cfg.Quantile))
		}
	}
	if limit == 0 { // all are rough, or nothing but zeros
		if limit = densityLimit(panels[0].Density, cfg.Quantile); limit == 0 {
			limit = 1
		}
	}

	title, small := face(17), face(13)
	axes := newPanelAxes(cfg.Range)
	side := (cfg.Width - panelGap*(len(panels)+1) - axes.left) / len(panels)
	if side < 16 {
		return nil, fmt.Errorf("viz: %d panels do not fit %d pixels", len(panels), cfg.Width)
	}
	above := titleRoom(cfg.Title)
	head := above + panelGap/2 + headingHeight(title)
	const bar = 16
	barTop := head + side + axes.below + panelGap + 4
	height := barTop + bar + 6 + 2*lineHeight(small) + panelGap
	page, err := newPage(cfg.Width, height)
	if err != nil {
		return nil, err
	}
	drawTitle(page, cfg.Title)
	for i, p := range panels {
		at := image.Pt(panelGap+axes.left+i*(side+panelGap), head)
		drawText(page, title, p.Title, at.X+side/2, at.Y-5-title.Metrics().Descent.Ceil()/2, middle, ink)
		drawDensity(page, at, side, p.Density, sides[i], limit)
		axes.draw(page, at, side, i == 0)
	}
	barSpan := image.Rect(cfg.Width/5, barTop, cfg.Width-cfg.Width/5, barTop+bar)
	drawBar(page, barSpan)
	for _, t := range linearTicks(0, limit, 6) {
		x := barSpan.Min.X + int(t.at/limit*float64(barSpan.Dx()-1)+0.5)
		draw.Draw(page, image.Rect(x, barSpan.Max.Y, x+1, barSpan.Max.Y+4), image.NewUniform(frameGrey), image.Point{}, draw.Src)
		drawText(page, small, t.label, x, barSpan.Max.Y+6+small.Metrics().Ascent.Ceil(), middle, ink)
	}
	drawText(page, small, "density", cfg.Width/2, barSpan.Max.Y+6+lineHeight(small)+small.Metrics().Ascent.Ceil(), middle, ink)
	return page, nil
}

// densityLimit is a quantile of the finite values, of those above 0 if that is 0,
// and 0 where there are none.
func densityLimit(density []float64, q float64) float64 {
	var values []float64
	for _, v := range density {
		if isFinite(v) {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	if len(values) > 0 {
		if v := quantile(values, q); v > 0 {
			return v
		}
		first, _ := slices.BinarySearchFunc(values, 0, func(v, zero float64) int {
			if v > zero {
				return 1
			}
			return -1
		})
		if first < len(values) {
			return quantile(values[first:], q)
		}
	}
	return 0
}

// drawDensity fills a square of the page, between the middles of cells in proportion.
func drawDensity(page *image.RGBA, at image.Point, side int, density []float64, n int, limit float64) {
	value := func(i, j int) float64 {
		v := density[min(max(j, 0), n-1)*n+min(max(i, 0), n-1)]
		if !isFinite(v) {
			return 0
		}
		return v
	}
	for y := range side {
		v := (float64(side-1-y)+0.5)/float64(side)*float64(n) - 0.5
		j := int(math.Floor(v))
		b := v - float64(j)
		for x := range side {
			u := (float64(x)+0.5)/float64(side)*float64(n) - 0.5
			i := int(math.Floor(u))
			a := u - float64(i)
			lower := (1-a)*value(i, j) + a*value(i+1, j)
			upper := (1-a)*value(i, j+1) + a*value(i+1, j+1)
			page.SetRGBA(at.X+x, at.Y+y, viridis.at(((1-b)*lower+b*upper)/limit))
		}
	}
}

// drawBar shows the colours from 0 on the left to the limit on the right.
func drawBar(page *image.RGBA, span image.Rectangle) {
	for x := span.Min.X; x < span.Max.X; x++ {
		c := viridis.at((float64(x-span.Min.X) + 0.5) / float64(span.Dx()))
		for y := span.Min.Y; y < span.Max.Y; y++ {
			page.SetRGBA(x, y, c)
		}
	}
}
