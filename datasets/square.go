package datasets

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"sync"

	"golang.org/x/image/draw"
)

// squareFile reads a picture file as a square, see square.
func squareFile(path string, size int, gate *pixelGate, dst []uint8) error {
	f, bytes, err := openRegular(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return squareFrom(f, bytes, size, gate, dst)
}

// squareFrom decodes a PNG or JPEG of so many bytes, told by its first ones. Its
// width and height are believed only if they are small enough, and if that many
// bytes can hold so many pixels. A panic of a decoder is an error.
func squareFrom(r io.ReadSeeker, bytes int64, size int, gate *pixelGate, dst []uint8) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the decoder failed: %v", v)
		}
	}()
	if bytes == 0 {
		return errors.New("0 bytes: empty")
	}
	kind, err := kindOf(r)
	if err != nil {
		return err
	}
	in := bufio.NewReaderSize(r, 64<<10)
	config, err := kind.config(in)
	if err != nil {
		return err
	}
	pixels := int64(config.Width) * int64(config.Height)
	switch {
	case config.Width < 1 || config.Height < 1:
		return fmt.Errorf("%dx%d pixels", config.Width, config.Height)
	case pixels > largestPicture:
		return fmt.Errorf("%dx%d pixels: at most %d million are read", config.Width, config.Height, largestPicture>>20)
	case pixels > kind.most(config.ColorModel, bytes):
		return fmt.Errorf("it claims %dx%d pixels, which %d bytes cannot hold", config.Width, config.Height, bytes)
	}
	gate.enter(pixels)
	defer gate.leave(pixels)
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return err
	}
	in.Reset(r)
	img, err := kind.decode(in)
	if err != nil {
		return err
	}
	if got := img.Bounds().Size(); got != image.Pt(config.Width, config.Height) {
		return fmt.Errorf("%v pixels where its head says %dx%d", got, config.Width, config.Height)
	}
	square(dst, img, size)
	return nil
}

// square writes the middle of a picture, scaled so that its short side fits, to
// dst: [3,size,size]. Transparent parts show white.
//
// The scaling is by the Catmull-Rom cubic, which is made wider when it shrinks: each
// pixel of the result then weighs all those of the picture that it covers, and no
// fine pattern turns into a coarse one.
func square(dst []uint8, img image.Image, size int) {
	b := img.Bounds()
	side := min(b.Dx(), b.Dy())
	from := image.Pt(b.Min.X+(b.Dx()-side)/2, b.Min.Y+(b.Dy()-side)/2)
	img, crop := boxed(img, image.Rectangle{Min: from, Max: from.Add(image.Pt(side, side))}, size)

	canvas := image.NewRGBA(image.Rect(0, 0, size, size))
	draw.Draw(canvas, canvas.Rect, image.White, image.Point{}, draw.Src)
	draw.CatmullRom.Scale(canvas, canvas.Rect, img, crop, draw.Over, nil)

	plane := size * size
	for i := range plane {
		dst[i], dst[plane+i], dst[2*plane+i] = canvas.Pix[4*i], canvas.Pix[4*i+1], canvas.Pix[4*i+2]
	}
}

// pictureKind is a format of picture files.
type pictureKind struct {
	magic  string
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
	most   func(m color.Model, bytes int64) int64 // pixels that a file of so many bytes can hold
}

var pictureKinds = []pictureKind{
	{"\x89PNG\r\n\x1a\n", png.DecodeConfig, png.Decode, func(m color.Model, bytes int64) int64 {
		// Deflate packs at most 1032 bytes into one. Grey and palettes may have
		// one bit a pixel, and stay in doubt where transparency was added.
		bits := int64(1)
		switch m {
		case color.RGBAModel:
			bits = 24
		case color.RGBA64Model:
			bits = 48
		case color.Gray16Model, color.NRGBA64Model:
			bits = 16
		}
		return bytes * 1032 * 8 / bits
	}},
	{"\xff\xd8\xff", jpeg.DecodeConfig, jpeg.Decode, func(_ color.Model, bytes int64) int64 {
		return bytes * 8 * 64 // one bit at least for a block of 8x8
	}},
}

// kindOf tells the kind by the first bytes, and goes back to them.
func kindOf(r io.ReadSeeker) (pictureKind, error) {
	var start [8]byte
	n, err := io.ReadFull(r, start[:])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return pictureKind{}, err
	}
	for _, k := range pictureKinds {
		if bytes.HasPrefix(start[:n], []byte(k.magic)) {
			_, err := r.Seek(0, io.SeekStart)
			return k, err
		}
	}
	return pictureKind{}, errors.New("not a PNG or JPEG file")
}

// pixelGate lets workers decode as long as their pictures together have no more
// pixels than the largest single one may: so memory does not grow with the workers.
type pixelGate struct {
	mu     sync.Mutex
	freed  *sync.Cond
	inside int64
}

func newPixelGate() *pixelGate {
	g := &pixelGate{}
	g.freed = sync.NewCond(&g.mu)
	return g
}

func (g *pixelGate) enter(pixels int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.inside+pixels > largestPicture {
		g.freed.Wait()
	}
	g.inside += pixels
}

func (g *pixelGate) leave(pixels int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside -= pixels
	g.freed.Broadcast()
}
