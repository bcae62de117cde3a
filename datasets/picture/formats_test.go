package picture_test

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flowmatch/datasets/picture"
)

// read gives a file's picture upright, as people see it.
func read(file []byte) (*image.NRGBA, picture.Treatment, error) {
	p, err := picture.ReadHead(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, 0, err
	}
	stored, done, err := p.Decode()
	if err != nil {
		return nil, 0, err
	}
	var planes [4][]uint8
	b := stored.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := color.NRGBAModel.Convert(stored.At(x, y)).(color.NRGBA)
			for k, v := range []uint8{c.R, c.G, c.B, c.A} {
				planes[k] = append(planes[k], v)
			}
		}
	}
	var img *image.NRGBA
	for k, plane := range planes {
		turned, w, h := p.Stored.Turn(plane, b.Dx(), b.Dy())
		if img == nil {
			img = image.NewNRGBA(image.Rect(0, 0, w, h))
		}
		for i, v := range turned {
			img.Pix[4*i+k] = v
		}
	}
	return img, done, nil
}

// TestFormats compares pictures with what Pillow reads of them: testdata/make.py.
func TestFormats(t *testing.T) {
	const (
		// Colours of lossy files are stored at half the width and height; the decoder
		// takes the nearest, and Pillow interpolates.
		lossy = 12
		more  = "is animated or has pages, and its first picture is taken"
		clear = "is transparent in parts, which become white"
		up    = "is set upright, as its EXIF says"
	)
	for name, c := range map[string]struct {
		off  int // by how much a colour may be off
		done string
	}{
		"lossy.webp": {lossy, ""}, "white.webp": {0, ""}, "lossless.webp": {0, ""}, "alpha.webp": {lossy, clear}, "alpha-lossless.webp": {0, clear},
		"turned.webp": {lossy, up}, "animated.webp": {lossy, more}, "animated-alpha.webp": {lossy, clear + "; it " + more}, "frame.webp": {0, clear},
		"palette.gif": {0, ""}, "animated.gif": {0, more}, "frame.gif": {0, clear},
		"plain.bmp": {0, ""}, "palette.bmp": {0, ""}, "bits.bmp": {0, ""},
		"plain.tif": {0, ""}, "turned.tif": {0, up}, "pages.tif": {0, more}, "fax.tif": {0, ""}, "palette.tif": {0, ""}, "alpha.tif": {0, clear},
	} {
		file, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(filepath.Join("testdata", name+".png"))
		if err != nil {
			t.Fatal(err)
		}
		want, err := png.Decode(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		got, done, err := read(file)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if done.String() != c.done {
			t.Errorf("%s: it %v, want %s", name, done, c.done)
		}
		if got.Rect != want.Bounds() {
			t.Errorf("%s: %v, want %v", name, got.Rect, want.Bounds())
			continue
		}
		worst := 0
		for i := 0; i < len(got.Pix); i += 4 {
			w := color.NRGBAModel.Convert(want.At(i/4%want.Bounds().Dx(), i/4/want.Bounds().Dx())).(color.NRGBA)
			if got.Pix[i+3] != w.A {
				t.Errorf("%s: pixel %d: opacity %d, want %d", name, i/4, got.Pix[i+3], w.A)
				break
			}
			for k, v := range []uint8{w.R, w.G, w.B} {
				if w.A > 0 { // a colour that is not seen has no value
					worst = max(worst, int(got.Pix[i+k])-int(v), int(v)-int(got.Pix[i+k]))
				}
			}
		}
		if worst > c.off {
			t.Errorf("%s: a colour is off by %d, of %d", name, worst, c.off)
		}
		for n := range len(file) {
			if _, _, err := read(file[:n]); err == nil && n < len(file)*2/3 {
				t.Errorf("%s cut to %d of %d bytes passed", name, n, len(file))
			}
		}
	}
}

// TestDeepFormats: 16 bits are told, and so are the colours of printers, which are converted.
func TestDeepFormats(t *testing.T) {
	for name, c := range map[string]struct {
		at   image.Point
		want color.NRGBA
		done string
	}{
		"grey16.tif": {image.Pt(10, 5), color.NRGBA{76, 76, 76, 255}, "has 16 bits a colour, of which 8 are taken"}, // 130 * 150 / 256
		"cmyk.jpg":   {image.Pt(23, 0), color.NRGBA{255, 0, 78, 255}, ""},
	} {
		file, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		img, done, err := read(file)
		if err != nil || done.String() != c.done {
			t.Errorf("%s: it %v, error %v", name, done, err)
			continue
		}
		got := img.NRGBAAt(c.at.X, c.at.Y)
		for _, v := range [][2]uint8{{got.R, c.want.R}, {got.G, c.want.G}, {got.B, c.want.B}} {
			if d := int(v[0]) - int(v[1]); d < -6 || d > 6 {
				t.Errorf("%s: %v, want %v", name, got, c.want)
			}
		}
	}
}

// TestTIFFParts: a picture in very many packed parts is refused, for each costs the decoder a table.
func TestTIFFParts(t *testing.T) {
	const n = 1 << 16
	b, order := []byte("II*\x00\x08\x00\x00\x00"), binary.LittleEndian
	entries := [][3]uint32{ // tag, count, value or place; all of type LONG
		{256, 1, 8}, {257, 1, n}, {258, 1, 8}, {259, 1, 8}, {262, 1, 1}, {273, n, 200}, {277, 1, 1}, {278, 1, 1}, {279, n, 200},
	}
	b = order.AppendUint16(b, uint16(len(entries)))
	for _, e := range entries {
		b = order.AppendUint16(order.AppendUint16(b, uint16(e[0])), 4)
		b = order.AppendUint32(order.AppendUint32(b, e[1]), e[2])
	}
	b = append(b, make([]byte, 200-len(b)+4*n)...)
	if _, _, err := read(b); err == nil || !strings.Contains(err.Error(), "cut into 65536 packed parts") {
		t.Errorf("%v", err)
	}
}

// TestOtherFormats: what is no picture that is read is called by its name.
func TestOtherFormats(t *testing.T) {
	for start, want := range map[string]string{
		"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00":   "an AVIF picture, which is not read",
		"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00":   "a HEIC picture, which is not read",
		"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00":   "a HEIC or AVIF picture, which is not read",
		"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00":   "a film, which is not read",
		"\x00\x00\x00\x0cJXL \r\n\x87\n\x00\x00\x00": "a JPEG XL picture, which is not read",
		"\xff\x0a\x00":                                 "a JPEG XL picture, which is not read",
		"PK\x03\x04 and the rest of it":                "a packed file, which is not read",
		"<!DOCTYPE html><title>404":                    "a web page, which is not read",
		"version https://git-lfs.github.com/spec/v1\n": "a pointer of Git LFS in place of the file, which is not read",
		"Hello, world, for example":                    "not a picture: " + picture.Formats + " files are read",
		"RIFF\x00\x00\x00\x00WAVEfmt ":                 "not a picture: " + picture.Formats + " files are read",
		"P":                                            "not a picture: " + picture.Formats + " files are read",
	} {
		_, err := picture.ReadHead(strings.NewReader(start), int64(len(start)))
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", start, err, want)
		}
	}
	for name, want := range map[string][2]bool{
		"a.PNG": {true, false}, "a.b.jfif": {true, false}, "a.webp": {true, false}, "a.heic": {false, true}, "a.txt": {false, false}, "png": {false, false},
	} {
		if got := [2]bool{picture.HasEnding(name), picture.HasOtherEnding(name)}; got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}
