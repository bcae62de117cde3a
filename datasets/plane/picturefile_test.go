package plane

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flowmatch/datasets/set"
)

func writeFile(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func pngOf(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestPictureDensity: of a picture with two dark pixels, one twice as dark, points fall
// where they should, as often as they should, and spread by half a pixel.
func TestPictureDensity(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 21, 11))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	img.Set(2, 1, color.Gray{Y: 255 - 200})
	img.Set(18, 9, color.Gray{Y: 255 - 100})
	img.Set(10, 5, color.NRGBA{})      // transparent is white
	img.Set(10, 6, color.Gray{Y: 252}) // and so is nearly white
	name := "image:" + writeFile(t, "two.png", pngOf(t, img))
	s := open2D(t, name)
	if s.Name != name || !s.Is2D() || len(s.Notes()) != 1 || !strings.Contains(s.Notes()[0], "transparent in parts, which become white") {
		t.Errorf("%+v, notes %q", s.Info, s.Notes())
	}
	// The longer side spans [-4,4] by 21 centres: 0.4 a pixel, and the shorter [-2,2].
	const pitch = 0.4
	first, second := [2]float64{-4 + 2*pitch, 2 - 1*pitch}, [2]float64{-4 + 18*pitch, 2 - 9*pitch}
	const n = 90_000
	points := sampled(t, name, n, 1)
	var inFirst, spread float64
	for i := 0; i < len(points); i += 2 {
		x, y := float64(points[i]), float64(points[i+1])
		at := second
		if x < 0 {
			at = first
			inFirst++
		}
		spread += ((x-at[0])*(x-at[0]) + (y-at[1])*(y-at[1])) / (2 * n)
	}
	if math.Abs(inFirst-n*2/3) > 5*math.Sqrt(n*2/9) {
		t.Errorf("%v of %v points on the darker pixel, want two thirds", inFirst, n)
	}
	if got := math.Sqrt(spread); math.Abs(got-pitch/2) > 0.002 {
		t.Errorf("a spread of %v, want %v", got, pitch/2)
	}
	peak := 2.0 / 3 / (2 * math.Pi * pitch * pitch / 4)
	if l, _ := s.LogDensity(first[0], first[1]); math.Abs(math.Exp(l)/peak-1) > 1e-6 {
		t.Errorf("density %v at the darker pixel, want %v", math.Exp(l), peak)
	}
	// Two Gaussians far apart: the entropy of one, and of the choice.
	choice := math.Log(3) - 2.0/3*math.Ln2
	want := choice + math.Log(2*math.Pi*math.E*pitch*pitch/4)
	if got, _ := s.Entropy(); math.Abs(got-want) > 1e-5 {
		t.Errorf("entropy %v, want %v", got, want)
	}
}

func TestPictureKinds(t *testing.T) {
	gray := image.NewGray(image.Rect(0, 0, 64, 64))
	for i := range gray.Pix {
		gray.Pix[i] = 255
	}
	for y := 20; y < 40; y++ {
		for x := 40; x < 60; x++ {
			gray.SetGray(x, y, color.Gray{})
		}
	}
	var jpg bytes.Buffer
	if err := jpeg.Encode(&jpg, gray, nil); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{writeFile(t, "a.png", pngOf(t, gray)), writeFile(t, "a.jpg", jpg.Bytes())} {
		mean, _ := moments(sampled(t, "image:"+path, 20_000, 1))
		// The middle of the square: column 49.5 and row 29.5 of 0..63.
		if math.Abs(mean[0]-(49.5/63*8-4)) > 0.03 || math.Abs(mean[1]-(4-29.5/63*8)) > 0.03 {
			t.Errorf("%s: middle %v", path, mean)
		}
	}
	for i := range gray.Pix {
		gray.Pix[i] = 255 - gray.Pix[i]
	}
	s := open2D(t, "image:"+writeFile(t, "b.png", pngOf(t, gray)))
	if n := s.Notes(); len(n) != 1 || !strings.Contains(n[0], "invert it") {
		t.Errorf("notes on a dark picture: %q", n)
	}
	one := image.NewGray(image.Rect(0, 0, 1, 1))
	mean, _ := moments(sampled(t, "image:"+writeFile(t, "one.png", pngOf(t, one)), 10_000, 1))
	if math.Hypot(mean[0], mean[1]) > 0.3 {
		t.Errorf("a picture of one pixel has its middle at %v", mean)
	}
}

