package viz

import (
	"image"
	"image/color"
	"math"
	"testing"
)

// coloured tells the middle of the pixels near a colour within an area.
func coloured(img image.Image, area image.Rectangle, want color.NRGBA) (x, y float64, n int) {
	for j := area.Min.Y; j < area.Max.Y; j++ {
		for i := area.Min.X; i < area.Max.X; i++ {
			c := color.NRGBAModel.Convert(img.At(i, j)).(color.NRGBA)
			if distance(rgb{c.R, c.G, c.B}, rgb{want.R, want.G, want.B}) < 600 {
				x, y, n = x+float64(i)+0.5, y+float64(j)+0.5, n+1
			}
		}
	}
	return x / float64(n), y / float64(n), n
}

// TestCurvesPlaces: on logarithmic axes, equal factors are equal ways, and every mark is
// where its value is.
func TestCurvesPlaces(t *testing.T) {
	xs := []float64{1, 4, 16, 64}
	ys := []float64{2, 0.2, 0.02, 0.002}
	img := Curves([]Line{{Label: "a", X: xs, Y: ys}, {Label: "b", X: xs, Y: []float64{0.002, 0.02, 0.2, 2}}},
		CurvesConfig{Title: "chart", XLabel: "NFE", YLabel: "distance", LogX: true, LogY: true, Width: 800, Height: 500})
	if img.Bounds() != image.Rect(0, 0, 800, 500) {
		t.Fatalf("size %v", img.Bounds())
	}
	f := newFigure(800, 500)
	f.log, f.logX, f.title = true, true, "chart"
	f.x, f.y = span(xs, true, 0.03, 8), span(ys, true, 0.06, 7)
	f.drawAxes()
	for k := range xs {
		px, py := f.px(xs[k]), f.py(ys[k])
		area := image.Rect(int(px)-6, int(py)-6, int(px)+7, int(py)+7)
		x, y, n := coloured(img, area, lineColours[0])
		if n < 40 || abs(x-px) > 1 || abs(y-py) > 1 {
			t.Errorf("mark %d: %d pixels around %.1f, %.1f; want %.1f, %.1f", k, n, x, y, px, py)
		}
	}
	if a, b := f.px(4)-f.px(1), f.px(64)-f.px(16); math.Abs(a-b) > 1e-9 {
		t.Errorf("a factor of 4 is %v and %v wide", a, b)
	}
}

// TestCurvesGaps: what cannot be drawn is left out, and no line leads over it.
func TestCurvesGaps(t *testing.T) {
	nan := math.NaN()
	img := Curves([]Line{{Label: "a", X: []float64{1, 2, 3, 4, 5}, Y: []float64{1, 1, nan, 1, 1}}, {Label: "b", X: []float64{1, 5}, Y: []float64{0, 2}}},
		CurvesConfig{LogY: true, Width: 800, Height: 500})
	f := newFigure(800, 500)
	f.log = true
	f.x, f.y = span([]float64{1, 5}, false, 0.03, 8), span([]float64{1, 2}, true, 0.06, 7)
	f.drawAxes()
	between := func(a, b float64) int {
		_, _, n := coloured(img, image.Rect(int(f.px(a)), int(f.py(1))-3, int(f.px(b)), int(f.py(1))+4), lineColours[0])
		return n
	}
	if n := between(2.2, 3.8); n != 0 {
		t.Errorf("%d pixels in the gap", n)
	}
	if n := between(1.2, 1.8); n < 50 {
		t.Errorf("%d pixels beside it", n)
	}
}

func TestCurvesPairs(t *testing.T) {
	line := func(y float64, pair int) Line {
		return Line{Label: "a", X: []float64{1, 2}, Y: []float64{y, y}, Pair: pair}
	}
	img := Curves([]Line{line(1, 1), line(2, 1), line(3, 2), line(4, 0), line(5, 0), {Label: "level", Y: []float64{6}, Level: true}}, CurvesConfig{})
	for i, c := range lineColours[:5] {
		_, _, n := coloured(img, image.Rect(150, 60, 700, 530), c)
		if drawn := i < 4; (n > 0) != drawn { // five lines, of which two share a colour
			t.Errorf("colour %d: %d pixels", i, n)
		}
	}
}

func TestCurvesOddValues(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, lines := range [][]Line{
		nil,
		{{Label: "none"}},
		{{Label: "one", X: []float64{3}, Y: []float64{5}}},
		{{Label: "no number", X: []float64{1, nan}, Y: []float64{nan, 1}}},
		{{Label: "unequal", X: []float64{1, 2, 3}, Y: []float64{1}}},
		{{Label: "endless", X: []float64{1, inf}, Y: []float64{inf, 1}}},
		{{Label: "negative", X: []float64{-1, -2}, Y: []float64{-1, 0}}},
		{{Label: "wide", X: []float64{1e-90, 1e90}, Y: []float64{1e-90, 1e90}}},
		{{Label: "level alone", Y: []float64{2}, Level: true}, {Label: "level of nothing", Level: true}},
	} {
		for _, log := range []bool{false, true} {
			if img := Curves(lines, CurvesConfig{LogX: log, LogY: log}); img.Bounds().Dx() != 1000 {
				t.Errorf("%v: %v", lines, img.Bounds())
			}
		}
	}
}

func TestSpanTicks(t *testing.T) {
	labels := func(a axis) (s []string) {
		for _, t := range a.ticks {
			s = append(s, t.label)
		}
		return s
	}
	for _, c := range []struct {
		values []float64
		log    bool
		want   []string
	}{
		{[]float64{1, 40}, true, []string{"1", "2", "5", "10", "20"}},
		{[]float64{0.03, 2.5}, true, []string{"0.05", "0.1", "0.2", "0.5", "1", "2"}},
		{[]float64{3.1, 3.4}, true, []string{"3.0", "3.1", "3.2", "3.3", "3.4", "3.5"}},
		{[]float64{1e-4, 1e4}, true, []string{"0.0001", "0.01", "1", "100", "10,000"}},
		{[]float64{0, 10}, false, []string{"0", "2", "4", "6", "8", "10"}},
	} {
		got := labels(span(c.values, c.log, 0.03, 8))
		if len(got) != len(c.want) {
			t.Errorf("%v: %v, want %v", c.values, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%v: %v, want %v", c.values, got, c.want)
				break
			}
		}
	}
}
