package datasets

import (
	"bytes"
	"context"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wangkuiyi/gotorch/faulttest"

	"flowmatch/datasets/picture/picturetest"
)

// Files of images, of labels, plain and gzipped: each cut must be refused in words, none may crash.
func TestIDXCut(t *testing.T) {
	images, labels := idxFile(somePixels(2), 2, 28, 28), idxFile(bytes.Repeat([]byte{3, 1, 4}, 300), 900)
	tried := 0
	for name, c := range map[string]struct {
		whole []byte
		part  idxPart
		item  []int
	}{
		"images":         {images, idxImages, []int{28, 28}},
		"gzipped images": {gzipped(images), idxImages, []int{28, 28}},
		"labels":         {labels, idxLabels, nil},
	} {
		for n := range faulttest.Lengths(len(c.whole)) {
			if data, _, err := parseIDX(bytes.NewReader(c.whole[:n]), int64(n), c.part, c.item); err == nil {
				t.Errorf("%s cut to %d bytes gave %d bytes", name, n, len(data))
			}
			tried++
		}
		if _, _, err := parseIDX(bytes.NewReader(c.whole), int64(len(c.whole)), c.part, c.item); err != nil {
			t.Errorf("%s, whole: %v", name, err)
		}
	}
	faulttest.Report(t, "14", tried)
}

// Of a batch of CIFAR only whole records pass. The part that was read before a fault
// leaves no trace.
func TestCIFARCut(t *testing.T) {
	whole := cifarFile(0, 1, 2, 3, 4)
	tried := 0
	for n := range faulttest.Lengths(len(whole)) {
		im := &Images{Info: Info{Shape: []int{3, 32, 32}}}
		err := cifar10Record.parse(bytes.NewReader(whole[:n]), int64(n), im)
		if good := n > 0 && n%3073 == 0; (err == nil) != good || !good && im.Len()+len(im.Labels) > 0 {
			t.Errorf("cut to %d bytes: %d images, error %v", n, im.Len(), err)
		}
		// The same, but the file shrinks only while it is read.
		err = cifar10Record.parse(bytes.NewReader(whole[:n]), int64(len(whole)), im)
		if err == nil || !strings.Contains(err.Error(), "it was changed while it was read") || im.Len()+len(im.Labels) > 0 && n%3073 != 0 {
			t.Errorf("shrunk to %d bytes: %d images, error %v", n, im.Len(), err)
		}
		tried += 2
	}
	faulttest.Report(t, "14", tried)
}

// Pictures may not crash or pass as whole. (A PNG's last chunk, of 12 bytes, is not
// missed by Go's decoder, nor a JPEG's end.)
func TestSquareCut(t *testing.T) {
	img := picturetest.Paint(64, 48, func(x, y int) color.Color { return color.NRGBA{uint8(x * y), uint8(x + y), uint8(x ^ y), 255} })
	tried := 0
	for kind, file := range map[string][]byte{"png": picturetest.PNG(img), "jpeg": picturetest.JPEG(img), "turned jpeg": picturetest.TurnedJPEG(img, 6)} {
		for n := range faulttest.Lengths(len(file)) {
			if _, err := squareOf(file[:n], 8); err == nil && n < len(file)-16 {
				t.Errorf("%s cut to %d of %d bytes passed", kind, n, len(file))
			}
			tried++
		}
	}
	faulttest.Report(t, "14", tried)
}

// Of an archive that is cut short no member gets its name but what was whole.
func TestArchiveCut(t *testing.T) {
	batch := cifarFile(1, 2)
	archive := tarred(t, plainFile("in/a.bin", batch), plainFile("in/b.bin", batch))
	dir := t.TempDir()
	members := []member{{name: "a.bin", size: int64(len(batch))}, {name: "b.bin", size: int64(len(batch))}}
	for n := range faulttest.Lengths(len(archive)) {
		if err := unpackFrom(context.Background(), bytes.NewReader(archive[:n]), "in", dir, members); err == nil && n < len(archive)-16 { // the packing's end, behind the archive's
			t.Errorf("cut to %d of %d bytes passed", n, len(archive))
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, batch) {
				t.Errorf("cut to %d bytes: %s is not whole, %v", n, e.Name(), err)
			}
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
	}
	faulttest.Report(t, "14", 512)
}
