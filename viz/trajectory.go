package viz

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"iter"
	"math"
	"time"

	"golang.org/x/image/font"
)

// Frame is the state of all samples at one time of the flow.
type Frame struct {
	T float64   // 0 is noise, 1 the finished samples
	X []float32 // [N,C,H,W]; not kept after the next frame is asked for

	// Hist is for points of the plane that were counted while they were solved:
	// it stands instead of X, in the figure's range and number of bins.
	Hist *Hist2D
}

// TrajectoryConfig says how the film looks. Only Layout must be set.
type TrajectoryConfig struct {
	Layout Layout
	Title  string        // a line above the film: what the samples are of; "" for none
	FPS    float64       // frames a second, see FrameDelay; default 20
	Hold   time.Duration // how long the last frame stays; default 2 s
	Width  int           // of the grid, about, in pixels; default 600
	Scale  int           // how many pixels a sample's pixel is wide; default: by Width
}

// TrajectoryGIF writes the film of samples taking shape, the frames one after another
// under their time and a bar that it fills, for frames need not be at even times. final, the finished samples, decide the colours. Each frame is written
// before the next is asked for, so memory does not grow with their number. An error from
// the iterator ends the film and is returned.
func TrajectoryGIF(w io.Writer, final Pictures, frames iter.Seq2[Frame, error], cfg TrajectoryConfig) error {
	if err := final.check(); err != nil {
		return err
	}
	if err := cfg.Layout.check(final.Len()); err != nil {
		return err
	}
	if cfg.Width <= 0 {
		cfg.Width = 600
	}
	if cfg.Hold <= 0 {
		cfg.Hold = 2 * time.Second
	}
	delay, _ := FrameDelay(cfg.FPS)
	hold := max(delay, int(min(cfg.Hold/(10*time.Millisecond), math.MaxUint16)))

	var (
		clip *film
		gif  *gifWriter
		err  error
		n    int
	)
	for frame, failure := range frames {
		if failure != nil {
			return failure
		}
		if len(frame.X) != len(final.X) {
			return fmt.Errorf("viz: frame %d has %d values, the final samples %d", n, len(frame.X), len(final.X))
		}
		now := Pictures{X: frame.X, Shape: final.Shape}
		if clip == nil {
			if clip, err = newFilm(final, now, cfg); err != nil {
				return err
			}
			if gif, err = newGIF(w, clip.page.Rect.Size(), clip.page.Palette); err != nil {
				return err
			}
		} else if err := gif.add(clip.page, delay); err != nil { // the frame before
			return err
		}
		clip.show(now, frame.T)
		n++
	}
	if clip == nil {
		return errors.New("viz: a film needs at least one frame")
	}
	if err := gif.add(clip.page, hold); err != nil {
		return err
	}
	return gif.close()
}

// film is the page on which the frames are drawn.
type film struct {
	grid    *grid
	page    *image.Paletted
	at      image.Point     // corner of the block
	heading image.Rectangle // where "t = 0.35" stands
	bar     image.Rectangle // that the time fills
	face    font.Face
	white   uint8
	screen  tones
	shown   []uint8 // the samples' indices, in the layout's order
	tile    []uint8
}

// filmBar is the height of the bar that the time fills.
const filmBar = 3

func newFilm(final, first Pictures, cfg TrajectoryConfig) (*film, error) {
	g := newGrid(final.Shape, cfg.Layout, cfg.Width, cfg.Scale)
	title, clock := face(pageTitleSize), face(pageTitleSize-2)
	width := 2*g.margin + max(g.width, textWidth(clock, "t = 0.00")+2)
	top := g.margin
	if cfg.Title != "" {
		width = max(width, min(widestTitle, textWidth(title, cfg.Title)+2*g.margin))
		top += lineHeight(title) + 2
	}
	heading := image.Rect(g.margin, top, width-g.margin, top+lineHeight(clock)+2)
	at := image.Pt((width-g.width)/2, heading.Max.Y+filmBar+g.gap+g.header)
	size := image.Rect(0, 0, width, at.Y+g.height+g.margin)
	if err := checkPage(size.Max); err != nil {
		return nil, err
	}

	palette, screen := filmPalette(final, first, cfg.Layout)
	f := &film{
		grid:    g,
		page:    image.NewPaletted(size, palette),
		at:      at,
		heading: heading,
		bar:     image.Rect(at.X, heading.Max.Y, at.X+g.width, heading.Max.Y+filmBar),
		face:    clock,
		white:   uint8(palette.Index(color.White)),
		screen:  screen,
		tile:    make([]uint8, final.dim()),
	}
	f.fill(size, f.white)
	drawText(f.page, title, shorten(title, cfg.Title, width-2*g.margin), width/2, g.margin+title.Metrics().Ascent.Ceil(), middle, ink)
	g.drawLabels(f.page, at, ink)
	return f, nil
}

// show draws a state of the samples.
func (f *film) show(p Pictures, t float64) {
	f.fill(f.heading, f.white)
	drawText(f.page, f.face, fmt.Sprintf("t = %.2f", t), (f.heading.Min.X+f.heading.Max.X)/2, f.heading.Min.Y+f.face.Metrics().Ascent.Ceil(), middle, ink)
	done := f.bar
	done.Max.X = done.Min.X + int(max(0, min(1, t))*float64(f.bar.Dx())+0.5)
	f.fill(f.bar, uint8(f.page.Palette.Index(gridGrey)))
	f.fill(done, uint8(f.page.Palette.Index(frameGrey)))
	if t >= 1 {
		f.shown = nil // the last state is shown as exactly as the colours can
	}
	f.drawBlock(p, f.at)
}

// fill paints a part of the page.
func (f *film) fill(r image.Rectangle, index uint8) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := f.page.Pix[f.page.PixOffset(r.Min.X, y):][:r.Dx()]
		for x := range row {
			row[x] = index
		}
	}
}

func (f *film) drawBlock(p Pictures, at image.Point) {
	fresh := f.shown == nil
	columns, rows := f.grid.layout.size()
	h, w := p.Shape[1], p.Shape[2]
	if fresh {
		f.shown = make([]uint8, columns*rows*h*w)
	}
	for column, samples := range f.grid.layout.Columns {
		for row, i := range samples {
			p.levels(f.tile, i)
			was := f.shown[(column*rows+row)*h*w:][:h*w]
			for k := range was {
				was[k] = f.screen.index(f.tile, k, h*w, was[k])
			}
			f.drawTile(f.grid.tileAt(column, row).Add(at), was)
		}
	}
}

// drawTile enlarges one sample of indices: [H,W].
func (f *film) drawTile(at image.Point, indices []uint8) {
	h, w, s := f.grid.shape[1], f.grid.shape[2], f.grid.scale
	for y := range h {
		row := f.page.Pix[f.page.PixOffset(at.X, at.Y+y*s):][:w*s]
		for x := range row {
			row[x] = indices[y*w+x/s]
		}
		for k := 1; k < s; k++ {
			copy(f.page.Pix[f.page.PixOffset(at.X, at.Y+y*s+k):], row)
		}
	}
}
