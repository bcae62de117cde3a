package viz

import "math"

// mostSmoothed is how many points a smoothed curve has at most; more are averaged
// in equal parts first, which a screen cannot tell.
const mostSmoothed = 4000

// smooth is the curve averaged under a Gaussian of the given deviation, in points.
// Weights end at four deviations, as in other tools, and at the ends and around
// points that are not finite the rest of them is scaled up to one: no value is made
// up beyond the data.
func smooth(points []point, sigma float64) []point {
	if parts := (len(points) + mostSmoothed - 1) / mostSmoothed; parts > 1 {
		points = averaged(points, parts)
		sigma = max(1, sigma/float64(parts))
	}
	reach := int(4*sigma + 0.5)
	weights := make([]float64, reach+1)
	for k := range weights {
		weights[k] = math.Exp(-0.5 * float64(k*k) / (sigma * sigma))
	}
	out := make([]point, len(points))
	for i := range points {
		var sum, weight float64
		for j := max(0, i-reach); j <= min(len(points)-1, i+reach); j++ {
			if isFinite(points[j].y) {
				w := weights[max(i-j, j-i)]
				sum += w * points[j].y
				weight += w
			}
		}
		out[i] = point{points[i].x, math.NaN()}
		// A curve over nothing but neighbours' tails would be invented.
		if weight >= weights[0]/2 {
			out[i].y = sum / weight
		}
	}
	return out
}

// averaged replaces each n neighbours by their mean.
func averaged(points []point, n int) []point {
	var out []point
	for from := 0; from < len(points); from += n {
		part := points[from:min(from+n, len(points))]
		var x, y float64
		count := 0
		for _, p := range part {
			x += p.x
			if isFinite(p.y) {
				y += p.y
				count++
			}
		}
		mean := point{x / float64(len(part)), math.NaN()}
		if count > 0 {
			mean.y = y / float64(count)
		}
		out = append(out, mean)
	}
	return out
}
