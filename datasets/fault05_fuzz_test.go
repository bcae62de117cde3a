package datasets

import (
	"bytes"
	"image/color"
	"os"
	"path/filepath"
	"testing"

	"github.com/wangkuiyi/gotorch/faulttest"

	"flowmatch/datasets/picture"
	"flowmatch/datasets/picture/picturetest"
)

func FuzzIDX(f *testing.F) {
	plain := idxFile(somePixels(2), 2, 28, 28)
	bomb := gzipped(append(idxFile(nil, 100_000, 28, 28), make([]byte, 100_000*784)...))
	faulttest.Seeds(f, plain, gzipped(plain), plain[:20], []byte{0x1f, 0x8b, 8, 0}, idxFile([]byte{1, 2, 3}, 3), bomb)
	f.Fuzz(func(t *testing.T, file []byte) {
		faulttest.Within(t, len(file), 0, func() {
			data, _, err := parseIDX(bytes.NewReader(file), int64(len(file)), idxImages, []int{28, 28})
			if err == nil && (len(data) == 0 || len(data)%784 != 0) {
				t.Errorf("%d pixels", len(data))
			}
		})
		faulttest.Within(t, len(file), 0, func() {
			if data, _, err := parseIDX(bytes.NewReader(file), int64(len(file)), idxLabels, nil); err == nil && len(data) == 0 {
				t.Error("no labels and no error")
			}
		})
	})
}

func FuzzCIFAR(f *testing.F) {
	faulttest.Seeds(f, cifarFile(3, 9), cifarFile(3)[:100], cifarFile(10))
	f.Fuzz(func(t *testing.T, file []byte) {
		faulttest.Within(t, len(file), 0, func() {
			im := &Images{Info: Info{Shape: []int{3, 32, 32}, Levels: 256, ClassNames: cifar10Set.info.ClassNames}}
			err := cifar10Record.parse(bytes.NewReader(file), int64(len(file)), im)
			if err == nil && (im.Len() == 0 || im.Len()*3073 != len(file)) || err != nil && im.Len() > 0 {
				t.Errorf("%d images of %d bytes, error %v", im.Len(), len(file), err)
			}
			if fault := im.check(); err == nil && fault != "" {
				t.Error(fault)
			}
		})
	})
}

func FuzzPicture(f *testing.F) {
	img := picturetest.Paint(5, 4, func(x, y int) color.Color { return color.NRGBA{uint8(x * 50), uint8(y * 60), 3, uint8(255 - x)} })
	for _, name := range []string{
		"alpha.webp", "lossless.webp", "turned.webp", "animated-alpha.webp", "frame.webp", "animated.gif", "frame.gif", "palette.bmp", "plain.bmp",
		"turned.tif", "pages.tif", "fax.tif", "alpha.tif", "grey16.tif",
	} {
		file, err := os.ReadFile(filepath.Join("picture", "testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		faulttest.Seeds(f, file)
	}
	faulttest.Seeds(f,
		picturetest.PNG(img), picturetest.JPEG(img), picturetest.WithHead(1<<13, 1<<13), picturetest.TurnedJPEG(img, 6), picturetest.TurnedPNG(img, 5, "IEND"),
		picturetest.WithChunk(picturetest.PNG(img), "iCCP", "ICC\x00\x00"+picturetest.Zlibbed("desc"), "IDAT"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if len(file) > 1<<16 {
			return
		}
		pixels := int64(0)
		if p, err := picture.ReadHead(bytes.NewReader(file), int64(len(file))); err == nil {
			pixels = p.Pixels()
		}
		faulttest.Within(t, len(file), pixels, func() { _, _ = squareOf(file, 4) }) // must return
	})
}
