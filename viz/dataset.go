package viz

import (
	"image"
	"image/draw"
)

// DatasetConfig says how the plot of one set looks. Only Range must be set.
type DatasetConfig struct {
	Title string
	Range Range
	Bins  int // a side; default 300
	Side  int // of the panel, about, in pixels; default 600
}

// DatasetPlot draws points, [N,2], as one large histogram with axes; its colours go from
// 0 to the 0.99 quantile of the counts.
func DatasetPlot(points []float32, cfg DatasetConfig) (image.Image, error) {
	if cfg.Bins <= 0 {
		cfg.Bins = 300
	}
	if cfg.Side <= 0 {
		cfg.Side = 600
	}
	h := NewHist2D(cfg.Bins, cfg.Range)
	cfg.Bins = h.Bins
	h.Add(points)
	scale := max(1, cfg.Side/cfg.Bins)
	side := cfg.Bins * scale

	title, small := face(19), face(14)
	r := cfg.Range
	xs, ys := linearTicks(r.X0, r.X1, 8), linearTicks(r.Y0, r.Y1, 8)
	widest := 0
	for _, t := range ys {
		widest = max(widest, textWidth(small, t.label))
	}
	at := image.Pt(panelGap+widest+8, panelGap)
	if cfg.Title != "" {
		at.Y = panelGap/2 + headingHeight(title)
	}
	page, err := newPage(at.X+side+2*panelGap, at.Y+side+8+lineHeight(small)+panelGap/2)
	if err != nil {
		return nil, err
	}
	drawText(page, title, cfg.Title, at.X+side/2, at.Y-6-title.Metrics().Descent.Ceil()/2, middle, ink)
	cells, err := newPage(cfg.Bins, cfg.Bins)
	if err != nil {
		return nil, err
	}
	drawHist(cells, image.Point{}, h, 1)
	for y := range side {
		for x := range side {
			page.SetRGBA(at.X+x, at.Y+y, cells.RGBAAt(x/scale, y/scale))
		}
	}

	mark := func(rect image.Rectangle) {
		draw.Draw(page, rect, image.NewUniform(frameGrey), image.Point{}, draw.Src)
	}
	for _, t := range xs {
		x := at.X + int((t.at-r.X0)/(r.X1-r.X0)*float64(side))
		mark(image.Rect(x, at.Y+side, x+1, at.Y+side+5))
		drawText(page, small, t.label, x, at.Y+side+7+small.Metrics().Ascent.Ceil(), middle, ink)
	}
	for _, t := range ys {
		y := at.Y + int((r.Y1-t.at)/(r.Y1-r.Y0)*float64(side))
		mark(image.Rect(at.X-5, y, at.X, y+1))
		drawText(page, small, t.label, at.X-8, y+capHeight(small)/2, right, ink)
	}
	return page, nil
}
