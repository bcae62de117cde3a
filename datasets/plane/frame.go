package plane

import (
	"fmt"
	"math"
	"strconv"

	"flowmatch/datasets/set"
)

// Frame says how the points of a user's file are laid before a flow; nil leaves them as they
// are.
type Frame = set.Frame

// Points that lie as follows are left as they are: flows train well on them.
const (
	leastSpread, mostSpread = 0.2, 5 // the spread of both coordinates together
	mostAway                = 5      // of the middle from the origin
	mostUnequal             = 10     // one coordinate's spread over the other's
)

// frameOf is the frame in which points, [N,2], have the middle (0,0) and the spread 1 in
// each coordinate; nil if they lie well already. Its numbers have no more digits than
// the spread calls for.
func frameOf(points []float64) *Frame {
	n := float64(len(points) / 2)
	first := [2]float64(points)
	still := constantColumns(points)
	var f Frame
	var mean [2]float64 // of what is left beside the first point: rounding cannot spread equal ones
	for i, v := range points {
		if k := i % 2; !still[k] {
			mean[k] += (v - first[k]) / n
		}
	}
	for i, v := range points {
		if k := i % 2; !still[k] {
			d := v - first[k] - mean[k]
			f.Spread[k] += d * d / n
		}
	}
	for k := range f.Middle {
		f.Middle[k] = first[k] + mean[k]
	}
	both := math.Sqrt((f.Spread[0] + f.Spread[1]) / 2)
	for k := range f.Spread {
		f.Spread[k] = math.Sqrt(f.Spread[k])
	}
	least, most := min(f.Spread[0], f.Spread[1]), max(f.Spread[0], f.Spread[1])
	if both >= leastSpread && both <= mostSpread && math.Hypot(f.Middle[0], f.Middle[1]) <= mostAway &&
		(least == 0 || most <= mostUnequal*least) {
		return nil
	}
	for k := range f.Spread {
		if f.Spread[k] == 0 { // all in one place
			f.Spread[k] = 1
			continue
		}
		f.Spread[k] = parsed(strconv.FormatFloat(f.Spread[k], 'g', 6, 64))
		decimals := 3 - int(math.Floor(math.Log10(f.Spread[k])))
		f.Middle[k] = parsed(strconv.FormatFloat(f.Middle[k], 'f', max(0, decimals), 64))
	}
	return &f
}

// constantColumns tells which coordinate is the same at all points, but for the last bits
// of a float64.
func constantColumns(points []float64) [2]bool {
	least, most := [2]float64(points), [2]float64(points)
	for i, v := range points {
		least[i%2], most[i%2] = min(least[i%2], v), max(most[i%2], v)
	}
	var still [2]bool
	for k := range still {
		const bits = 4 * 0x1p-52
		still[k] = most[k]-least[k] <= bits*max(math.Abs(least[k]), math.Abs(most[k]))
	}
	return still
}

// stillNote says what of the points of a file never changes, or "".
func stillNote(path string, points []float64) string {
	switch still := constantColumns(points); {
	case len(points) == 2:
		return fmt.Sprintf("%s holds one point, (%v, %v): there is nothing to learn but its place", path, points[0], points[1])
	case still == [2]bool{true, true}:
		return fmt.Sprintf("all %d points of %s are the same, (%v, %v): there is nothing to learn but their place", len(points)/2, path, points[0], points[1])
	case still[0]:
		return fmt.Sprintf("the first number of every point of %s is %v: they lie on a line, where likelihoods mean nothing", path, points[0])
	case still[1]:
		return fmt.Sprintf("the second number of every point of %s is %v: they lie on a line, where likelihoods mean nothing", path, points[1])
	}
	return ""
}

// few is how many different points show nothing of how points are spread.
const few = 50

// fewNote says that a file holds few different points, or "".
func fewNote(path string, points []float64) string {
	if constantColumns(points) == [2]bool{true, true} {
		return "" // but for last bits they are one
	}
	different := map[[2]float64]bool{}
	for i := 0; i < len(points) && len(different) < few; i += 2 {
		different[[2]float64(points[i:])] = true
	}
	if n := len(different); n > 1 && n < few {
		return fmt.Sprintf("%s holds only %d different points: a model learns to draw just these; hundreds show how points are spread", path, n)
	}
	return ""
}

func parsed(s string) float64 {
	v, _ := strconv.ParseFloat(s, 64)
	return v
}
