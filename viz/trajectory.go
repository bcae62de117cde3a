package viz

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"io"
	"iter"
	"math"
	"time"
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
	FPS    float64       // frames a second, see FrameDelay; default 20
	Hold   time.Duration // how long the last frame stays; default 2 s
	Width  int           // of one of the two grids, about, in pixels; default 600
	Scale  int           // how many pixels a sample's pixel is wide; default: by Width
}

// TrajectoryGIF writes the film of samples taking shape: on the left the finished
// ones, on the right the frames one after another. Each frame is written before the
// next is asked for, so memory does not grow with their number. An error from the
// iterator ends the film and is returned.
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
	at      image.Point     // corner of the evolving block
	heading image.Rectangle // where "t = 0.35" stands
	screen  tones
	shown   []uint8 // the evolving samples' indices, in the layout's order
	tile    []uint8
}

func newFilm(final, first Pictures, cfg TrajectoryConfig) (*film, error) {
	g := newGrid(final.Shape, cfg.Layout, cfg.Width, cfg.Scale)
	title := face(18)
	top := g.margin + lineHeight(title) + g.gap
	panel := max(g.width, textWidth(title, "t = 0.00")+2) // room for a grid and its heading
	between := 3 * g.margin
	size := image.Rect(0, 0, 2*g.margin+2*panel+between, top+g.header+g.height+g.margin)
	if err := checkPage(size.Max); err != nil {
		return nil, err
	}

	palette, screen := filmPalette(final, first, cfg.Layout)
	f := &film{
		grid:   g,
		page:   image.NewPaletted(size, palette),
		screen: screen,
		tile:   make([]uint8, final.dim()),
	}
	white := f.page.Palette.Index(color.White)
	for i := range f.page.Pix {
		f.page.Pix[i] = uint8(white)
	}
	f.heading = image.Rect(g.margin+panel+between, 0, g.margin+2*panel+between, top)
	left := image.Pt(g.margin+(panel-g.width)/2, top+g.header)
	f.at = left.Add(image.Pt(panel+between, 0))
	g.drawLabels(f.page, left, ink)
	g.drawLabels(f.page, f.at, ink)
	f.write("samples", image.Rect(g.margin, 0, g.margin+panel, top))

	f.drawBlock(final, left)
	f.shown = nil
	return f, nil
}

// show puts a state of the samples on the right.
func (f *film) show(p Pictures, t float64) {
	f.write(fmt.Sprintf("t = %.2f", t), f.heading)
	if t >= 1 {
		f.shown = nil // the last state is shown as exactly as the samples beside it
	}
	f.drawBlock(p, f.at)
}

// write puts a heading in the middle of its place, replacing the one before.
func (f *film) write(s string, place image.Rectangle) {
	draw.Draw(f.page, place, image.White, image.Point{}, draw.Src)
	title := face(18)
	drawText(f.page, title, s, (place.Min.X+place.Max.X)/2, f.grid.margin+title.Metrics().Ascent.Ceil(), middle, ink)
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
