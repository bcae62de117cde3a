package picture

import (
	"fmt"
	"image"
	"image/color"
	"io"

	"flowmatch/datasets/internal/userfile"
)

// Largest is how many pixels a picture may have.
const Largest = 64 << 20

// Error says what is wrong with a picture, and what to do about it.
type Error struct {
	Fault  string // "0 bytes: empty"
	Remedy string // "save it as PNG or JPEG"
	Err    error  // the cause, where there is one
}

func (e *Error) Error() string { return e.Fault }
func (e *Error) Unwrap() error { return e.Err }

const saveAsPNG = "save it as PNG or JPEG"

// File is a picture's file whose head was read and found good.
type File struct {
	image.Config
	Stored Orientation // how its pixels lie

	profile bool // it has a colour profile that is not sRGB's
	more    bool // there are more pictures in it than the first
	format  format
	r       io.ReadSeeker
}

// ReadHead reads the head of a file of so many bytes, whose kind is told by its first
// ones. Its width and height are believed only if they are small enough, and if that
// many bytes can hold so many pixels. Errors are *[Error].
func ReadHead(r io.ReadSeeker, bytes int64) (p *File, err error) {
	defer Recover(&err)
	if bytes == 0 {
		return nil, &Error{"0 bytes: empty", saveAsPNG, nil}
	}
	format, err := formatOf(r)
	if err != nil {
		return nil, &Error{userfile.PlainCause(err), saveAsPNG, err}
	}
	config, err := format.config(r)
	if err != nil {
		return nil, &Error{"not a picture that can be read: " + userfile.PlainCause(err), saveAsPNG, err}
	}
	switch pixels := int64(config.Width) * int64(config.Height); {
	case config.Width < 1 || config.Height < 1:
		return nil, &Error{fmt.Sprintf("%dx%d pixels", config.Width, config.Height), saveAsPNG, nil}
	case pixels > format.largest(config.ColorModel):
		return nil, &Error{fmt.Sprintf("%dx%d pixels: at most %d million are read", config.Width, config.Height, format.largest(config.ColorModel)>>20),
			"make it smaller", nil}
	case format.most != nil && pixels > format.most(config.ColorModel, bytes):
		return nil, &Error{fmt.Sprintf("it claims %dx%d pixels, which %d bytes cannot hold", config.Width, config.Height, bytes), userfile.ReplaceIt, nil}
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, &Error{userfile.PlainCause(err), "make it a readable file", err}
	}
	m := format.meta(r)
	return &File{Config: config, Stored: m.stored, profile: m.profile, more: m.more, format: format, r: r}, nil
}

// Pixels is the number of them.
func (p *File) Pixels() int64 { return int64(p.Width) * int64(p.Height) }

// Decode gives the picture as it is stored, and what is to be said of how it is used.
func (p *File) Decode() (img image.Image, done Treatment, err error) {
	defer Recover(&err)
	if _, err := p.r.Seek(0, io.SeekStart); err != nil {
		return nil, 0, &Error{userfile.PlainCause(err), "make it a readable file", err}
	}
	img, err = p.format.decode(p.r)
	if err != nil {
		return nil, 0, &Error{userfile.PlainCause(err), userfile.ReplaceIt, err}
	}
	if got := img.Bounds().Size(); got != image.Pt(p.Width, p.Height) {
		return nil, 0, &Error{fmt.Sprintf("%v pixels where its head says %dx%d", got, p.Width, p.Height), userfile.ReplaceIt, nil}
	}
	for is, t := range map[Treatment]bool{
		turned: p.Stored != upright, stopped: p.more, unmanaged: p.profile,
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

// Recover, deferred, turns a panic of a decoder into an error.
func Recover(err *error) {
	if v := recover(); v != nil {
		*err = &Error{fmt.Sprintf("the decoder failed: %v", v), userfile.ReplaceIt, nil}
	}
}
