package datasets

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"slices"
	"strings"
	"testing"
)

// exifSides is the table of the EXIF standard (JEITA CP-3451, tag 274): which side of
// the picture that people see the stored row 0 and column 0 are.
var exifSides = [9]struct{ row, column byte }{
	1: {'T', 'L'}, 2: {'T', 'R'}, 3: {'B', 'R'}, 4: {'B', 'L'}, 5: {'L', 'T'}, 6: {'R', 'T'}, 7: {'R', 'B'}, 8: {'L', 'B'},
}

// storedAs is a picture as a camera stores it under an orientation.
func storedAs(img image.Image, o int) image.Image {
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
	return paint(w, h, func(column, row int) color.Color {
		if rowsAcross {
			return img.At(from(sides.column, b.Dx(), column), from(sides.row, b.Dy(), row))
		}
		return img.At(from(sides.row, b.Dx(), row), from(sides.column, b.Dy(), column))
	})
}

// exifBlock is a TIFF file with a maker's name and an orientation.
func exifBlock(order binary.AppendByteOrder, kind uint16, orientation uint32) []byte {
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

// withSegment puts an application segment behind a JPEG's first two bytes.
func withSegment(file []byte, letter byte, body string) []byte {
	seg := binary.BigEndian.AppendUint16([]byte{0xff, letter}, uint16(len(body)+2))
	return slices.Concat(file[:2], seg, []byte(body), file[2:])
}

// withChunk puts a chunk before the pixels of a PNG, or before its end.
func withChunk(file []byte, name, body string, before string) []byte {
	chunk := append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), name+body...)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	at := bytes.Index(file, []byte(before)) - 4
	return slices.Concat(file[:at], chunk, file[at:])
}

func turnedJPEG(img image.Image, o int) []byte {
	return withSegment(jpegFile(storedAs(img, o)), 0xe1, "Exif\x00\x00"+string(exifBlock(binary.BigEndian, 3, uint32(o))))
}

func turnedPNG(img image.Image, o int, before string) []byte {
	return withChunk(pngFile(storedAs(img, o)), "eXIf", string(exifBlock(binary.LittleEndian, 3, uint32(o))), before)
}

// motley is a picture of which no two turns are alike; one pixel is left over where the
// square is cut out of it.
func motley(w, h int) image.Image {
	return paint(w, h, func(x, y int) color.Color {
		return color.NRGBA{uint8(255 * x / w), uint8(255 * y / h), uint8(40 + 100*(x+2*y)/(w+2*h)), 255}
	})
}

// TestOrientation: however a picture is stored, it is trained on as people see it, in a
// folder and as a density.
func TestOrientation(t *testing.T) {
	for _, size := range [][2]int{{12, 9}, {9, 12}, {10, 10}} {
		img := motley(size[0], size[1])
		want, err := squareOf(pngFile(img), 9)
		if err != nil {
			t.Fatal(err)
		}
		density := open2D(t, "image:"+writeFile(t, "a.png", pngFile(img)))
		for o := 1; o <= 8; o++ {
			for _, before := range []string{"IDAT", "IEND"} {
				file := turnedPNG(img, o, before)
				if got, err := squareOf(file, 9); err != nil || !slices.Equal(got, want) {
					t.Errorf("%v, orientation %d before %s: not upright, error %v", size, o, before, err)
				}
				if d := open2D(t, "image:"+writeFile(t, "a.png", file)); d.Data != density.Data || len(d.Notes()) != min(1, o-1) {
					t.Errorf("%v, orientation %d before %s: another density, notes %q", size, o, before, d.Notes())
				}
			}
		}
	}
}

// TestOrientationJPEG: the same of photographs large enough to be shrunk in two steps.
func TestOrientationJPEG(t *testing.T) {
	img := motley(301, 200)
	want, err := squareOf(jpegFile(img), 16)
	if err != nil {
		t.Fatal(err)
	}
	for o := 1; o <= 8; o++ {
		got, err := squareOf(turnedJPEG(img, o), 16)
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if d := int(got[i]) - int(want[i]); d < -5 || d > 5 {
				t.Fatalf("orientation %d: value %d is %d, want %d", o, i, got[i], want[i])
			}
		}
	}
}

