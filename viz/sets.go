package viz

import (
	"fmt"
	"image"
)

// SetPanel is a histogram with a title.
type SetPanel struct {
	Title string
	Hist  *Hist2D
}

// SetsConfig says how a sheet of panels looks. The zero value is good.
type SetsConfig struct {
	Title   string // a line above the panels; "" for none
	Columns int    // default 5
	Width   int    // that the figure fits, in pixels, if it can; default 1640
}

// Sets draws histograms in rows of panels, each with its title: all the data sets in
// one figure. They must have the same number of bins.
func Sets(panels []SetPanel, cfg SetsConfig) (image.Image, error) {
	if cfg.Columns <= 0 {
		cfg.Columns = 5
	}
	if cfg.Width <= 0 {
		cfg.Width = 1640
	}
	return histRows(panels, min(cfg.Columns, len(panels)), cfg.Width, cfg.Title)
}

func histRows(panels []SetPanel, columns, width int, name string) (image.Image, error) {
	if len(panels) == 0 {
		return nil, errNoFrames
	}
	bins := panels[0].Hist.Bins
	for _, p := range panels {
		if p.Hist.Bins != bins {
			return nil, fmt.Errorf("viz: panels of %d and of %d bins in one figure", bins, p.Hist.Bins)
		}
	}
	shrink := shrinkFor(bins, columns, width)
	side := bins / shrink
	title := face(titleSize)
	head := lineHeight(title) + 4
	rows := (len(panels) + columns - 1) / columns
	page, err := newPage(columns*(side+panelGap)+panelGap, titleRoom(name)+rows*(head+side+panelGap)+panelGap/2)
	if err != nil {
		return nil, err
	}
	drawTitle(page, name)
	for i, p := range panels {
		at := image.Pt(panelGap+i%columns*(side+panelGap), titleRoom(name)+panelGap/2+i/columns*(head+side+panelGap)+head)
		drawText(page, title, p.Title, at.X+side/2, at.Y-5-title.Metrics().Descent.Ceil()/2, middle, ink)
		drawHist(page, at, p.Hist, shrink)
	}
	return page, nil
}
