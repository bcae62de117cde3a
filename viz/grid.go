package viz

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"sort"

	"golang.org/x/image/font"
)

// GridConfig says how a grid of samples looks. Only Layout must be set.
type GridConfig struct {
	Layout Layout
	Title  string   // a line above the grid: what the samples are of; "" for none
	Width  int      // how wide the grid may be, in pixels; default 1000
	Scale  int      // how many pixels a sample's pixel is wide; default: by Width, at least 1
	Rows   []string // words to the left of the rows, from the top; nil for none
}

// ImageGrid sets samples on a white page, two pixels apart (further where they are
// much enlarged), under the labels of their columns. The image is an
// *image.Gray or an *image.RGBA, by the number of channels.
func ImageGrid(p Pictures, cfg GridConfig) (image.Image, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if err := cfg.Layout.check(p.Len()); err != nil {
		return nil, err
	}
	if cfg.Width <= 0 {
		cfg.Width = 1000
	}
	g := newGrid(p.Shape, cfg.Layout, cfg.Width, cfg.Scale)
	x := g.margin + rowLabelWidth(cfg.Rows)
	width := x + g.width + g.margin
	title, top := face(pageTitleSize), 0
	if cfg.Title != "" {
		top = headingHeight(title)
		if more := min(textWidth(title, cfg.Title)+2*g.margin, max(width, widestTitle)) - width; more > 0 {
			width, x = width+more, x+more/2
		}
	}
	bounds := image.Rect(0, 0, width, top+g.header+g.height+2*g.margin)
	if err := checkPage(bounds.Size()); err != nil {
		return nil, err
	}
	var page draw.Image = image.NewGray(bounds)
	if p.Shape[0] == 3 {
		page = image.NewRGBA(bounds)
	}
	draw.Draw(page, bounds, image.White, image.Point{}, draw.Src)
	drawText(page, title, shorten(title, cfg.Title, width-2*g.margin), width/2, g.margin+title.Metrics().Ascent.Ceil(), middle, ink)
	at := image.Pt(x, g.margin+top+g.header)
	g.drawLabels(page, at, ink)
	g.drawRowLabels(page, at, cfg.Rows)
	tile := make([]uint8, p.dim())
	for column, samples := range cfg.Layout.Columns {
		for row, i := range samples {
			p.levels(tile, i)
			g.drawTile(page, g.tileAt(column, row).Add(at), tile)
		}
	}
	return page, nil
}

// A title widens a page of few samples, up to a width at which it is cut.
const (
	pageTitleSize = 16 // of the letters
	widestTitle   = 640
)

// checkPage refuses pages that nobody could look at, before memory is taken for them.
func checkPage(size image.Point) error {
	const largest = 64 << 20 // pixels
	if size.X > 1<<16-1 || size.Y > 1<<16-1 || size.X*size.Y > largest {
		return fmt.Errorf("viz: a page of %dx%d pixels is too large: show fewer samples or a smaller scale", size.X, size.Y)
	}
	return nil
}

// grid is the measure of a block of samples, in pixels of the page.
type grid struct {
	shape         [3]int
	layout        Layout
	scale         int
	gap           int // between samples
	margin        int // around the block
	header        int // height of the labels above it
	width, height int // of the block alone
	face          font.Face
}

func newGrid(shape [3]int, layout Layout, width, scale int) *grid {
	g := &grid{shape: shape, layout: layout, scale: scale}
	columns, rows := layout.size()
	if g.scale <= 0 {
		// Few columns must not become posters: a sample is at most 112 pixels wide.
		side := max(shape[1], shape[2])
		g.scale = 1
		for s := 2; s*side <= 112 && columns*(s*side+gap(s)) <= width; s++ {
			g.scale = s
		}
	}
	g.gap = gap(g.scale)
	g.margin = max(8, 3*g.gap)
	g.width = columns*(shape[2]*g.scale+g.gap) - g.gap
	g.height = rows*(shape[1]*g.scale+g.gap) - g.gap
	if layout.Labels != nil {
		g.face = g.labelFace()
		g.header = lineHeight(g.face) + 2
	}
	return g
}

// gap is the room between samples: two pixels of the page, and in proportion where
// the samples' own pixels are large.
func gap(scale int) int { return max(2, scale/2) }

// labelFace is the largest size, up to 20 pixels, at which every label fits its
// column.
func (g *grid) labelFace() font.Face {
	room := g.shape[2]*g.scale + g.gap - 2
	for size := min(20, max(11, 0.3*float64(g.shape[2]*g.scale))); ; size -= 0.5 {
		f := face(size)
		widest := 0
		for _, label := range g.layout.Labels {
			widest = max(widest, textWidth(f, label))
		}
		if widest <= room || size <= 8 {
			return f
		}
	}
}

// drawLabels writes the labels above a block whose corner is at.
func (g *grid) drawLabels(page draw.Image, at image.Point, c color.Color) {
	if g.layout.Labels == nil {
		return
	}
	room := g.shape[2]*g.scale + g.gap - 2
	for column, label := range g.layout.Labels {
		centre := at.X + g.tileAt(column, 0).X + g.shape[2]*g.scale/2
		drawText(page, g.face, shorten(g.face, label, room), centre, at.Y-1-g.face.Metrics().Descent.Ceil(), middle, c)
	}
}

// rowLabelSize is the size of the words beside rows.
const rowLabelSize = 14

func rowLabelWidth(rows []string) int {
	if rows == nil {
		return 0
	}
	widest := 0
	for _, r := range rows {
		widest = max(widest, textWidth(face(rowLabelSize), r))
	}
	return widest + 10
}

// drawRowLabels writes words to the left of the rows of a block whose corner is
// at.
func (g *grid) drawRowLabels(page draw.Image, at image.Point, rows []string) {
	f := face(rowLabelSize)
	for row, label := range rows {
		base := at.Y + g.tileAt(0, row).Y + (g.shape[1]*g.scale+capHeight(f))/2
		drawText(page, f, label, at.X-rowLabelWidth(rows), base, left, ink)
	}
}

// shorten cuts a label that is too wide even in the smallest type.
func shorten(f font.Face, s string, room int) string {
	if s == "" || textWidth(f, s) <= room {
		return s
	}
	letters := []rune(s)
	// Halving: a name may be long. At least a letter stays.
	most := sort.Search(len(letters)-1, func(k int) bool { return textWidth(f, string(letters[:k+2])+"…") > room })
	return string(letters[:most+1]) + "…"
}

// tileAt is the corner of a sample's place, from the block's corner.
func (g *grid) tileAt(column, row int) image.Point {
	return image.Pt(column*(g.shape[2]*g.scale+g.gap), row*(g.shape[1]*g.scale+g.gap))
}

// drawTile enlarges one sample: levels [C,H,W].
func (g *grid) drawTile(page draw.Image, at image.Point, levels []uint8) {
	h, w := g.shape[1], g.shape[2]
	for y := range h {
		for x := range w {
			k := y*w + x
			var c color.Color = color.Gray{Y: levels[k]}
			if g.shape[0] == 3 {
				c = color.RGBA{levels[k], levels[h*w+k], levels[2*h*w+k], 255}
			}
			corner := at.Add(image.Pt(x*g.scale, y*g.scale))
			square := image.Rectangle{Min: corner, Max: corner.Add(image.Pt(g.scale, g.scale))}
			draw.Draw(page, square, image.NewUniform(c), image.Point{}, draw.Src)
		}
	}
}
