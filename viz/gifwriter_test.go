package viz

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"math/rand/v2"
	"testing"
)

// replay decodes a clip with Go's own reader and gives what a viewer shows after
// each frame.
func replay(t *testing.T, file []byte) (*gif.GIF, []*image.RGBA) {
	t.Helper()
	g, err := gif.DecodeAll(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	screen := image.NewRGBA(image.Rect(0, 0, g.Config.Width, g.Config.Height))
	var shown []*image.RGBA
	for _, frame := range g.Image {
		draw.Draw(screen, frame.Rect, frame, frame.Rect.Min, draw.Over)
		copied := image.NewRGBA(screen.Rect)
		copy(copied.Pix, screen.Pix)
		shown = append(shown, copied)
	}
	return g, shown
}

func TestGIFShowsItsFrames(t *testing.T) {
	for _, colours := range []int{3, 4, 5, 64, 65, 256} {
		palette := color.Palette{color.RGBA{}}
		for i := 1; i < colours; i++ {
			palette = append(palette, color.RGBA{uint8(i), uint8(255 - i), uint8(i * 7), 255})
		}
		rng := rand.New(rand.NewPCG(1, uint64(colours)))
		frame := image.NewPaletted(image.Rect(0, 0, 37, 23), palette)
		for i := range frame.Pix {
			frame.Pix[i] = uint8(1 + rng.IntN(colours-1))
		}
		var file bytes.Buffer
		g, err := newGIF(&file, frame.Rect.Size(), palette)
		if err != nil {
			t.Fatal(err)
		}
		var want [][]uint8
		var areas []image.Rectangle
		for k := range 6 {
			if err := g.add(frame, 5+k); err != nil {
				t.Fatal(err)
			}
			want = append(want, bytes.Clone(frame.Pix))
			// The next frame differs in a rectangle; the fourth not at all.
			area := image.Rect(k, 2*k, 20+k, 10+k)
			if k == 2 {
				area = image.Rectangle{}
			}
			for y := area.Min.Y; y < area.Max.Y; y++ {
				for x := area.Min.X; x < area.Max.X; x++ {
					frame.Pix[y*37+x] = uint8(1 + rng.IntN(colours-1))
				}
			}
			areas = append(areas, area)
		}
		if err := g.close(); err != nil {
			t.Fatal(err)
		}
		decoded, shown := replay(t, file.Bytes())
		if len(shown) != 6 || decoded.LoopCount != 0 {
			t.Fatalf("%d colours: %d frames, loop count %d", colours, len(shown), decoded.LoopCount)
		}
		for k := range shown {
			for i, p := range want[k] {
				if got := shown[k].RGBAAt(i%37, i/37); got != palette[p] {
					t.Fatalf("%d colours, frame %d, pixel %d: %v, want %v", colours, k, i, got, palette[p])
				}
			}
			if decoded.Delay[k] != 5+k {
				t.Errorf("frame %d stays %d hundredths", k, decoded.Delay[k])
			}
			if k > 0 && k != 3 && !decoded.Image[k].Rect.In(areas[k-1]) {
				t.Errorf("frame %d covers %v, changed was %v", k, decoded.Image[k].Rect, areas[k-1])
			}
		}
		if got := decoded.Image[3].Rect.Size(); got != image.Pt(1, 1) {
			t.Errorf("an equal frame covers %v", got)
		}
	}
}

// brokenWriter fails after so many bytes.
type brokenWriter struct{ left int }

var errFull = errors.New("no space left")

func (w *brokenWriter) Write(p []byte) (int, error) {
	if len(p) > w.left {
		return 0, errFull
	}
	w.left -= len(p)
	return len(p), nil
}

func TestGIFReportsWriteErrors(t *testing.T) {
	frame := image.NewPaletted(image.Rect(0, 0, 200, 200), greyPalette())
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range frame.Pix {
		frame.Pix[i] = uint8(1 + rng.IntN(63))
	}
	for _, room := range []int{0, 5000} {
		g, err := newGIF(&brokenWriter{room}, frame.Rect.Size(), frame.Palette)
		if err != nil {
			t.Fatal(err)
		}
		err = g.add(frame, 5)
		if err == nil {
			err = g.close()
		}
		if err != errFull {
			t.Errorf("%d bytes of room: error %v", room, err)
		}
	}
}

func TestMedianCut(t *testing.T) {
	var pixels []rgb
	for i := range 100 {
		for range 1 + i%7 {
			pixels = append(pixels, rgb{uint8(i), uint8(2 * i), uint8(255 - i)})
		}
	}
	// Enough room: every colour is kept as it is.
	found := map[rgb]bool{}
	for _, c := range medianCut(pixels, 247) {
		found[c] = true
	}
	if len(found) != 100 {
		t.Errorf("%d of 100 colours", len(found))
	}
	for i := range 100 {
		if !found[rgb{uint8(i), uint8(2 * i), uint8(255 - i)}] {
			t.Errorf("colour %d is lost", i)
		}
	}
	// Too little: no colour is further than half a box from its stand-in. 100 steps
	// over 20 boxes are about 5 a box.
	few := medianCut(pixels, 20)
	if len(few) != 20 {
		t.Errorf("%d colours of 20", len(few))
	}
	for _, p := range pixels {
		nearest := 1 << 30
		for _, c := range few {
			nearest = min(nearest, distance(p, c))
		}
		if nearest > distance(rgb{}, rgb{8, 16, 8}) {
			t.Errorf("%v is far from every colour", p)
		}
	}
	if got := medianCut(nil, 10); got != nil {
		t.Errorf("of nothing: %v", got)
	}
}
