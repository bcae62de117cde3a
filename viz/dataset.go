package viz

import (
	"image"
	"math"
)

// DatasetConfig says how the plot of one set looks. Only Range must be set.
type DatasetConfig struct {
	Title string
	Range Range
	Bins  int // a side; default by the number of points, see [BinsFor]
	Side  int // of the panel, about, in pixels; default 600
}

// DatasetPlot draws points, [N,2], as one large histogram with axes; its colours go from
// 0 to the 0.99 quantile of the counts.
func DatasetPlot(points []float32, cfg DatasetConfig) (image.Image, error) {
	if cfg.Bins <= 0 {
		cfg.Bins = BinsFor(len(points) / 2)
	}
	if cfg.Side <= 0 {
		cfg.Side = 600
	}
	h := NewHist2D(cfg.Bins, cfg.Range)
	cfg.Bins = h.Bins
	h.Add(points)
	scale := max(1, cfg.Side/cfg.Bins)
	side := cfg.Bins * scale

	title, axes := face(19), newPanelAxes(cfg.Range)
	at := image.Pt(panelGap+axes.left, panelGap)
	if cfg.Title != "" {
		at.Y = panelGap/2 + headingHeight(title)
	}
	page, err := newPage(at.X+side+2*panelGap, at.Y+side+axes.below+panelGap)
	if err != nil {
		return nil, err
	}
	name := shorten(title, cfg.Title, page.Rect.Dx()-2*panelGap)
	drawText(page, title, name, page.Rect.Dx()/2, at.Y-6-title.Metrics().Descent.Ceil()/2, middle, ink)
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

	axes.draw(page, at, side, true)
	return page, nil
}

// BinsFor is how many cells a side show n points: as many as leave a point to two cells,
// so that a histogram is neither a snow storm nor a mosaic. 10,000 points have 141.
func BinsFor(n int) int {
	return max(24, min(300, int(math.Sqrt(2*float64(n)))))
}
