package viz

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"math"
	"time"

	"golang.org/x/image/font"
)

// FieldConfig says how a film of a velocity field looks. Only Range must be set.
type FieldConfig struct {
	Title string        // a line above the panels: of which model; "" for none
	Range Range         // of all panels
	Grid  int           // arrows a side; default 15
	Bins  int           // cells a side of a histogram; default 500
	Scale int           // pixels a side of a cell, for few points in few cells; default 1
	FPS   float64       // frames a second, see FrameDelay; default 20
	Hold  time.Duration // how long the last frame stays; default 2 s
}

func (c FieldConfig) complete() (FieldConfig, error) {
	if c.Grid <= 0 {
		c.Grid = 15
	}
	if c.Bins <= 0 {
		c.Bins = 500
	}
	if c.Scale <= 0 {
		c.Scale = 1
	}
	if c.Hold <= 0 {
		c.Hold = 2 * time.Second
	}
	if !(c.Range.X1 > c.Range.X0 && c.Range.Y1 > c.Range.Y0) {
		return c, errors.New("viz: the film's range is empty")
	}
	if c.Bins > 2000 || c.Scale > 2000 || c.side() > 2000 || c.Grid > c.side()/4 {
		return c, fmt.Errorf("viz: a film with %d bins of %d pixels and %d arrows a side cannot be drawn", c.Bins, c.Scale, c.Grid)
	}
	return c, nil
}

// side is the pixels a side of a panel.
func (c FieldConfig) side() int { return c.Bins * c.Scale }

func (c FieldConfig) delays() (delay, hold int) {
	delay, _ = FrameDelay(c.FPS)
	return delay, max(delay, int(min(c.Hold/(10*time.Millisecond), math.MaxUint16)))
}

// fieldFilm is the page of such a film: columns of panels under headings.
type fieldFilm struct {
	cfg    FieldConfig
	page   *image.Paletted
	gif    *gifWriter
	quiver *quiver
	face   font.Face
	delay  int
	frames int
}

// The film's palette: transparent, the page's greys, the quiver's ground and colours, and as many
// steps of viridis as there is room for.
const (
	groundIndex = 1 + pageGreys
	firstArrow  = 1 + groundIndex
	firstAmount = firstArrow + hues*blends
	amounts     = 256 - firstAmount
	whiteIndex  = pageGreys // the last of the greys
)

func fieldPalette() color.Palette {
	p := color.Palette{color.RGBA{}}
	for i := range pageGreys {
		p = append(p, color.Gray{Y: uint8(i * 255 / (pageGreys - 1))})
	}
	p = append(p, quiverGround)
	for _, c := range quiverColours() {
		p = append(p, c)
	}
	for _, c := range viridis.levels(amounts) {
		p = append(p, c)
	}
	return p
}

// heading is the face and the height of the lines above panels.
const headingSize = 17

func newFieldFilm(w io.Writer, size image.Point, cfg FieldConfig) (*fieldFilm, error) {
	if err := checkPage(size); err != nil {
		return nil, err
	}
	f := &fieldFilm{cfg: cfg, face: face(headingSize)}
	f.page = image.NewPaletted(image.Rectangle{Max: size}, fieldPalette())
	for i := range f.page.Pix {
		f.page.Pix[i] = whiteIndex
	}
	drawTitle(f.page, cfg.Title)
	f.quiver = newQuiver(firstArrow, groundIndex, cfg.Grid)
	var err error
	if f.gif, err = newGIF(w, size, f.page.Palette); err != nil {
		return nil, err
	}
	f.gif.leastRun = 12
	f.delay, _ = cfg.delays()
	return f, nil
}

// headingHeight is the room of a line above panels.
func headingHeight(f font.Face) int { return lineHeight(f) + 6 }

// write puts words in the middle of a place, replacing those before. The letters'
// edges are greys of the page.
func (f *fieldFilm) write(s string, place image.Rectangle) {
	mask := image.NewAlpha(image.Rectangle{Max: place.Size()})
	baseline := (place.Dy()+capHeight(f.face))/2 + 1
	drawText(mask, f.face, s, place.Dx()/2, baseline, middle, color.Black)
	for y := range place.Dy() {
		row := f.page.Pix[f.page.PixOffset(place.Min.X, place.Min.Y+y):][:place.Dx()]
		for x := range row {
			cover := int(mask.Pix[y*mask.Stride+x])
			row[x] = uint8(whiteIndex - (cover*(pageGreys-2)+127)/255) // to the last but one: not quite black
		}
	}
}

// hist draws a histogram, its cells whole squares of pixels, not dithered and not
// blended: so it packs well.
func (f *fieldFilm) hist(at image.Point, h *Hist2D) {
	steps := h.steps(amounts)
	table := make([]uint8, len(steps))
	for c := range table {
		table[c] = firstAmount + steps[grouped(c, len(steps)-1)]
	}
	last := uint32(len(table) - 1)
	table[last] = firstAmount + amounts - 1
	side, scale := f.cfg.side(), f.cfg.Scale
	for y := range h.Bins {
		row := f.page.Pix[f.page.PixOffset(at.X, at.Y+y*scale):][:side]
		for x, c := range h.Counts[y*h.Bins : (y+1)*h.Bins] {
			v := table[min(c, last)]
			for i := range scale {
				row[x*scale+i] = v
			}
		}
		for j := 1; j < scale; j++ {
			copy(f.page.Pix[f.page.PixOffset(at.X, at.Y+y*scale+j):][:side], row)
		}
	}
}

// grouped stands for all counts that differ from it by less than chance does: those
// whose roots are within 0.2 (a count's root has a deviation of 1/2, whatever the
// count). Fewer colours take less room: films are a seventh smaller for it.
func grouped(count, most int) int {
	const width = 0.4
	r := width * math.Round(math.Sqrt(float64(count))/width)
	return min(int(math.Round(r*r)), most)
}

// add writes the frame drawn before this one begins to be drawn.
func (f *fieldFilm) add(delay int) error {
	f.frames++
	return f.gif.add(f.page, delay)
}
