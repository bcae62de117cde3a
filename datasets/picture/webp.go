package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"io"

	"golang.org/x/image/webp"
)

func webpConfig(r io.Reader) (image.Config, error) { return webp.DecodeConfig(r) }

// decodeWebP gives the picture, or an animation's first one on a page of its size.
func decodeWebP(r io.ReadSeeker) (image.Image, error) {
	first, page, err := webpFrame(r)
	if err != nil {
		return nil, err
	}
	if first == nil { // a picture that stands still
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
		img, err := buffered(webp.Decode)(r)
		return fullRange(img), err
	}
	img, err := webp.Decode(first.still)
	if err != nil {
		return nil, err
	}
	return laid(fullRange(img), page, first.at), nil
}

// chunk is a part of a WebP file: a name of four letters, and the bytes after its length.
type chunk struct {
	name   string
	at     int64 // of its bytes
	length int64
}

// webpChunks calls f for the parts of a WebP file until f is false or the file ends. f may
// read from r, which stands at the part's bytes.
func webpChunks(r io.ReadSeeker, f func(c chunk) bool) {
	for at := int64(12); ; {
		var head [8]byte
		if _, err := r.Seek(at, io.SeekStart); err != nil {
			return
		}
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return
		}
		c := chunk{string(head[:4]), at + 8, int64(binary.LittleEndian.Uint32(head[4:]))}
		if !f(c) {
			return
		}
		at = c.at + c.length + c.length&1
	}
}

// The flags of VP8X, the part that comes first where there is more than one.
const (
	webpAnimated = 1 << 1
	webpAlpha    = 1 << 4
)

// webpMeta reads what comes beside the pixels, before them or after.
func webpMeta(r io.ReadSeeker) meta {
	m := meta{stored: upright}
	frames := 0
	webpChunks(r, func(c chunk) bool {
		switch c.name {
		case "EXIF":
			block := make([]byte, min(c.length, exifLargest))
			n, _ := io.ReadFull(r, block)
			m.stored = exifOrientation(bytes.TrimPrefix(block[:n], []byte("Exif\x00\x00"))) // which some put there as in a JPEG
		case "ICCP":
			profile := make([]byte, min(c.length, profileLargest))
			n, _ := io.ReadFull(r, profile)
			m.profile = !isSRGB(profile[:n])
		case "ANMF":
			frames++
		}
		return true
	})
	m.more = frames > 1
	return m
}

// webpStill is an animation's frame as a file of its own.
type webpStill struct {
	still io.Reader
	at    image.Point // on the page
}

// webpFrame finds the first frame of an animation, nil where the file is none, and the page's
// size.
//
// A frame has 24 bits each for x/2, y/2, width-1, height-1 and how long it is shown, 8 flags,
// and then the parts of a file that stands still.
func webpFrame(r io.ReadSeeker) (first *webpStill, page image.Rectangle, err error) {
	animated := false
	webpChunks(r, func(c chunk) bool {
		var b [20]byte
		switch {
		case c.name == "VP8X" && c.length == 10:
			_, err = io.ReadFull(r, b[:10])
			animated = b[0]&webpAnimated != 0
			page = image.Rect(0, 0, uint24(b[4:])+1, uint24(b[7:])+1)
			return animated && err == nil
		case c.name == "ANMF" && c.length >= 24:
			if _, err = io.ReadFull(r, b[:]); err != nil {
				return false
			}
			first = &webpStill{at: image.Pt(2*uint24(b[0:]), 2*uint24(b[3:]))}
			width, height := uint24(b[6:])+1, uint24(b[9:])+1
			if !(image.Rectangle{first.at, first.at.Add(image.Pt(width, height))}).In(page) {
				err = errors.New("webp: a frame lies outside of its page")
				return false
			}
			flags := byte(0)
			if string(b[16:20]) == "ALPH" {
				flags = webpAlpha
			}
			head := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(4+8+10+c.length-16))
			head = append(head, "WEBPVP8X\x0a\x00\x00\x00"...)
			head = append(head, flags, 0, 0, 0)
			head = append(head, b[6:12]...)
			head = append(head, b[16:20]...)
			first.still = io.MultiReader(bytes.NewReader(head), io.LimitReader(r, c.length-20))
			return false
		}
		return true
	})
	if err == nil && animated && first == nil {
		err = errors.New("webp: an animation without a picture")
	}
	return first, page, err
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// fullRange stretches brightness and colours to the range that Go's pictures have, and JPEGs.
// Lossy WebP, as video, has black at 16 and white at 235 (RFC 6386, section 9.2), which the
// decoder leaves as they are.
func fullRange(img image.Image) image.Image {
	switch img := img.(type) {
	case *image.YCbCr:
		stretch(img)
	case *image.NYCbCrA:
		stretch(&img.YCbCr)
	}
	return img
}

func stretch(img *image.YCbCr) {
	var light, colour [256]uint8
	for v := range 256 {
		light[v] = uint8(min(255, max(0, ((v-16)*255+109)/219)))
		colour[v] = uint8(min(255, max(0, 128+((v-128)*255+112*sign(v-128))/224)))
	}
	for i, v := range img.Y {
		img.Y[i] = light[v]
	}
	for _, plane := range [][]uint8{img.Cb, img.Cr} {
		for i, v := range plane {
			plane[i] = colour[v]
		}
	}
}

func sign(v int) int {
	if v < 0 {
		return -1
	}
	return 1
}
