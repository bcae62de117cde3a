package viz

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
)

// Range is a rectangle of the plane. Figures of points expect a square.
type Range struct{ X0, X1, Y0, Y1 float64 }

// Hist2D counts points in Bins x Bins equal cells of a range.
type Hist2D struct {
	Bins   int
	Range  Range
	Counts []uint32 // [Bins,Bins], the first row being the uppermost

	others [][]uint32 // counts of the other workers, between calls
}

// mostBins is more than any screen shows.
const mostBins = 4096

// NewHist2D begins with empty cells, 1 to 4096 a side: numbers beyond mean the nearer.
func NewHist2D(bins int, r Range) *Hist2D {
	bins = min(max(1, bins), mostBins)
	return &Hist2D{Bins: bins, Range: r, Counts: make([]uint32, bins*bins)}
}

// Reset empties the cells.
func (h *Hist2D) Reset() { clear(h.Counts) }

// of is what is to be drawn of a frame of points: what was counted before, which must
// have h's bins and range, or else h with the points.
func (h *Hist2D) of(counted *Hist2D, points []float32) (*Hist2D, error) {
	if counted == nil {
		h.Reset()
		h.Add(points)
		return h, nil
	}
	if counted.Bins != h.Bins || counted.Range != h.Range {
		return nil, fmt.Errorf("viz: points were counted in %d bins of %v, and the figure has %d of %v", counted.Bins, counted.Range, h.Bins, h.Range)
	}
	return counted, nil
}

// perWorker is how many points are worth a goroutine.
const perWorker = 50_000

// Add counts points, [N,2]. Those outside the range, and those that are not finite, are
// left out; those on its upper edges belong to the last cells.
func (h *Hist2D) Add(points []float32) {
	n := len(points) / 2
	workers := max(1, min(runtime.GOMAXPROCS(0), n/perWorker))
	for len(h.others) < workers-1 {
		h.others = append(h.others, make([]uint32, len(h.Counts)))
	}
	var wg sync.WaitGroup
	for k := range workers - 1 {
		wg.Go(func() { h.count(h.others[k], points[2*(k*n/workers):2*((k+1)*n/workers)]) })
	}
	h.count(h.Counts, points[2*((workers-1)*n/workers):2*n])
	wg.Wait()
	for _, other := range h.others[:workers-1] {
		for i, c := range other {
			h.Counts[i] += c
		}
		clear(other)
	}
}

func (h *Hist2D) count(counts []uint32, points []float32) {
	bins := float64(h.Bins)
	sx, sy := bins/(h.Range.X1-h.Range.X0), bins/(h.Range.Y1-h.Range.Y0)
	x0, y1 := h.Range.X0, h.Range.Y1
	last := h.Bins - 1
	for i := 0; i+1 < len(points); i += 2 {
		x := (float64(points[i]) - x0) * sx
		y := (y1 - float64(points[i+1])) * sy
		// Not-a-number fails every comparison.
		if x >= 0 && x <= bins && y >= 0 && y <= bins {
			counts[min(int(y), last)*h.Bins+min(int(x), last)]++
		}
	}
}

// quantile of the counts, empty cells included, between neighbours in proportion; where
// that is 0, of the cells that are not empty.
func (h *Hist2D) quantile(q float64) float64 {
	most := slices.Max(h.Counts)
	if most == 0 {
		return 0
	}
	if most > 1<<22 { // a table of that many counts would be larger than the cells
		sorted := make([]float64, len(h.Counts))
		for i, c := range h.Counts {
			sorted[i] = float64(c)
		}
		slices.Sort(sorted)
		return quantile(sorted, q)
	}
	cells := make([]int, most+1) // that hold so many points
	for _, c := range h.Counts {
		cells[c]++
	}
	if v := countQuantile(cells, q, 0); v > 0 {
		return v
	}
	return countQuantile(cells, q, 1)
}

// countQuantile is the quantile of the values from, from+1, ..., of which value v
// occurs cells[v] times.
func countQuantile(cells []int, q float64, from int) float64 {
	n := 0
	for _, c := range cells[from:] {
		n += c
	}
	if n == 0 {
		return 0
	}
	place := q * float64(n-1)
	i := int(place)
	rank := func(r int) float64 {
		for v := from; v < len(cells); v++ {
			if r -= cells[v]; r < 0 {
				return float64(v)
			}
		}
		return float64(len(cells) - 1)
	}
	lo, hi := rank(i), rank(min(i+1, n-1))
	return lo + (place-math.Floor(place))*(hi-lo)
}

// histQuantile is where the colours of a histogram end.
const histQuantile = 0.99

// steps is the number of the colour, of n, for each count up to the one that has the
// last: what a panel needs to be drawn. Colours go from 0 to the counts' 0.99 quantile.
func (h *Hist2D) steps(n int) []uint8 {
	limit := h.quantile(histQuantile)
	if limit == 0 {
		return []uint8{0}
	}
	table := make([]uint8, int(math.Ceil(limit))+1)
	for c := range table {
		table[c] = uint8(step(float64(c)/limit, n))
	}
	table[len(table)-1] = uint8(n - 1)
	return table
}
