package viz

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"slices"

	"github.com/fogleman/gg"
)

// PathsPanel is a model of points by the ways that some of its samples come.
type PathsPanel struct {
	Title string
	Paths [][]float32 // of each sample, [T,2]: its states from noise to data, at equal steps of time
	Ends  *Hist2D     // of many samples, whose density is drawn behind; nil: nothing is
}

// PathsConfig says how the figure looks. Only Range must be set.
type PathsConfig struct {
	Title string // a line above the panels; "" for none
	Range Range  // of every panel
	Side  int    // of a panel, in pixels; default 560
}

// The colours of a path, from noise to data, and those of the density behind.
var (
	pathFrom   = color.RGBA{0x8c, 0x9a, 0xae, 0xff}
	pathTo     = color.RGBA{0xc2, 0x2f, 0x2f, 0xff}
	pathGround = color.RGBA{0xfb, 0xfb, 0xfd, 0xff}
	pathDense  = color.RGBA{0xbf, 0xd7, 0xee, 0xff}
	noiseRing  = color.RGBA{0xb4, 0xb4, 0xbc, 0xff}
)

// Paths draws traced paths, side by side for each model, over contours of the density
// that they lead to. Rings are the noise's at one and two standard deviations.
func Paths(panels []PathsPanel, cfg PathsConfig) (image.Image, error) {
	if len(panels) == 0 {
		return nil, errNoFrames
	}
	if !(cfg.Range.X1 > cfg.Range.X0 && cfg.Range.Y1 > cfg.Range.Y0) {
		return nil, fmt.Errorf("viz: the range of paths is empty")
	}
	if cfg.Side <= 0 {
		cfg.Side = 560
	}
	for _, p := range panels {
		for i, path := range p.Paths {
			if len(path) < 4 || len(path)%2 != 0 {
				return nil, fmt.Errorf("viz: %s: path %d of %d values is none", p.Title, i, len(path))
			}
		}
	}
	title, axes := face(headingSize), newPanelAxes(cfg.Range)
	head := titleRoom(cfg.Title) + panelGap/2 + headingHeight(title)
	foot := axes.below + panelGap + lineHeight(axes.face) + panelGap
	page, err := newPage(axes.left+len(panels)*(cfg.Side+panelGap)+panelGap, head+cfg.Side+foot)
	if err != nil {
		return nil, err
	}
	drawTitle(page, cfg.Title)
	for i, p := range panels {
		at := image.Pt(panelGap+axes.left+i*(cfg.Side+panelGap), head)
		drawText(page, title, shorten(title, p.Title, cfg.Side), at.X+cfg.Side/2, at.Y-5-title.Metrics().Descent.Ceil()/2, middle, ink)
		panel := newPathPanel(cfg.Range, cfg.Side)
		panel.density(p.Ends)
		panel.rings()
		panel.paths(p.Paths)
		draw.Draw(page, image.Rectangle{Min: at, Max: at.Add(image.Pt(cfg.Side, cfg.Side))}, panel.dc.Image(), image.Point{}, draw.Src)
		axes.draw(page, at, cfg.Side, i == 0)
	}
	pathKey(page, axes, head+cfg.Side+axes.below+panelGap)
	return page, nil
}

// pathKey explains the colours in a line below the panels.
func pathKey(page *image.RGBA, axes *panelAxes, y int) {
	const bar = 120
	from, to := "noise, t = 0", "sample, t = 1"
	x := page.Rect.Dx()/2 - bar/2
	base := y + axes.face.Metrics().Ascent.Ceil()
	for i := range bar {
		c := pathColour(float64(i) / (bar - 1))
		draw.Draw(page, image.Rect(x+i, base-capHeight(axes.face)/2-2, x+i+1, base-capHeight(axes.face)/2+2), image.NewUniform(c), image.Point{}, draw.Src)
	}
	drawText(page, axes.face, from, x-10, base, right, ink)
	drawText(page, axes.face, to, x+bar+10, base, left, ink)
}

func pathColour(t float64) color.RGBA { return between(pathFrom, pathTo, t) }

func between(a, b color.RGBA, t float64) color.RGBA {
	mix := func(a, b uint8) uint8 { return uint8(float64(a) + t*(float64(b)-float64(a)) + 0.5) }
	return color.RGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 255}
}

// pathPanel is a square of a range.
type pathPanel struct {
	r    Range
	side int
	dc   *gg.Context
}

func newPathPanel(r Range, side int) *pathPanel {
	p := &pathPanel{r, side, gg.NewContext(side, side)}
	p.dc.SetColor(pathGround)
	p.dc.Clear()
	return p
}

func (p *pathPanel) place(x, y float64) (float64, float64) {
	return (x - p.r.X0) / (p.r.X1 - p.r.X0) * float64(p.side), (p.r.Y1 - y) / (p.r.Y1 - p.r.Y0) * float64(p.side)
}

// The contours are at these parts of a high density, the 0.95 quantile of what is not empty.
var contours = []float64{0.12, 0.3, 0.55, 0.8}

