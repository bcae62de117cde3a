package viz

import (
	"image"
	"image/color"
	"math"
	"strings"
	"testing"
)

// TestLikelihoodPlaces: a density that is high in one corner is bright there.
func TestLikelihoodPlaces(t *testing.T) {
	const n = 20
	density := make([]float64, n*n)
	for k := range density {
		if k%n < 10 && k/n >= 10 { // the left half of the upper rows
			density[k] = 0.5
		}
	}
	img, err := Likelihood([]DensityPanel{{Title: "one", Density: density}, {Title: "two", Density: density}}, LikelihoodConfig{Width: 500})
	if err != nil {
		t.Fatal(err)
	}
	side := (500 - 3*panelGap) / 2
	head := panelGap/2 + headingHeight(face(17))
	for k := range 2 {
		area := image.Rect(panelGap+k*(side+panelGap), head, panelGap+k*(side+panelGap)+side, head+side)
		cx, cy, count := bright(img, area)
		if count < side*side/5 || abs(cx-float64(area.Min.X)-float64(side)/4) > 3 || abs(cy-float64(head)-float64(side)/4) > 3 {
			t.Errorf("panel %d of side %d: %d bright pixels around %.1f, %.1f", k, side, count, cx-float64(area.Min.X), cy-float64(head))
		}
		if got := img.At(area.Max.X-1, area.Max.Y-1); got != viridis[0] {
			t.Errorf("panel %d: the lower right corner is %v", k, got)
		}
	}
	// The bar runs through the whole map.
	y := head + side + panelGap + 4 + 8
	if got := img.At(100, y); got != viridis[0] {
		t.Errorf("the bar begins with %v", got)
	}
	if got := img.At(399, y); got != viridis[255] {
		t.Errorf("the bar ends with %v", got)
	}
}

// TestLikelihoodInterpolates: between the grid's places colours go over evenly.
func TestLikelihoodInterpolates(t *testing.T) {
	page, err := newPage(100, 100)
	if err != nil {
		t.Fatal(err)
	}
	drawDensity(page, image.Point{}, 100, []float64{0, 1, 0, 1}, 2, 1)
	for x, want := range map[int]float64{0: 0, 24: 0, 37: 0.25, 50: 0.51, 62: 0.75, 76: 1, 99: 1} {
		if got := page.RGBAAt(x, 40); distance(rgb{got.R, got.G, got.B}, rgbOf(viridis.at(want))) > 400 {
			t.Errorf("at %d: %v, want about %v", x, got, viridis.at(want))
		}
	}
}

func rgbOf(c color.RGBA) rgb { return rgb{c.R, c.G, c.B} }

func TestDensityLimit(t *testing.T) {
	values := make([]float64, 1001)
	for i := range values {
		values[i] = float64(i)
	}
	values[1000] = math.Inf(1)
	if got := densityLimit(values, 0.995); math.Abs(got-0.995*999) > 1e-9 {
		t.Errorf("%v, want the quantile of those that are finite", got)
	}
	clear(values)
	values[3], values[4] = 2, 2
	if got := densityLimit(values, 0.9); got != 2 {
		t.Errorf("two of a thousand: %v", got)
	}
	if got := densityLimit([]float64{0, 0, math.NaN()}, 0.9); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

// TestLikelihoodRough: a noisy panel does not darken the others.
func TestLikelihoodRough(t *testing.T) {
	flat, wild := make([]float64, 100), make([]float64, 100)
	for i := range flat {
		flat[i], wild[i] = 1, 50
	}
	img, err := Likelihood([]DensityPanel{{Title: "rough", Density: wild, Rough: true}, {Title: "exact", Density: flat}}, LikelihoodConfig{Width: 300})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, n := bright(img, image.Rect(150, 0, 300, 170)); n < 100*100 {
		t.Errorf("%d bright pixels in the exact panel", n)
	}
}

func TestLikelihoodErrors(t *testing.T) {
	for _, c := range []struct {
		panels []DensityPanel
		width  int
		want   string
	}{
		{nil, 0, "no density"},
		{[]DensityPanel{{Title: "a", Density: make([]float64, 12)}}, 0, "a: 12 densities are no square grid"},
		{[]DensityPanel{{Title: "a", Density: nil}}, 0, "0 densities"},
		{[]DensityPanel{{Density: make([]float64, 4)}, {Density: make([]float64, 4)}}, 50, "do not fit"},
	} {
		if _, err := Likelihood(c.panels, LikelihoodConfig{Width: c.width}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
	nan := math.NaN()
	for _, d := range [][]float64{{0, 0, 0, 0}, {nan, nan, nan, nan}, {math.Inf(1), 1, 2, -1}} {
		if _, err := Likelihood([]DensityPanel{{Density: d, Rough: true}}, LikelihoodConfig{}); err != nil {
			t.Errorf("%v: %v", d, err)
		}
	}
}
