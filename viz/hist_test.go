package viz

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestHist2DPlaces(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	h := NewHist2D(4, Range{0, 4, 10, 14})
	h.Add([]float32{
		0, 10, // lower left corner
		3.9, 10.1, // lower right
		0.5, 13.5, // upper left
		4, 14, // on the upper edges: the last cell
		2.5, 11.5,
		-0.01, 11, 4.01, 11, 1, 9.99, 1, 14.01, // outside
		nan, 11, 1, nan, inf, 11, 1, -inf,
		9, // half a point
	})
	want := []uint32{
		1, 0, 0, 1,
		0, 0, 0, 0,
		0, 0, 1, 0,
		1, 0, 0, 1,
	}
	if !slices.Equal(h.Counts, want) {
		t.Errorf("%v, want %v", h.Counts, want)
	}
	h.Reset()
	if slices.Max(h.Counts) != 0 {
		t.Error("Reset leaves counts")
	}
}

// TestHist2DParallel: with enough points for several workers, called twice, the counts
// are those of a plain loop.
func TestHist2DParallel(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	points := make([]float32, 2*(4*perWorker+7))
	for i := range points {
		points[i] = float32(rng.NormFloat64())
	}
	r := Range{-2, 2, -2, 2}
	h := NewHist2D(50, r)
	h.Add(points)
	h.Add(points)
	want := make([]uint32, 50*50)
	for i := 0; i < len(points); i += 2 {
		x, y := (float64(points[i])+2)/4*50, (2-float64(points[i+1]))/4*50
		if x >= 0 && x < 50 && y >= 0 && y < 50 {
			want[int(y)*50+int(x)] += 2
		}
	}
	off := 0
	for i := range want {
		if h.Counts[i] != want[i] {
			off++
		}
	}
	if off > 4 { // a point on a cell's edge may be rounded to either side
		t.Errorf("%d of 2,500 cells differ", off)
	}
}

// TestHist2DQuantile compares with sorting, by numpy.quantile's rule.
func TestHist2DQuantile(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	h := NewHist2D(20, Range{0, 1, 0, 1})
	for _, most := range []uint32{1, 5, 300, 1 << 23} {
		sorted := make([]float64, len(h.Counts))
		for i := range h.Counts {
			h.Counts[i] = rng.Uint32N(most + 1)
			sorted[i] = float64(h.Counts[i])
		}
		slices.Sort(sorted)
		for _, q := range []float64{0.3, 0.5, 0.77, 0.99, 1} {
			want := quantile(sorted, q)
			if want == 0 {
				continue
			}
			if got := h.quantile(q); math.Abs(got-want) > 1e-9*want {
				t.Errorf("counts to %d: quantile %v is %v, want %v", most, q, got, want)
			}
		}
	}
	// A set so small that 99 of 100 cells are empty is shown by its own cells.
	clear(h.Counts)
	h.Counts[7], h.Counts[8] = 4, 4
	if got := h.quantile(0.99); got != 4 {
		t.Errorf("of two cells: %v", got)
	}
	clear(h.Counts)
	if got := h.quantile(0.99); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

// TestHistColours: 0 is the first colour, the quantile and all above it the last.
func TestHistColours(t *testing.T) {
	h := NewHist2D(20, Range{0, 1, 0, 1})
	for i := range h.Counts {
		h.Counts[i] = 8
	}
	h.Counts[0], h.Counts[1], h.Counts[2] = 0, 4, 50
	page, err := newPage(22, 22)
	if err != nil {
		t.Fatal(err)
	}
	drawHist(page, image.Pt(1, 1), h, 1)
	for _, c := range []struct {
		x, y int
		want color.RGBA
	}{
		{1, 1, viridis[0]}, {2, 1, viridis[128]}, {3, 1, viridis[255]}, {4, 1, viridis[255]}, {20, 20, viridis[255]},
		{0, 0, color.RGBA{255, 255, 255, 255}}, {21, 21, color.RGBA{255, 255, 255, 255}},
	} {
		if got := page.RGBAAt(c.x, c.y); got != c.want {
			t.Errorf("pixel %d,%d is %v, want %v", c.x, c.y, got, c.want)
		}
	}
	// Two by two cells are the mean of their colours.
	drawHist(page, image.Pt(1, 1), h, 2)
	a, b, full := viridis[0], viridis[128], viridis[255]
	want := color.RGBA{
		uint8((int(a.R) + int(b.R) + 2*int(full.R) + 2) / 4),
		uint8((int(a.G) + int(b.G) + 2*int(full.G) + 2) / 4),
		uint8((int(a.B) + int(b.B) + 2*int(full.B) + 2) / 4), 255}
	if got := page.RGBAAt(1, 1); got != want {
		t.Errorf("the mean of four is %v, want %v", got, want)
	}
}

func BenchmarkHist2D(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	points := make([]float32, 2*500_000)
	for i := range points {
		points[i] = float32(rng.NormFloat64())
	}
	h := NewHist2D(500, Range{-4, 4, -4, 4})
	for b.Loop() {
		h.Reset()
		h.Add(points)
	}
}
