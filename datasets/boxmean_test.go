package datasets

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"testing"

	"golang.org/x/image/draw"
)

// TestBoxedIsCloseToFine compares with the fine scaling alone, over every kind of
// JPEG: on a smooth picture nothing may move or change its colour.
func TestBoxedIsCloseToFine(t *testing.T) {
	wave := func(x, y int, f float64) uint8 {
		return uint8(127.5 + 120*math.Sin(f*float64(x)/100)*math.Cos(f*float64(y)/130))
	}
	const size = 24
	for _, r := range []image.Rectangle{image.Rect(0, 0, 701, 555), image.Rect(0, 0, 555, 701)} {
		crop := image.Rect(0, 0, 555, 555).Add(image.Pt((r.Dx()-555)/2, (r.Dy()-555)/2))
		grey := image.NewGray(r)
		for y := range r.Dy() {
			for x := range r.Dx() {
				grey.SetGray(x, y, color.Gray{wave(x, y, 1)})
			}
		}
		pictures := map[string]image.Image{"grey": grey}
		for _, ratio := range []image.YCbCrSubsampleRatio{image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio422,
			image.YCbCrSubsampleRatio420, image.YCbCrSubsampleRatio440, image.YCbCrSubsampleRatio411} {
			img := image.NewYCbCr(r, ratio)
			for y := range r.Dy() {
				for x := range r.Dx() {
					img.Y[img.YOffset(x, y)] = wave(x, y, 1)
					img.Cb[img.COffset(x, y)], img.Cr[img.COffset(x, y)] = 100+wave(x, y, 1.5)/4, 100+wave(x, y, 0.7)/4
				}
			}
			pictures[ratio.String()] = img
		}
		for name, img := range pictures {
			got := make([]uint8, 3*size*size)
			square(got, img, 1, size)
			want := image.NewRGBA(image.Rect(0, 0, size, size))
			draw.CatmullRom.Scale(want, want.Rect, img, crop, draw.Src, nil)
			worst := 0.0
			for i := range size * size {
				for ch := range 3 {
					worst = max(worst, math.Abs(float64(got[ch*size*size+i])-float64(want.Pix[4*i+ch])))
				}
			}
			// 3 of 555 pixels are lost and 1 by rounding to even: at a rim 2/23 of a pixel of the
			// result, where its brightness changes by up to 120/100 x 555/24 = 28 a pixel.
			if worst > 4 {
				t.Errorf("%s, %v: a pixel differs by %.0f", name, r, worst)
			}
		}
	}
}

func TestBoxMeans(t *testing.T) {
	src := []uint8{
		1, 2, 10, 20, 99,
		3, 5, 30, 41, 99,
		0, 0, 255, 255, 99,
		0, 1, 255, 255, 99,
	}
	dst := make([]uint8, 4)
	boxMeans(dst, 2, 2, src, 5, 2)
	if want := []uint8{3, 25, 0, 255}; !bytes.Equal(dst, want) { // 11/4, 101/4, 1/4
		t.Errorf("%v, want %v", dst, want)
	}
}

// TestBoxedAtEverySize has squares whose rims fall everywhere, and a crop that is
// not at the corner: no index may leave the planes.
func TestBoxedAtEverySize(t *testing.T) {
	for w := 96; w < 140; w += 3 {
		for h := 96; h < 140; h += 5 {
			img := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)
			fill(img.Y, 200)
			fill(img.Cb, 128)
			fill(img.Cr, 128)
			for _, size := range []int{1, 3, 7, 16} {
				got := make([]uint8, 3*size*size)
				square(got, img, 1, size)
				for _, v := range got {
					if v != 200 {
						t.Fatalf("%dx%d to %d: a pixel is %d", w, h, size, v)
					}
				}
			}
		}
	}
}

// BenchmarkSquare reads a photograph as phones take them.
func BenchmarkSquare(b *testing.B) {
	img := image.NewYCbCr(image.Rect(0, 0, 4000, 3000), image.YCbCrSubsampleRatio420)
	for i := range img.Y {
		img.Y[i] = uint8(i * i >> 9)
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, img, nil); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := squareOf(file.Bytes(), 64); err != nil {
			b.Fatal(err)
		}
	}
}
