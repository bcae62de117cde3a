package viz

import (
	"bufio"
	"bytes"
	"compress/lzw"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"io"
	"math/bits"
)

// gifWriter writes an endless-loop animation frame by frame, so that only the
// frame shown last stays in memory (image/gif's EncodeAll wants them all at once).
// Every frame must have the size and the palette of the first.
//
// Format: GIF89a, W3C/CompuServe 1990; the loop is Netscape's application block.
type gifWriter struct {
	w     *bufio.Writer
	shown *image.Paletted // what a viewer shows after the frames so far
	block bytes.Buffer
	depth int // bits of an index

	// leastRun is how many neighbours must have stayed to be marked as transparent.
	// In noise a few stay by chance, and marking those only adds a colour.
	leastRun int
}

// transparent is the index in every palette that leaves a pixel as it was.
const transparent = 0

// newGIF begins a clip. Colour 0 of the palette must be kept free: it is the
// transparent one. At most 256 colours.
func newGIF(w io.Writer, size image.Point, palette color.Palette) (*gifWriter, error) {
	if len(palette) < 2 || len(palette) > 256 || size.X < 1 || size.Y < 1 || size.X > 65535 || size.Y > 65535 {
		return nil, errors.New("viz: a GIF has 2 to 256 colours and sides of 1 to 65535 pixels")
	}
	g := &gifWriter{w: bufio.NewWriter(w), depth: max(2, bits.Len(uint(len(palette)-1)))}
	g.w.WriteString("GIF89a")
	g.short(size.X)
	g.short(size.Y)
	g.w.Write([]byte{0xf0 | byte(g.depth-1), 0, 0}) // a global palette of 2^depth colours
	for i := range 1 << g.depth {
		var c color.RGBA
		if i < len(palette) {
			c = color.RGBAModel.Convert(palette[i]).(color.RGBA)
		}
		g.w.Write([]byte{c.R, c.G, c.B})
	}
	g.w.WriteString("\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00") // for ever
	return g, nil
}

// add shows a frame for so many hundredths of a second. The frame may be used
// again by the caller afterwards.
func (g *gifWriter) add(frame *image.Paletted, delay int) error {
	area, pixels := frame.Rect, frame.Pix
	if g.shown == nil {
		g.shown = image.NewPaletted(frame.Rect, frame.Palette)
	} else {
		area, pixels = g.changes(frame)
	}
	copy(g.shown.Pix, frame.Pix)

	g.w.Write([]byte{0x21, 0xf9, 4, 1<<2 | 1}) // keep what is below; index 0 is transparent
	g.short(min(delay, 65535))
	g.w.Write([]byte{transparent, 0, 0x2c})
	for _, n := range []int{area.Min.X, area.Min.Y, area.Dx(), area.Dy()} {
		g.short(n)
	}
	g.w.Write([]byte{0, byte(g.depth)})
	g.block.Reset()
	z := lzw.NewWriter(&g.block, lzw.LSB, g.depth)
	if _, err := z.Write(pixels); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	for g.block.Len() > 0 { // in pieces of at most 255 bytes, closed by an empty one
		piece := g.block.Next(255)
		g.w.WriteByte(byte(len(piece)))
		g.w.Write(piece)
	}
	return g.w.WriteByte(0) // bufio keeps the first error of all the writes above
}

// changes is the smallest rectangle that holds every pixel in which the frame
// differs from what is shown, with the others in it transparent. Of equal frames
// one pixel is left, since GIF knows no empty frame.
func (g *gifWriter) changes(frame *image.Paletted) (image.Rectangle, []byte) {
	w := frame.Rect.Dx()
	var area image.Rectangle
	for y := range frame.Rect.Dy() {
		was, is := g.shown.Pix[y*w:(y+1)*w], frame.Pix[y*w:(y+1)*w]
		if bytes.Equal(was, is) {
			continue
		}
		from, to := 0, w
		for was[from] == is[from] {
			from++
		}
		for was[to-1] == is[to-1] {
			to--
		}
		area = area.Union(image.Rect(from, y, to, y+1))
	}
	if area.Empty() {
		area = image.Rect(0, 0, 1, 1)
	}
	pixels := make([]byte, 0, area.Dx()*area.Dy())
	for y := area.Min.Y; y < area.Max.Y; y++ {
		was := g.shown.Pix[y*w+area.Min.X : y*w+area.Max.X]
		is := frame.Pix[y*w+area.Min.X : y*w+area.Max.X]
		for from := 0; from < len(is); {
			to := from
			for to < len(is) && is[to] == was[to] {
				to++
			}
			if to > from && to-from >= g.leastRun {
				for range to - from {
					pixels = append(pixels, transparent)
				}
				from = to
				continue
			}
			to = min(to+1, len(is)) // with the one that changed
			pixels = append(pixels, is[from:to]...)
			from = to
		}
	}
	return area, pixels
}

// close ends the clip.
func (g *gifWriter) close() error {
	g.w.WriteByte(0x3b)
	return g.w.Flush()
}

func (g *gifWriter) short(n int) {
	g.w.Write(binary.LittleEndian.AppendUint16(nil, uint16(n)))
}
