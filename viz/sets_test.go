package viz

import (
	"errors"
	"image"
	"image/color"
	"iter"
	"strings"
	"testing"
)

// cluster is n points in the square of the given side around (x,y), on a fine grid.
func cluster(n int, x, y, side float64) []float32 {
	var points []float32
	for i := range n {
		for j := range n {
			points = append(points,
				float32(x+(float64(i)+0.5)/float64(n)*side-side/2),
				float32(y+(float64(j)+0.5)/float64(n)*side-side/2))
		}
	}
	return points
}

func seq(frames ...Frame) iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) {
		for _, f := range frames {
			if !yield(f, nil) {
				return
			}
		}
	}
}

// bright tells the middle of the pixels of viridis' last colour within an area.
func bright(img image.Image, area image.Rectangle) (x, y float64, n int) {
	want := viridis[255]
	for j := area.Min.Y; j < area.Max.Y; j++ {
		for i := area.Min.X; i < area.Max.X; i++ {
			if color.RGBAModel.Convert(img.At(i, j)) == want {
				x, y, n = x+float64(i)+0.5, y+float64(j)+0.5, n+1
			}
		}
	}
	return x / float64(n), y / float64(n), n
}

func TestEvolution(t *testing.T) {
	r := Range{-1, 1, -1, 1}
	x := cluster(40, 0.5, 0.5, 0.2)
	frames := func(yield func(Frame, error) bool) {
		if !yield(Frame{T: 0, X: x}, nil) {
			return
		}
		copy(x, cluster(40, -0.5, -0.5, 0.2)) // the buffer is used again
		yield(Frame{T: 1, X: x}, nil)
	}
	img, err := Evolution(frames, EvolutionConfig{Range: r, Bins: 100})
	if err != nil {
		t.Fatal(err)
	}
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	if w != 2*100+3*panelGap {
		t.Errorf("width %d", w)
	}
	// 0.5, 0.5 lies at three quarters of the way and up, -0.5, -0.5 at one quarter.
	for k, want := range [][2]float64{{75, 25}, {25, 75}} {
		area := image.Rect(panelGap+k*(100+panelGap), 0, panelGap+k*(100+panelGap)+100, h)
		cx, cy, n := bright(img, area)
		top := float64(h - panelGap - 100)
		if n != 100 || abs(cx-float64(area.Min.X)-want[0]) > 0.6 || abs(cy-top-want[1]) > 0.6 {
			t.Errorf("panel %d: %d bright pixels around %.1f, %.1f; want %v", k, n, cx-float64(area.Min.X), cy-top, want)
		}
	}
}

// Cells of few points are squares of pixels: the panel is as large.
func TestEvolutionScale(t *testing.T) {
	r := Range{-1, 1, -1, 1}
	img, err := Evolution(seq(Frame{X: []float32{0.93, 0.93}}), EvolutionConfig{Range: r, Bins: 20, Scale: 5})
	if err != nil || img.Bounds().Dx() != 100+2*panelGap {
		t.Fatalf("%v, %v", img.Bounds(), err)
	}
	h := img.Bounds().Dy()
	cx, cy, n := bright(img, image.Rect(panelGap, 0, panelGap+100, h))
	if n != 25 || abs(cx-panelGap-97) > 0.6 || abs(cy-float64(h-panelGap-100)-2) > 0.6 {
		t.Errorf("%d bright pixels around %.1f, %.1f", n, cx, cy)
	}
}

func abs(v float64) float64 { return max(v, -v) }

// TestEvolutionFits: ten panels of 300 cells fit a screen at two cells a pixel.
func TestEvolutionFits(t *testing.T) {
	var frames []Frame
	for k := range 10 {
		frames = append(frames, Frame{T: float64(k) / 9, X: []float32{0, 0}})
	}
	img, err := Evolution(seq(frames...), EvolutionConfig{Range: Range{-1, 1, -1, 1}})
	if err != nil || img.Bounds().Dx() != 10*150+11*panelGap {
		t.Errorf("%v, %v", img.Bounds(), err)
	}
}

func TestEvolutionErrors(t *testing.T) {
	failure := errors.New("the solver diverged")
	_, err := Evolution(func(yield func(Frame, error) bool) { yield(Frame{}, failure) }, EvolutionConfig{Range: Range{0, 1, 0, 1}})
	if err != failure {
		t.Errorf("error %v", err)
	}
	if _, err := Evolution(seq(), EvolutionConfig{Range: Range{0, 1, 0, 1}}); err == nil {
		t.Error("a figure of nothing")
	}
}

func TestSets(t *testing.T) {
	r := Range{-1, 1, -1, 1}
	var panels []SetPanel
	for range 7 {
		h := NewHist2D(60, r)
		h.Add(cluster(30, 0, 0, 1))
		panels = append(panels, SetPanel{"set", h})
	}
	img, err := Sets(panels, SetsConfig{Columns: 3})
	if err != nil {
		t.Fatal(err)
	}
	size := img.Bounds().Size()
	if size.X != 3*60+4*panelGap || size.Y < 3*(60+titleSize) {
		t.Errorf("size %v", size)
	}
	if _, _, n := bright(img, img.Bounds()); n != 7*900 {
		t.Errorf("%d bright pixels of 7 squares of 30 x 30", n)
	}
	panels[3].Hist = NewHist2D(30, r)
	if _, err := Sets(panels, SetsConfig{}); err == nil || !strings.Contains(err.Error(), "60 and of 30 bins") {
		t.Errorf("panels that do not fit each other: %v", err)
	}
}

func TestDatasetPlot(t *testing.T) {
	img, err := DatasetPlot(cluster(48, 0.5, 0.5, 0.48), DatasetConfig{Title: "a set", Range: Range{-1, 1, -1, 1}, Bins: 100, Side: 300})
	if err != nil {
		t.Fatal(err)
	}
	cx, cy, n := bright(img, img.Bounds())
	if n != 72*72 { // 0.48 of 2, on a side of 300
		t.Errorf("%d bright pixels", n)
	}
	// The panel's corner follows from the upper right one, which has no labels.
	b := img.Bounds()
	right := float64(b.Dx() - 2*panelGap)
	if abs(right-cx-75) > 1 || cy > float64(b.Dy())/2 {
		t.Errorf("the square's middle is at %.1f, %.1f of %v", cx, cy, b)
	}
	if _, err := DatasetPlot(nil, DatasetConfig{Range: Range{-1, 1, -1, 1}}); err != nil {
		t.Errorf("no points: %v", err)
	}
	if _, err := DatasetPlot(nil, DatasetConfig{Range: Range{-1, 1, -1, 1}, Side: 1 << 20}); err == nil {
		t.Error("a page larger than memory")
	}
}
