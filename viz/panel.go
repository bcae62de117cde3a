package viz

import (
	"errors"
	"image"
	"image/color"
	"image/draw"
)

// A figure of points is a white page with square panels on it.

const (
	panelGap  = 12 // pixels between panels, and around them
	titleSize = 15 // of the letters
)

// newPage is a white page.
func newPage(width, height int) (*image.RGBA, error) {
	if err := checkPage(image.Pt(width, height)); err != nil {
		return nil, err
	}
	page := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(page, page.Rect, image.White, image.Point{}, draw.Src)
	return page, nil
}

// titleRoom is the height of the line that names a whole figure, 0 without one.
func titleRoom(title string) int {
	if title == "" {
		return 0
	}
	return panelGap/2 + lineHeight(face(pageTitleSize))
}

// drawTitle writes the line in the middle of the page's top.
func drawTitle(page draw.Image, title string) {
	f := face(pageTitleSize)
	width := page.Bounds().Dx()
	drawText(page, f, shorten(f, title, width-2*panelGap), width/2, panelGap/2+f.Metrics().Ascent.Ceil(), middle, ink)
}

// errNoFrames is said of figures of nothing.
var errNoFrames = errors.New("viz: a figure needs at least one frame")

// drawHist draws a histogram with its corner at the given place. shrink cells by shrink
// cells make one pixel, of the mean of their colours.
func drawHist(page *image.RGBA, at image.Point, h *Hist2D, shrink int) {
	table := h.steps(256)
	side := h.Bins / shrink
	for y := range side {
		for x := range side {
			var sum [3]int
			for j := range shrink {
				row := h.Counts[(y*shrink+j)*h.Bins+x*shrink:][:shrink]
				for _, c := range row {
					v := viridis[table[min(int(c), len(table)-1)]]
					sum[0] += int(v.R)
					sum[1] += int(v.G)
					sum[2] += int(v.B)
				}
			}
			n := shrink * shrink
			page.SetRGBA(at.X+x, at.Y+y, color.RGBA{uint8((sum[0] + n/2) / n), uint8((sum[1] + n/2) / n), uint8((sum[2] + n/2) / n), 255})
		}
	}
}

// shrinkFor is the smallest whole factor of bins that makes n panels fit the width.
func shrinkFor(bins, n, width int) int {
	for f := 1; f < bins; f++ {
		if bins%f == 0 && n*(bins/f+panelGap)+panelGap <= width {
			return f
		}
	}
	return 1
}
