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
)

const largestPicture = 64 << 20 // pixels that are decoded

// pictureKind is a format of picture files.
type pictureKind struct {
	magic  string
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
	meta   func(io.ReadSeeker) pictureMeta
	most   func(m color.Model, bytes int64) int64 // pixels that a file of so many bytes can hold
}

var pictureKinds = []pictureKind{
	{"\x89PNG\r\n\x1a\n", png.DecodeConfig, png.Decode, pngMeta, func(m color.Model, bytes int64) int64 {
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
	{"\xff\xd8\xff", jpeg.DecodeConfig, jpeg.Decode, jpegMeta, func(_ color.Model, bytes int64) int64 {
		return bytes * 8 * 64 // one bit at least for a block of 8x8
	}},
}

// pictureError says what is wrong with a picture, and what to do about it.
type pictureError struct {
	fault, remedy string
	err           error // the cause, where there is one
}

func (e *pictureError) Error() string { return e.fault }
func (e *pictureError) Unwrap() error { return e.err }

const saveAsPNG = "save it as PNG or JPEG"

// picture is a PNG or JPEG file whose head was read and found good.
type picture struct {
	image.Config
	pictureMeta
	kind pictureKind
	r    io.ReadSeeker
}

// readHead reads the head of a file of so many bytes, whose kind is told by its first
// ones. Its width and height are believed only if they are small enough, and if that
// many bytes can hold so many pixels. Errors are *pictureError.
func readHead(r io.ReadSeeker, bytes int64) (p *picture, err error) {
	defer decoderFails(&err)
	if bytes == 0 {
		return nil, &pictureError{"0 bytes: empty", saveAsPNG, nil}
	}
	kind, err := kindOf(r)
	if err != nil {
		return nil, &pictureError{plainCause(err), saveAsPNG, err}
	}
	config, err := kind.config(bufio.NewReaderSize(r, 4<<10))
	if err != nil {
		return nil, &pictureError{"not a picture that can be read: " + plainCause(err), saveAsPNG, err}
	}
	switch pixels := int64(config.Width) * int64(config.Height); {
	case config.Width < 1 || config.Height < 1:
		return nil, &pictureError{fmt.Sprintf("%dx%d pixels", config.Width, config.Height), saveAsPNG, nil}
	case pixels > largestPicture:
		return nil, &pictureError{fmt.Sprintf("%dx%d pixels: at most %d million are read", config.Width, config.Height, largestPicture>>20),
			"make it smaller", nil}
	case pixels > kind.most(config.ColorModel, bytes):
		return nil, &pictureError{fmt.Sprintf("it claims %dx%d pixels, which %d bytes cannot hold", config.Width, config.Height, bytes), replaceIt, nil}
	}
	p = &picture{Config: config, kind: kind, r: r}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, &pictureError{plainCause(err), "make it a readable file", err}
	}
	p.pictureMeta = kind.meta(r)
	return p, nil
}

// pixels is the number of them.
func (p *picture) pixels() int64 { return int64(p.Width) * int64(p.Height) }

// decode gives the picture as it is stored, and what is to be said of how it is used.
func (p *picture) decode() (img image.Image, done treatment, err error) {
	defer decoderFails(&err)
	if _, err := p.r.Seek(0, io.SeekStart); err != nil {
		return nil, 0, &pictureError{plainCause(err), "make it a readable file", err}
	}
	img, err = p.kind.decode(bufio.NewReaderSize(p.r, 64<<10))
	if err != nil {
		return nil, 0, &pictureError{plainCause(err), replaceIt, err}
	}
	if got := img.Bounds().Size(); got != image.Pt(p.Width, p.Height) {
		return nil, 0, &pictureError{fmt.Sprintf("%v pixels where its head says %dx%d", got, p.Width, p.Height), replaceIt, nil}
	}
	for is, t := range map[treatment]bool{
		turned: p.stored != upright, stopped: p.animated, unmanaged: p.profile,
		shallowed: p.ColorModel == color.RGBA64Model || p.ColorModel == color.NRGBA64Model || p.ColorModel == color.Gray16Model,
	} {
		if t {
			done |= is
		}
	}
	if o, ok := img.(interface{ Opaque() bool }); ok && !o.Opaque() {
		done |= flattened
	}
	return img, done, nil
}

// decoderFails turns a panic of a decoder into an error.
func decoderFails(err *error) {
	if v := recover(); v != nil {
		*err = &pictureError{fmt.Sprintf("the decoder failed: %v", v), replaceIt, nil}
	}
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
