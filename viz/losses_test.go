package viz

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// bluest finds, in a column of pixels, the middle of the strongest part of the
// smoothed line: NaN where there is none.
func bluest(img image.Image, x int) float64 {
	sum, n := 0.0, 0.0
	for y := range img.Bounds().Dy() {
		c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
		if c.B > c.R+100 && c.R < 80 {
			sum += float64(y) + 0.5
			n++
		}
	}
	return sum / n
}

// inks counts pixels that are neither white nor grey.
func inks(img image.Image) (n int) {
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			if r, g, b, _ := img.At(x, y).RGBA(); r != g || g != b {
				n++
			}
		}
	}
	return n
}

func TestLossesConstant(t *testing.T) {
	values := make([]float64, 500)
	for i := range values {
		values[i] = 0.75
	}
	img := Losses(nil, values, LossesConfig{})
	if got, want := img.Bounds(), image.Rect(0, 0, 1000, 600); got != want {
		t.Errorf("size %v, want %v", got, want)
	}
	// Between 0.7125 and 0.7875 (5 % of 0.75 either way): the line is in the middle.
	f := newFigure(1000, 600)
	f.setX(lossPoints(nil, values))
	f.setY(lossPoints(nil, values), nil)
	f.drawAxes()
	middle := (f.plot.y0 + f.plot.y1) / 2
	for _, x := range []int{200, 500, 900} {
		if y := bluest(img, x); math.Abs(y-middle) > 1 {
			t.Errorf("at %d the line is at %.1f, want %.1f", x, y, middle)
		}
	}
}

// TestLossesFollowsTheValues: a straight fall from 2 to 1 is a straight line whose
// height can be told from the axis.
func TestLossesFollowsTheValues(t *testing.T) {
	steps, values := make([]int, 1001), make([]float64, 1001)
	for i := range steps {
		steps[i] = 5000 + i
		values[i] = 2 - float64(i)/1000
	}
	img := Losses(steps, values, LossesConfig{Width: 800, Height: 500})
	points := lossPoints(steps, values)
	f := newFigure(800, 500)
	f.setX(points)
	f.setY(points, smooth(points, 5))
	f.drawAxes()
	if f.log || f.x.lo != 5000 || f.x.hi != 6000 {
		t.Fatalf("axes: %+v %+v, log %v", f.x, f.y, f.log)
	}
	for _, step := range []float64{5100, 5500, 5900} {
		x, want := f.px(step), f.py(2-(step-5000)/1000)
		if got := bluest(img, int(x)); math.Abs(got-want) > 1.5 {
			t.Errorf("at step %v the line is at %.1f, want %.1f", step, got, want)
		}
	}
}

func TestLossesOddValues(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		name   string
		steps  []int
		values []float64
		drawn  bool
	}{
		{"none", nil, nil, false},
		{"no finite one", nil, []float64{nan, inf, -inf}, false},
		{"one", nil, []float64{0.5}, true},
		{"one of many", nil, []float64{nan, 0.5, nan}, true},
		{"zeros", nil, []float64{0, 0, 0}, true},
		{"zero among large", nil, []float64{1e6, 0, 1e6, 3}, true},
		{"negative", nil, []float64{-1, -2, -3}, true},
		{"huge", nil, []float64{math.MaxFloat64, 1, -math.MaxFloat64}, true},
		{"large", nil, []float64{1e99, 1, -1e99}, true},
		{"tiny", nil, []float64{5e-324, 1e-300, 5e-324}, true},
		{"wide", nil, []float64{1e-30, 1, 1e30, 1e-10}, true},
		{"equal steps", []int{7, 7, 7}, []float64{1, 2, 3}, true},
		{"fewer steps", []int{7, 8}, []float64{1, 2, 3}, true},
		{"large steps", []int{math.MaxInt64 - 1, math.MaxInt64}, []float64{1, 2}, true},
	} {
		done := make(chan image.Image)
		go func() { done <- Losses(c.steps, c.values, LossesConfig{}) }()
		select {
		case img := <-done:
			if n := inks(img); (n > 0) != c.drawn {
				t.Errorf("%s: %d coloured pixels", c.name, n)
			}
		case <-time.After(time.Minute):
			t.Fatalf("%s: no end in sight", c.name)
		}
	}
}