func TestEXIF(t *testing.T) {
	good := exifBlock(binary.LittleEndian, 3, 6)
	far := bytes.Clone(good)
	binary.LittleEndian.PutUint32(far[4:], 1<<31)
	two := bytes.Clone(good)
	two[12+2+12+4] = 2 // of a count of 2
	many := bytes.Clone(good)
	many[12], many[13] = 0xff, 0xff
	for name, c := range map[string]struct {
		block []byte
		want  orientation
	}{
		"little endian":  {good, 6},
		"big endian":     {exifBlock(binary.BigEndian, 3, 6), 6},
		"a byte":         {exifBlock(binary.BigEndian, 1, 8), 8},
		"a long":         {exifBlock(binary.BigEndian, 4, 3), 3},
		"text":           {exifBlock(binary.BigEndian, 2, 3), upright},
		"0":              {exifBlock(binary.LittleEndian, 3, 0), upright},
		"9":              {exifBlock(binary.LittleEndian, 3, 9), upright},
		"262":            {exifBlock(binary.LittleEndian, 3, 262), upright},
		"two of them":    {two, upright},
		"far directory":  {far, upright},
		"many entries":   {many, 6},
		"no TIFF":        {[]byte("MM*\x00 and so on"), upright},
		"no bytes":       {nil, upright},
		"no orientation": {good[:26], upright},
	} {
		if got := exifOrientation(c.block); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	for n := range good {
		if got := exifOrientation(good[:n]); got != upright && n < 12+2+2*12 {
			t.Errorf("cut to %d bytes: %d", n, got)
		}
	}
}

// TestTreatments: what is done to pictures is said in one note, with numbers.
func TestTreatments(t *testing.T) {
	plain := paint(6, 6, func(x, y int) color.Color { return color.NRGBA{200, uint8(x), uint8(y), 255} })
	deep := image.NewRGBA64(image.Rect(0, 0, 6, 6))
	for i := range deep.Pix {
		deep.Pix[i] = 255
	}
	animated := withChunk(pngFile(plain), "acTL", "\x00\x00\x00\x03\x00\x00\x00\x00", "IDAT")
	still := withChunk(pngFile(plain), "acTL", "\x00\x00\x00\x01\x00\x00\x00\x00", "IDAT")
	dir := layFiles(t, map[string][]byte{
		"a/1.png": pngFile(plain),
		"a/2.png": turnedPNG(plain, 3, "IDAT"),
		"a/3.jpg": turnedJPEG(plain, 6),
		"a/4.png": pngFile(deep),
		"a/5.png": animated,
		"a/6.png": still,
		"a/7.png": pngFile(paint(6, 6, func(x, _ int) color.Color { return color.NRGBA{9, 9, 9, uint8(x)} })),
		"a/8.jpg": withSegment(jpegFile(plain), 0xe2, "ICC_PROFILE\x00\x01\x01 Display P3"),
		"a/9.jpg": withSegment(jpegFile(plain), 0xe2, "ICC_PROFILE\x00\x01\x01 s\x00R\x00G\x00B\x00"),
	})
	im, err := openTestFolder(dir, 4)
	if err != nil {
		t.Fatal(err)
	}
	want := dir + ": of 9 pictures 2 are set upright, as their EXIF says; 1 is transparent in parts, which become white; " +
		"1 has 16 bits a colour, of which 8 are taken; 1 is animated, and its first picture is taken; 1 has a colour profile, which is not applied"
	if len(im.Warnings) != 1 || im.Warnings[0] != want {
		t.Errorf("%q\nwant %q", im.Warnings, want)
	}
	if s := open2D(t, "image:"+writeFile(t, "a.png", animated)); len(s.Notes()) == 0 || !strings.Contains(s.Notes()[0], "a.png is animated, and its first picture is taken") {
		t.Errorf("%q", s.Notes())
	}
}

// TestPNGProfiles: the profile of a PNG is packed, and known by what it says.
func TestPNGProfiles(t *testing.T) {
	plain := pngFile(motley(4, 4))
	for body, foreign := range map[string]bool{
		"ICC\x00\x00" + zlibbed("desc Display P3"):        true,
		"ICC\x00\x00" + zlibbed("desc sRGB IEC61966-2.1"): false,
		"sRGB IEC61966-2.1\x00\x00" + zlibbed("desc"):     false,
		"ICC\x00\x00rubbish":                              true,
	} {
		m := pngMeta(bytes.NewReader(withChunk(plain, "iCCP", body, "IDAT")))
		if m.profile != foreign {
			t.Errorf("%q: foreign %v", body, m.profile)
		}
	}
}
