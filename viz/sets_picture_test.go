package viz_test

import (
	"bytes"
	"flag"
	"image"
	"image/png"
	"os"
	"strings"
	"testing"

	"flowmatch/datasets"
	"flowmatch/datasets/plane"
	"flowmatch/viz"
)

var update = flag.Bool("update", false, "write testdata/sets.png anew")

// TestSetsPicture keeps testdata/sets.png, the README's picture of every set of points,
// as the sets are. After a set was added: go test ./viz -run SetsPicture -update
func TestSetsPicture(t *testing.T) {
	const path, points, largest = "testdata/sets.png", 400_000, 300_000
	var panels []viz.SetPanel
	for _, name := range datasets.Names() {
		info, err := datasets.Lookup(name)
		if err != nil || !info.Is2D() || strings.Contains(name, ":") {
			continue
		}
		set, err := plane.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		x := make([]float32, 2*points)
		set.Sample(x, 1, 0)
		h := viz.NewHist2D(160, viz.Range(set.PlotRange()))
		h.Add(x)
		panels = append(panels, viz.SetPanel{Title: name, Hist: h})
	}
	if len(panels) < 10 {
		t.Fatalf("%d sets", len(panels))
	}
	img, err := viz.Sets(panels, viz.SetsConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		var file bytes.Buffer
		e := png.Encoder{CompressionLevel: png.BestCompression}
		if err := e.Encode(&file, img); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, file.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > largest {
		t.Errorf("%s has %d bytes, more than %d", path, len(data), largest)
	}
	kept, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if n := different(img, kept); n != 0 {
		t.Errorf("%s is not what the sets look like: %d pixels differ; -update writes it anew", path, n)
	}
}

// different counts the pixels that are not equal.
func different(a, b image.Image) (n int) {
	if a.Bounds() != b.Bounds() {
		return a.Bounds().Dx() * a.Bounds().Dy()
	}
	r := a.Bounds()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			ar, ag, ab, _ := a.At(x, y).RGBA()
			br, bg, bb, _ := b.At(x, y).RGBA()
			if ar != br || ag != bg || ab != bb {
				n++
			}
		}
	}
	return n
}
