package viz

import (
	"image"
	"image/color"
	"math"
	"strings"
	"testing"
)

// A path goes from an open circle to a full one, straight between; the density is blue
// where the samples are and nowhere else.
func TestPaths(t *testing.T) {
	r := Range{-4, 4, -4, 4}
	ends := NewHist2D(80, r)
	var points []float32
	for i := range 20_000 {
		points = append(points, 2+float32(i%100)/100, 2+float32(i/100%100)/100)
	}
	ends.Add(points)
	path := []float32{-2, 0, -1, 0, 0, 0, 1, 0, 2, 0}
	img, err := Paths([]PathsPanel{{Title: "a", Paths: [][]float32{path}, Ends: ends}, {Title: "b"}}, PathsConfig{Range: r, Side: 400, Title: "set"})
	if err != nil {
		t.Fatal(err)
	}
	page := img.(*image.RGBA)
	axes := newPanelAxes(r)
	corner := image.Pt(panelGap+axes.left, titleRoom("set")+panelGap/2+headingHeight(face(headingSize)))
	at := func(panel int, x, y float64) color.RGBA {
		return page.RGBAAt(corner.X+panel*(400+panelGap)+int((x+4)/8*400), corner.Y+int((4-y)/8*400))
	}
	for _, c := range []struct {
		what string
		x, y float64
		want color.RGBA
	}{
		{"the beginning is open", -2, 0, color.RGBA{255, 255, 255, 255}}, {"the end is full", 2, 0, pathTo},
		{"dense", 2.5, 2.5, pathDense}, {"empty", -3, -3, pathGround},
	} {
		if got := at(0, c.x, c.y); got != c.want {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
	if got := at(0, -0.5, 0); got.R < got.G+10 || got == pathGround { // its colours turn to red; edges are blended
		t.Errorf("the way is %v", got)
	}
	if got := at(1, 2, 0); got == pathTo {
		t.Error("the second panel has the first one's path")
	}
	for name, c := range map[string]struct {
		panels []PathsPanel
		r      Range
		want   string
	}{
		"no panels": {nil, r, "at least one"},
		"no range":  {[]PathsPanel{{}}, Range{}, "range"},
		"no path":   {[]PathsPanel{{Paths: [][]float32{{1, 2}}}}, r, "path 0"},
	} {
		if _, err := Paths(c.panels, PathsConfig{Range: c.r}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A solver that ran away draws nothing, and takes no time.
	far := []float32{0, 0, 1e30, 1e30, float32(math.NaN()), 0}
	if _, err := Paths([]PathsPanel{{Paths: [][]float32{far}}}, PathsConfig{Range: r}); err != nil {
		t.Error(err)
	}
}

// Smoothing keeps the number of points, and spreads one by the Gaussian's deviation.
func TestSmoothedCounts(t *testing.T) {
	h := NewHist2D(41, Range{0, 41, 0, 41})
	h.Add([]float32{20.5, 20.5})
	v := smoothed(h, 3)
	sum, square := 0.0, 0.0
	for j := range 41 {
		for i := range 41 {
			sum += v[j*41+i]
			square += v[j*41+i] * float64((i-20)*(i-20))
		}
	}
	// Cut off at three deviations, the variance is 0.973 of the whole.
	if math.Abs(sum-1) > 1e-9 || math.Abs(square-0.973*9) > 0.1 {
		t.Errorf("sum %v, variance %v", sum, square)
	}
}
