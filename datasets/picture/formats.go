package picture

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
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/image/bmp"
)

// Formats are those that are read, for people.
const Formats = "PNG, JPEG, WebP, GIF, BMP and TIFF"

// format is a format of picture files. Its functions begin at the file's first byte.
type format struct {
	endings []string
	is      func(start []byte) bool // by the first bytes
	config  func(io.ReadSeeker) (image.Config, error)
	decode  func(io.ReadSeeker) (image.Image, error)
	meta    func(io.ReadSeeker) meta

	// most is the number of pixels that a file of so many bytes can hold; nil: any number,
	// for a file of one colour may hold them by a bit.
	most func(m color.Model, bytes int64) int64
	// dear tells pictures that take more than 8 bytes a pixel while they are decoded; nil:
	// none do.
	dear func(color.Model) bool
}

var formats = []format{
	{
		endings: []string{".png", ".apng"}, is: begins("\x89PNG\r\n\x1a\n"),
		config: buffered(png.DecodeConfig), decode: buffered(png.Decode), meta: pngMeta, most: pngMost,
	},
	{
		endings: []string{".jpg", ".jpeg", ".jpe", ".jfif"}, is: begins("\xff\xd8\xff"),
		config: buffered(jpeg.DecodeConfig), decode: buffered(jpeg.Decode), meta: jpegMeta,
		most: func(_ color.Model, bytes int64) int64 { return bytes * 8 * 64 }, // one bit at least for a block of 8x8
	},
	{
		endings: []string{".webp"}, is: func(start []byte) bool { return begins("RIFF")(start) && bytes.HasPrefix(start[8:], []byte("WEBP")) },
		config: buffered(webpConfig), decode: decodeWebP, meta: webpMeta,
		dear: func(m color.Model) bool { return m == color.NYCbCrAModel },
	},
	{
		endings: []string{".gif"}, is: begins("GIF8"),
		config: buffered(gifConfig), decode: decodeGIF, meta: gifMeta,
		// A code of 12 bits stands for at most the 3,838 pixels that the table has grown to.
		most: func(_ color.Model, bytes int64) int64 { return bytes * 8 / 12 * 3838 },
	},
	{
		endings: []string{".bmp", ".dib"}, is: begins("BM"),
		config: buffered(bmp.DecodeConfig), decode: buffered(bmp.Decode), meta: func(io.ReadSeeker) meta { return meta{stored: upright} },
		most: func(m color.Model, bytes int64) int64 {
			if _, palette := m.(color.Palette); palette {
				return bytes * 8
			}
			return bytes / 3
		},
	},
	{
		endings: []string{".tif", ".tiff"}, is: func(start []byte) bool { return begins("II*\x00")(start) || begins("MM\x00*")(start) },
		config: tiffConfig, decode: decodeTIFF, meta: tiffMeta,
		dear: func(color.Model) bool { return true }, // the decoder unpacks strips before it looks how much a pixel takes
	},
}

func (f format) largest(m color.Model) int64 {
	if f.dear != nil && f.dear(m) {
		return Largest / 2
	}
	return Largest
}

// pngMost: deflate packs at most 1032 bytes into one. Grey and palettes may have one bit a
// pixel, and stay in doubt where transparency was added.
func pngMost(m color.Model, bytes int64) int64 {
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
}

func begins(magic string) func([]byte) bool {
	return func(start []byte) bool { return bytes.HasPrefix(start, []byte(magic)) }
}

func buffered[T any](f func(io.Reader) (T, error)) func(io.ReadSeeker) (T, error) {
	return func(r io.ReadSeeker) (T, error) { return f(bufio.NewReaderSize(r, 16<<10)) }
}

// HasEnding tells whether a file's name is that of a picture that is read.
func HasEnding(name string) bool {
	ending := strings.ToLower(filepath.Ext(name))
	return slices.ContainsFunc(formats, func(f format) bool { return slices.Contains(f.endings, ending) })
}

// HasOtherEnding tells names of pictures that are not read, and that people would miss.
func HasOtherEnding(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".heic", ".heif", ".avif", ".jxl", ".jp2", ".jpx", ".svg", ".psd", ".ico", ".ppm", ".pgm", ".pnm", ".tga", ".exr", ".hdr",
		".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2":
		return true
	}
	return false
}

// startBytes tell what a file is.
const startBytes = 16

// others are files that people take for pictures that are read, by their bytes from one on.
var others = []struct {
	at          int
	magic, name string
}{
	{4, "ftypavi", "an AVIF picture"},
	{4, "ftyphe", "a HEIC picture"}, {4, "ftypmif1", "a HEIC or AVIF picture"}, {4, "ftypmsf1", "a HEIC or AVIF picture"},
	{4, "ftyp", "a film"},
	{0, "\xff\x0a", "a JPEG XL picture"}, {4, "JXL ", "a JPEG XL picture"}, {4, "jP  ", "a JPEG 2000 picture"},
	{0, "8BPS", "a picture of Photoshop's"}, {0, "\x00\x00\x01\x00", "an icon"},
	{0, "P4\n", "a PBM picture"}, {0, "P5\n", "a PGM picture"}, {0, "P6\n", "a PPM picture"},
	{0, "<svg", "an SVG drawing"}, {0, "<?xml", "an XML file, such as an SVG drawing"},
	{0, "<!", "a web page"}, {0, "<html", "a web page"}, {0, "<HTML", "a web page"},
	{0, "%PDF", "a PDF file"}, {0, "PK\x03\x04", "a packed file"}, {0, "\x1f\x8b", "a packed file"},
	{0, "version https://git-lfs", "a pointer of Git LFS in place of the file"},
}

// formatOf tells the kind by the first bytes, and goes back to them.
func formatOf(r io.ReadSeeker) (format, error) {
	var first [startBytes]byte
	n, err := io.ReadFull(r, first[:])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return format{}, err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return format{}, err
	}
	for _, k := range formats {
		if n == len(first) && k.is(first[:]) {
			return k, nil
		}
	}
	for _, o := range others {
		if o.at <= n && begins(o.magic[:min(len(o.magic), startBytes-o.at)])(first[o.at:n]) {
			return format{}, fmt.Errorf("%s, which is not read", o.name)
		}
	}
	return format{}, errors.New("not a picture: " + Formats + " files are read")
}

// laid puts a picture's frame, which may be smaller, on a transparent page of its size.
func laid(frame image.Image, page image.Rectangle, at image.Point) image.Image {
	if frame.Bounds().Size() == page.Size() && at == page.Min {
		return frame
	}
	out := image.NewNRGBA(page)
	b := frame.Bounds()
	for y := range b.Dy() {
		for x := range b.Dx() {
			out.Set(at.X+x, at.Y+y, frame.At(b.Min.X+x, b.Min.Y+y))
		}
	}
	return out
}
