package datasets

import (
	"image"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flowmatch/datasets/picture/picturetest"
	"flowmatch/datasets/plane"
)

// TestOrientation: however a picture is stored, it is trained on as people see it, in a
// folder and as a density.
func TestOrientation(t *testing.T) {
	for _, size := range [][2]int{{12, 9}, {9, 12}, {10, 10}} {
		img := picturetest.Motley(size[0], size[1])
		want, err := squareOf(picturetest.PNG(img), 9)
		if err != nil {
			t.Fatal(err)
		}
		density := openDensity(t, picturetest.PNG(img))
		for o := 1; o <= 8; o++ {
			for _, before := range []string{"IDAT", "IEND"} {
				file := picturetest.TurnedPNG(img, o, before)
				if got, err := squareOf(file, 9); err != nil || !slices.Equal(got, want) {
					t.Errorf("%v, orientation %d before %s: not upright, error %v", size, o, before, err)
				}
				if d := openDensity(t, file); d.Data != density.Data || len(d.Notes()) != min(1, o-1) {
					t.Errorf("%v, orientation %d before %s: another density, notes %q", size, o, before, d.Notes())
				}
			}
		}
	}
}

// TestOrientationJPEG: the same of photographs large enough to be shrunk in two steps.
func TestOrientationJPEG(t *testing.T) {
	img := picturetest.Motley(301, 200)
	want, err := squareOf(picturetest.JPEG(img), 16)
	if err != nil {
		t.Fatal(err)
	}
	for o := 1; o <= 8; o++ {
		got, err := squareOf(picturetest.TurnedJPEG(img, o), 16)
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

// TestTreatments: what is done to pictures is said in one note, with numbers.
func TestTreatments(t *testing.T) {
	plain := picturetest.Paint(6, 6, func(x, y int) color.Color { return color.NRGBA{200, uint8(x), uint8(y), 255} })
	deep := image.NewRGBA64(image.Rect(0, 0, 6, 6))
	for i := range deep.Pix {
		deep.Pix[i] = 255
	}
	animated := picturetest.WithChunk(picturetest.PNG(plain), "acTL", "\x00\x00\x00\x03\x00\x00\x00\x00", "IDAT")
	still := picturetest.WithChunk(picturetest.PNG(plain), "acTL", "\x00\x00\x00\x01\x00\x00\x00\x00", "IDAT")
	dir := layFiles(t, map[string][]byte{
		"a/1.png": picturetest.PNG(plain),
		"a/2.png": picturetest.TurnedPNG(plain, 3, "IDAT"),
		"a/3.jpg": picturetest.TurnedJPEG(plain, 6),
		"a/4.png": picturetest.PNG(deep),
		"a/5.png": animated,
		"a/6.png": still,
		"a/7.png": picturetest.PNG(picturetest.Paint(6, 6, func(x, _ int) color.Color { return color.NRGBA{9, 9, 9, uint8(x)} })),
		"a/8.jpg": picturetest.WithSegment(picturetest.JPEG(plain), 0xe2, "ICC_PROFILE\x00\x01\x01 Display P3"),
		"a/9.jpg": picturetest.WithSegment(picturetest.JPEG(plain), 0xe2, "ICC_PROFILE\x00\x01\x01 s\x00R\x00G\x00B\x00"),
	})
	im, err := openTestFolder(dir, 4)
	if err != nil {
		t.Fatal(err)
	}
	want := dir + ": of 9 pictures 2 are set upright, as their EXIF says; 1 is transparent in parts, which become white; " +
		"1 has 16 bits a colour, of which 8 are taken; 1 is animated or has pages, and its first picture is taken; 1 has a colour profile, which is not applied"
	if len(im.Warnings) != 1 || im.Warnings[0] != want {
		t.Errorf("%q\nwant %q", im.Warnings, want)
	}
	if s := openDensity(t, animated); len(s.Notes()) == 0 || !strings.Contains(s.Notes()[0], "a.png is animated or has pages, and its first picture is taken") {
		t.Errorf("%q", s.Notes())
	}
}

func openDensity(t *testing.T, file []byte) *plane.Set {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.png")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := plane.Open("image:" + path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
