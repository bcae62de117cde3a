package datasets

import (
	"bytes"
	"image"
	"image/color"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"flowmatch/datasets/picture"
	"flowmatch/datasets/picture/picturetest"
)

func squareOf(file []byte, size int) ([]uint8, error) {
	dst := make([]uint8, 3*size*size)
	_, err := squareFrom(bytes.NewReader(file), int64(len(file)), size, newPixelGate(), dst)
	return dst, err
}

func TestSquareKeepsPixels(t *testing.T) {
	at := func(x, y int) color.Color { return color.NRGBA{uint8(x * 30), uint8(y * 30), uint8(x * y), 255} }
	got, err := squareOf(picturetest.PNG(picturetest.Paint(8, 8, at)), 8)
	if err != nil {
		t.Fatal(err)
	}
	for y := range 8 {
		for x := range 8 {
			i := 8*y + x
			if got[i] != uint8(x*30) || got[64+i] != uint8(y*30) || got[128+i] != uint8(x*y) {
				t.Fatalf("pixel %d,%d is %d %d %d", x, y, got[i], got[64+i], got[128+i])
			}
		}
	}
}

// TestSquareCrops has red where nothing may be seen.
func TestSquareCrops(t *testing.T) {
	red, blue := color.NRGBA{255, 0, 0, 255}, color.NRGBA{0, 0, 255, 255}
	for name, c := range map[string]struct {
		w, h   int
		inside func(x, y int) bool
	}{
		"wide": {90, 30, func(x, _ int) bool { return x >= 30 && x < 60 }},
		"tall": {30, 90, func(_, y int) bool { return y >= 30 && y < 60 }},
	} {
		got, err := squareOf(picturetest.PNG(picturetest.Paint(c.w, c.h, func(x, y int) color.Color {
			if c.inside(x, y) {
				return blue
			}
			return red
		})), 10)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			if got[i] != 0 || got[200+i] != 255 {
				t.Fatalf("%s: pixel %d is %d %d %d", name, i, got[i], got[100+i], got[200+i])
			}
		}
	}
}

// TestSquareFiltersBeforeShrinking: stripes of one pixel become their mean, not a
// pattern. Taking every 8th or 9th pixel would give 0 and 255.
func TestSquareFiltersBeforeShrinking(t *testing.T) {
	stripes := picturetest.Paint(140, 140, func(x, _ int) color.Color { return color.Gray{uint8(x % 2 * 255)} })
	got, err := squareOf(picturetest.PNG(stripes), 16)
	if err != nil {
		t.Fatal(err)
	}
	for y := range 16 {
		for x := 1; x < 15; x++ { // the rim sees half a kernel
			if v := float64(got[16*y+x]); math.Abs(v-127.5) > 4 {
				t.Fatalf("pixel %d,%d is %v, want 127 or 128", x, y, v)
			}
		}
	}
}

func TestSquareColours(t *testing.T) {
	// Every kind of pixel that PNG has, as the colour that people see.
	for name, c := range map[string]struct {
		at   func() image.Image
		want [3]uint8
	}{
		"grey":            {func() image.Image { g := image.NewGray(image.Rect(0, 0, 9, 9)); fill(g.Pix, 77); return g }, [3]uint8{77, 77, 77}},
		"grey of 16 bits": {func() image.Image { g := image.NewGray16(image.Rect(0, 0, 9, 9)); fill(g.Pix, 77); return g }, [3]uint8{77, 77, 77}},
		"transparent": {func() image.Image {
			return picturetest.Paint(9, 9, func(_, _ int) color.Color { return color.NRGBA{9, 9, 9, 0} })
		}, [3]uint8{255, 255, 255}},
		"half transparent": {func() image.Image {
			return picturetest.Paint(9, 9, func(_, _ int) color.Color { return color.NRGBA{0, 0, 100, 128} })
		}, [3]uint8{127, 127, 177}},
		"palette": {func() image.Image {
			return image.NewPaletted(image.Rect(0, 0, 9, 9), color.Palette{color.RGBA{1, 2, 3, 255}, color.White})
		}, [3]uint8{1, 2, 3}},
	} {
		got, err := squareOf(picturetest.PNG(c.at()), 4)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for ch := range 3 {
			for i := range 16 {
				if d := int(got[16*ch+i]) - int(c.want[ch]); d < -1 || d > 1 { // rounding twice
					t.Fatalf("%s: channel %d is %d, want %d", name, ch, got[16*ch+i], c.want[ch])
				}
			}
		}
	}
	// JPEG, in colour and grey.
	for name, img := range map[string]image.Image{
		"colour": picturetest.Paint(40, 40, func(_, _ int) color.Color { return color.NRGBA{200, 100, 50, 255} }),
		"grey":   func() image.Image { g := image.NewGray(image.Rect(0, 0, 40, 40)); fill(g.Pix, 90); return g }(),
	} {
		got, err := squareOf(picturetest.JPEG(img), 8)
		if err != nil {
			t.Fatal(err)
		}
		r, _, _, _ := img.At(0, 0).RGBA()
		if d := int(got[0]) - int(r>>8); d < -3 || d > 3 { // JPEG's own loss
			t.Errorf("jpeg, %s: %d, want %d", name, got[0], r>>8)
		}
	}
}