// density fills the space between contours of the smoothed counts, each pixel the mean
// of nine places in it, which makes the edges smooth.
func (p *pathPanel) density(h *Hist2D) {
	if h == nil {
		return
	}
	smooth := smoothed(h, max(1, 0.012*float64(h.Bins)))
	var full []float64
	for _, v := range smooth {
		if v > 1e-3 {
			full = append(full, v)
		}
	}
	if len(full) == 0 {
		return
	}
	slices.Sort(full)
	limit := quantile(full, 0.95)
	page := p.dc.Image().(*image.RGBA)
	const sub = 3
	for y := range p.side {
		for x := range p.side {
			sum := 0.0
			for k := range sub * sub {
				u := (float64(x) + (float64(k%sub)+0.5)/sub) / float64(p.side) * float64(h.Bins)
				v := (float64(y) + (float64(k/sub)+0.5)/sub) / float64(p.side) * float64(h.Bins)
				level := 0
				for _, c := range contours {
					if bilinear(smooth, h.Bins, u-0.5, v-0.5) >= c*limit {
						level++
					}
				}
				sum += float64(level)
			}
			if sum > 0 {
				page.SetRGBA(x, y, between(pathGround, pathDense, sum/float64(sub*sub*len(contours))))
			}
		}
	}
}

// smoothed are the counts under a Gaussian of a deviation in cells: [Bins,Bins].
func smoothed(h *Hist2D, sigma float64) []float64 {
	n, reach := h.Bins, int(3*sigma+0.5)
	weights := make([]float64, 2*reach+1)
	total := 0.0
	for k := range weights {
		d := float64(k - reach)
		weights[k] = math.Exp(-0.5 * d * d / (sigma * sigma))
		total += weights[k]
	}
	along := func(in []float64, step, other int) []float64 {
		out := make([]float64, n*n)
		for j := range n {
			for i := range n {
				for k, w := range weights {
					if m := i + k - reach; m >= 0 && m < n {
						out[j*other+i*step] += w / total * in[j*other+m*step]
					}
				}
			}
		}
		return out
	}
	counts := make([]float64, n*n)
	for i, c := range h.Counts {
		counts[i] = float64(c)
	}
	return along(along(counts, 1, n), n, 1)
}

// bilinear is the value at a place between the middles of cells.
func bilinear(v []float64, n int, x, y float64) float64 {
	i, j := int(math.Floor(x)), int(math.Floor(y))
	a, b := x-float64(i), y-float64(j)
	at := func(i, j int) float64 { return v[min(max(j, 0), n-1)*n+min(max(i, 0), n-1)] }
	return (1-b)*((1-a)*at(i, j)+a*at(i+1, j)) + b*((1-a)*at(i, j+1)+a*at(i+1, j+1))
}

// near tells whether a place is on the panel or not far from it: the rasteriser takes
// for ever for what is far outside.
func (p *pathPanel) near(x, y float64) bool {
	side := float64(p.side)
	return x > -side && x < 2*side && y > -side && y < 2*side // NaN is not
}

// rings are where the noise is.
func (p *pathPanel) rings() {
	p.dc.SetColor(noiseRing)
	p.dc.SetLineWidth(1)
	p.dc.SetDash(4, 4)
	x, y := p.place(0, 0)
	for r := 1.0; r <= 2; r++ {
		edge, top := p.place(r, r)
		p.dc.DrawEllipse(x, y, edge-x, y-top)
		p.dc.Stroke()
	}
	p.dc.SetDash()
}

// paths draws the ways, then their beginnings and ends above all of them.
func (p *pathPanel) paths(paths [][]float32) {
	unit := float64(p.side) / 560
	p.dc.SetLineCap(gg.LineCapRound)
	p.dc.SetLineWidth(1.7 * unit)
	point := func(path []float32, k int) (float64, float64) {
		return p.place(float64(path[2*k]), float64(path[2*k+1]))
	}
	for _, path := range paths {
		n := len(path) / 2
		for k := 1; k < n; k++ {
			x0, y0 := point(path, k-1)
			x1, y1 := point(path, k)
			if !p.near(x0, y0) || !p.near(x1, y1) {
				continue
			}
			p.dc.SetColor(pathColour((float64(k) - 0.5) / float64(n-1)))
			p.dc.DrawLine(x0, y0, x1, y1)
			p.dc.Stroke()
		}
	}
	for _, path := range paths {
		x, y := point(path, 0)
		if !p.near(x, y) {
			continue
		}
		p.dc.DrawCircle(x, y, 2.6*unit)
		p.dc.SetColor(color.White)
		p.dc.FillPreserve()
		p.dc.SetColor(pathFrom)
		p.dc.SetLineWidth(1.2 * unit)
		p.dc.Stroke()
		if x, y = point(path, len(path)/2-1); !p.near(x, y) {
			continue
		}
		p.dc.DrawCircle(x, y, 3.2*unit)
		p.dc.SetColor(pathTo)
		p.dc.Fill()
	}
}
