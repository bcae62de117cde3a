package viz

import (
	"fmt"
	"image"
	"iter"
)

// EvolutionConfig says how the figure looks. Only Range must be set.
type EvolutionConfig struct {
	Title string // a line above the panels; "" for none
	Range Range  // of every panel
	Bins  int    // a side; default 300
	Scale int    // pixels a side of a cell, for few points in few cells; default 1
	Width int    // that the figure fits, in pixels, if it can; default 1640
}

// Evolution draws points at several times side by side, a histogram for each, under
// "t = 0.00" and so on. Each panel's colours go from 0 to the 0.99 quantile of its own
// counts. A frame has its points
// counted, or in X, [N,2], which is not needed after the next one is asked for.
func Evolution(frames iter.Seq2[Frame, error], cfg EvolutionConfig) (image.Image, error) {
	if cfg.Bins <= 0 {
		cfg.Bins = 300
	}
	if cfg.Width <= 0 {
		cfg.Width = 1640
	}
	cfg.Scale = max(1, cfg.Scale)
	var panels []SetPanel
	for f, err := range frames {
		if err != nil {
			return nil, err
		}
		h, err := NewHist2D(cfg.Bins, cfg.Range).of(f.Hist, f.X)
		if err != nil {
			return nil, err
		}
		panels = append(panels, SetPanel{Title: fmt.Sprintf("t = %.2f", f.T), Hist: h.enlarged(cfg.Scale)})
	}
	return histRows(panels, len(panels), cfg.Width, cfg.Title)
}

// enlarged is h with every cell a square of so many.
func (h *Hist2D) enlarged(scale int) *Hist2D {
	if scale == 1 {
		return h
	}
	large := NewHist2D(h.Bins*scale, h.Range)
	for y := range large.Bins {
		for x := range large.Bins {
			large.Counts[y*large.Bins+x] = h.Counts[y/scale*h.Bins+x/scale]
		}
	}
	return large
}