func fill(p []uint8, v uint8) {
	for i := range p {
		p[i] = v
	}
}

func TestSquareFaults(t *testing.T) {
	good := picturetest.PNG(picturetest.Paint(50, 50, func(x, y int) color.Color { return color.NRGBA{uint8(x * y), uint8(x), uint8(y * 5), 255} }))
	flipped := bytes.Clone(good)
	flipped[len(good)/2] ^= 1
	for name, c := range map[string]struct {
		file []byte
		says string
	}{
		"empty":        {nil, "empty"},
		"text":         {[]byte("hello"), "not a picture"},
		"gif":          {append([]byte("GIF89a\x00\x10\x00\x10\x00\x00\x00"), 0, 0, 0), "it claims 4096x4096 pixels"},
		"cut":          {good[:len(good)/2], "not enough pixel data"},
		"cut jpeg":     {picturetest.JPEG(picturetest.Paint(50, 50, func(x, y int) color.Color { return color.Gray{uint8(x * y)} }))[:400], "unexpected EOF"},
		"only a start": {good[:16], "EOF"},
		"flipped":      {flipped, "png: invalid format"},
		"65 megapixel": {picturetest.WithHead(1<<13, 1<<13+1), "8192x8193 pixels: at most 64 million"},
		"huge":         {picturetest.WithHead(1<<30, 1<<30), "dimension overflow"},
		"bomb":         {picturetest.WithHead(1<<13, 1<<13), "which 74 bytes cannot hold"},
		"nothing wide": {picturetest.WithHead(0, 9), "png: invalid format"},
	} {
		_, err := squareOf(c.file, 8)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want one on %q", name, err, c.says)
		}
	}
}

// TestKindsMost: the largest blank pictures stay below the bound on what so many
// bytes can hold.
func TestKindsMost(t *testing.T) {
	size := image.Rect(0, 0, 1200, 1200)
	for name, img := range map[string]image.Image{
		"grey":     image.NewGray(size),
		"palette":  image.NewPaletted(size, color.Palette{color.White, color.Black}),
		"colour":   func() image.Image { c := image.NewRGBA(size); fill(c.Pix, 255); return c }(),
		"see-thru": image.NewNRGBA(size),
	} {
		for kind, file := range map[string][]byte{"png": picturetest.PNG(img), "jpeg": picturetest.JPEG(img)} {
			if _, err := squareOf(file, 4); err != nil {
				t.Errorf("a blank %s %s of %d bytes: %v", name, kind, len(file), err)
			}
		}
	}
}

func TestPixelGate(t *testing.T) {
	gate := newPixelGate()
	var inside, most atomic.Int64
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			gate.enter(picture.Largest / 3)
			n := inside.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			for end := time.Now().Add(time.Minute); most.Load() < 3 && time.Now().Before(end); {
				time.Sleep(time.Millisecond)
			}
			time.Sleep(time.Millisecond) // for a fourth one
			inside.Add(-1)
			gate.leave(picture.Largest / 3)
		})
	}
	wg.Wait()
	if most.Load() != 3 {
		t.Errorf("%d were inside at once, want 3", most.Load())
	}
	gate.enter(picture.Largest) // alone, the largest may
	gate.leave(picture.Largest)
}
