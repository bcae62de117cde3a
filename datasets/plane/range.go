package plane

import (
	"math"

	"flowmatch/datasets/set"
)

// Range is a rectangle of the plane.
type Range struct{ X0, X1, Y0, Y1 float64 }

// SquareAround is the square around points, [N,2], with a margin of 5 % of its side on
// each side. Points that are not finite are left out; around nothing it is [-1,1]x[-1,1].
func SquareAround(points []float32) Range {
	inf := math.Inf(1)
	lo, hi := [2]float64{inf, inf}, [2]float64{-inf, -inf}
	for i := 0; i+1 < len(points); i += 2 {
		x, y := float64(points[i]), float64(points[i+1])
		if !set.Finite(x) || !set.Finite(y) {
			continue
		}
		lo[0], hi[0] = min(lo[0], x), max(hi[0], x)
		lo[1], hi[1] = min(lo[1], y), max(hi[1], y)
	}
	if lo[0] > hi[0] {
		return Range{-1, 1, -1, 1}
	}
	const margin = 0.05
	side := max(hi[0]-lo[0], hi[1]-lo[1])
	if side == 0 {
		side = 1 // all in one place
	}
	half := side * (0.5 + margin)
	cx, cy := (lo[0]+hi[0])/2, (lo[1]+hi[1])/2
	return Range{cx - half, cx + half, cy - half, cy + half}
}
