// Package picturetest makes picture files for tests: sound ones, turned ones, and ones that
// claim what they are not.
package picturetest

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"slices"
)

// Paint makes a picture of a function.
func Paint(w, h int, at func(x, y int) color.Color) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Set(x, y, at(x, y))
		}
	}
	return img
}

// PNG is a picture as a file.
func PNG(img image.Image) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// JPEG is a picture as a file.
func JPEG(img image.Image) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// Zlibbed is a text, packed.
func Zlibbed(text string) string {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	z.Write([]byte(text))
	z.Close()
	return b.String()
}

// WithHead is a PNG of one pixel whose head claims another size.
func WithHead(w, h uint32) []byte {
	file := PNG(image.NewNRGBA(image.Rect(0, 0, 1, 1)))
	binary.BigEndian.PutUint32(file[16:], w)
	binary.BigEndian.PutUint32(file[20:], h)
	binary.BigEndian.PutUint32(file[29:], crc32.ChecksumIEEE(file[12:29]))
	return file
}

// exifSides is the table of the EXIF standard (JEITA CP-3451, tag 274): which side of
// the picture that people see the stored row 0 and column 0 are.
var exifSides = [9]struct{ row, column byte }{
	1: {'T', 'L'}, 2: {'T', 'R'}, 3: {'B', 'R'}, 4: {'B', 'L'}, 5: {'L', 'T'}, 6: {'R', 'T'}, 7: {'R', 'B'}, 8: {'L', 'B'},
}

// StoredAs is a picture as a camera stores it under an orientation.
func StoredAs(img image.Image, o int) image.Image {
	b, sides := img.Bounds(), exifSides[o]
	from := func(side byte, n, i int) int {
		if side == 'B' || side == 'R' {
			return n - 1 - i
		}
		return i
	}
	w, h := b.Dx(), b.Dy()
	rowsAcross := sides.row == 'T' || sides.row == 'B'
	if !rowsAcross {
		w, h = h, w
	}
	return Paint(w, h, func(column, row int) color.Color {
		if rowsAcross {
			return img.At(from(sides.column, b.Dx(), column), from(sides.row, b.Dy(), row))
		}
		return img.At(from(sides.row, b.Dx(), row), from(sides.column, b.Dy(), column))
	})
}

// EXIFBlock is a TIFF file with a maker's name and an orientation.
func EXIFBlock(order binary.AppendByteOrder, kind uint16, orientation uint32) []byte {
	b := []byte("II*\x00")
	if order == binary.BigEndian {
		b = []byte("MM\x00*")
	}
	b = order.AppendUint32(b, 12)
	b = append(b, "Go\x00\x00"...)
	b = order.AppendUint16(b, 2)
	b = order.AppendUint16(b, 0x010f) // the maker
	b = order.AppendUint16(b, 2)
	b = order.AppendUint32(b, 3)
	b = append(b, "Go\x00\x00"...)
	b = order.AppendUint16(b, 0x0112)
	b = order.AppendUint16(b, kind)
	b = order.AppendUint32(b, 1)
	switch kind {
	case 1:
		b = append(b, byte(orientation), 0, 0, 0)
	case 3:
		b = append(order.AppendUint16(b, uint16(orientation)), 0, 0)
	default:
		b = order.AppendUint32(b, orientation)
	}
	return order.AppendUint32(b, 0)
}

// WithSegment puts an application segment behind a JPEG's first two bytes.
func WithSegment(file []byte, letter byte, body string) []byte {
	seg := binary.BigEndian.AppendUint16([]byte{0xff, letter}, uint16(len(body)+2))
	return slices.Concat(file[:2], seg, []byte(body), file[2:])
}

// WithChunk puts a chunk before the pixels of a PNG, or before its end.
func WithChunk(file []byte, name, body string, before string) []byte {
	chunk := append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), name+body...)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	at := bytes.Index(file, []byte(before)) - 4
	return slices.Concat(file[:at], chunk, file[at:])
}

// TurnedJPEG is a picture stored under an orientation, and the EXIF that says so.
func TurnedJPEG(img image.Image, o int) []byte {
	return WithSegment(JPEG(StoredAs(img, o)), 0xe1, "Exif\x00\x00"+string(EXIFBlock(binary.BigEndian, 3, uint32(o))))
}

// TurnedPNG is a picture stored under an orientation, and the EXIF that says so.
func TurnedPNG(img image.Image, o int, before string) []byte {
	return WithChunk(PNG(StoredAs(img, o)), "eXIf", string(EXIFBlock(binary.LittleEndian, 3, uint32(o))), before)
}

// Motley is a picture of which no two turns are alike; one pixel is left over where the
// square is cut out of it.
func Motley(w, h int) image.Image {
	return Paint(w, h, func(x, y int) color.Color {
		return color.NRGBA{uint8(255 * x / w), uint8(255 * y / h), uint8(40 + 100*(x+2*y)/(w+2*h)), 255}
	})
}