// TestPictureLarge: a picture of more pixels than a density has is averaged, and stays
// where it is.
func TestPictureLarge(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 2050, 1500))
	for y := range 1500 {
		for x := range 2050 {
			img.SetGray(x, y, color.Gray{Y: 255})
			if x >= 1025 && y < 750 && (x+y)%2 == 0 {
				img.SetGray(x, y, color.Gray{})
			}
		}
	}
	s := open2D(t, "image:"+writeFile(t, "large.png", pngOf(t, img)))
	mean, _ := moments(sampled(t, s.Name, 20_000, 1))
	if math.Abs(mean[0]-2) > 0.05 || math.Abs(mean[1]-4*1500.0/2050/2) > 0.05 {
		t.Errorf("middle %v, want the upper right quarter's", mean)
	}
	// Evenly 4 by 2.93 once averaged.
	want := math.Log(4 * 4 * 1500.0 / 2050)
	if got, _ := s.Entropy(); math.Abs(got-want) > 0.02 {
		t.Errorf("entropy %v, want %v", got, want)
	}
}

func TestPictureFaults(t *testing.T) {
	white := image.NewGray(image.Rect(0, 0, 5, 5))
	for i := range white.Pix {
		white.Pix[i] = 255
	}
	good := pngOf(t, white)
	huge := bytes.Clone(good) // a head that promises 60,000 x 60,000
	binary.BigEndian.PutUint32(huge[16:], 60_000)
	binary.BigEndian.PutUint32(huge[20:], 60_000)
	binary.BigEndian.PutUint32(huge[29:], crc32.ChecksumIEEE(huge[12:29]))
	claim := bytes.Clone(good) // one that so few bytes cannot keep
	binary.BigEndian.PutUint32(claim[16:], 8000)
	binary.BigEndian.PutUint32(claim[20:], 8000)
	binary.BigEndian.PutUint32(claim[29:], crc32.ChecksumIEEE(claim[12:29]))
	deep := bytes.Clone(claim) // of 8 bytes a pixel
	deep[24], deep[25] = 16, 6
	binary.BigEndian.PutUint32(deep[29:], crc32.ChecksumIEEE(deep[12:29]))
	deep = append(deep, make([]byte, 200_000)...) // which could hold so many
	dir := t.TempDir()
	for _, c := range []struct{ path, want string }{
		{writeFile(t, "claim.png", claim), "cannot hold; replace it"},
		{writeFile(t, "deep.png", deep), "8000x8000 pixels of 8 bytes; save it with 8 bits a colour"},
		{filepath.Join(dir, "none.png"), "not found; check the path"},
		{dir, "a folder; name a file in it"},
		{writeFile(t, "white.png", good), "all white"},
		{writeFile(t, "cut.png", good[:len(good)-20]), "replace it with an intact copy"},
		{writeFile(t, "huge.png", huge), "60000x60000 pixels: at most 64 million are read; make it smaller"},
		{writeFile(t, "text.png", []byte("no picture at all")), "save it as PNG or JPEG"},
		{writeFile(t, "empty.png", nil), "save it as PNG or JPEG"},
	} {
		_, err := Open("image:" + c.path)
		var fault *set.FileError
		if !errors.As(err, &fault) || !strings.Contains(err.Error(), c.want) || fault.File != c.path || fault.Remedy == "" {
			t.Errorf("%s: %v\nwant %s", c.path, err, c.want)
		}
	}
}