func TestLossesAxis(t *testing.T) {
	noisy := func(n int, mean func(i int) float64) []point {
		rng := rand.New(rand.NewPCG(1, 2))
		p := make([]point, n)
		for i := range p {
			p[i] = point{float64(i + 1), mean(i) * math.Exp(0.1*rng.NormFloat64())}
		}
		return p
	}
	// A few wild steps at the start do not press the rest flat.
	points := noisy(1000, func(int) float64 { return 0.3 })
	points[0].y, points[1].y = 500, 80
	f := newFigure(1000, 600)
	f.setX(points)
	f.setY(points, smooth(points, 5))
	if f.log || f.y.hi > 30 {
		t.Errorf("after wild first steps the axis ends at %v", f.y.hi)
	}
	// A fall over four powers of ten is shown by powers.
	points = noisy(1000, func(i int) float64 { return 10 * math.Exp(-float64(i)/100) })
	f.setX(points)
	f.setY(points, smooth(points, 5))
	if !f.log || f.y.lo > 1e-3 {
		t.Errorf("a wide range: log %v, from %v to %v", f.log, f.y.lo, f.y.hi)
	}
	// Not one step of a gap is bridged.
	points = noisy(1000, func(int) float64 { return 0.3 })
	values := make([]float64, len(points))
	for i := range values {
		values[i] = points[i].y
		if i >= 400 && i < 600 {
			values[i] = math.NaN()
		}
	}
	img := Losses(nil, values, LossesConfig{})
	if y := bluest(img, 540); !math.IsNaN(y) {
		t.Errorf("in the gap there is a line at %v", y)
	}
	if y := bluest(img, 300); math.IsNaN(y) {
		t.Error("beside the gap there is none")
	}
}

// TestLossesLong: 200,000 steps are drawn, and thinning keeps the extremes of every column.
func TestLossesLong(t *testing.T) {
	values := make([]float64, 200_000)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range values {
		values[i] = 0.3 * math.Exp(0.1*rng.NormFloat64())
	}
	Losses(nil, values, LossesConfig{})
	points := lossPoints(nil, values)
	column := func(p point) int { return int(p.x) / 250 }
	thin := columnSpans(points, column)
	if len(thin) > 4*801 {
		t.Errorf("%d points are left", len(thin))
	}
	type span struct{ lo, hi float64 }
	spans := func(points []point) map[int]span {
		out := map[int]span{}
		for _, p := range points {
			s, ok := out[column(p)]
			if !ok {
				s = span{p.y, p.y}
			}
			out[column(p)] = span{min(s.lo, p.y), max(s.hi, p.y)}
		}
		return out
	}
	want := spans(points)
	for c, got := range spans(thin) {
		if got != want[c] {
			t.Fatalf("column %d spans %v, want %v", c, got, want[c])
		}
	}
}

func TestColumnSpansKeepsOrderAndGaps(t *testing.T) {
	nan := math.NaN()
	var points []point
	for i, y := range []float64{5, 1, 9, 2, 3, 4, nan, nan, 7} {
		points = append(points, point{float64(i), y})
	}
	got := columnSpans(points, func(point) int { return 0 })
	want := []float64{5, 1, 9, 4, nan, 7}
	if len(got) != len(want) {
		t.Fatalf("got %v", got)
	}
	for i := range want {
		if got[i].y != want[i] && !(math.IsNaN(got[i].y) && math.IsNaN(want[i])) {
			t.Errorf("point %d is %v, want %v", i, got[i].y, want[i])
		}
	}
}

func BenchmarkLosses(b *testing.B) {
	values := make([]float64, 100_000)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range values {
		values[i] = rng.Float64()
	}
	for b.Loop() {
		Losses(nil, values, LossesConfig{})
	}
}
