package metrics

import (
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"flowmatch/flow"
)

// SlicedW2 is the sliced 2-Wasserstein distance between as many samples a and
// b: [N,dim], over a number of random directions that the seed decides.
func SlicedW2(a, b []float32, dim, projections int, seed int64) (float64, error) {
	if dim < 1 || projections < 1 || len(a) == 0 || len(a) != len(b) || len(a)%dim != 0 {
		return 0, fmt.Errorf("metrics: %d and %d numbers are no equal, positive numbers of samples of %d, or %d projections are too few", len(a), len(b), dim, projections)
	}
	each := make([]float64, projections)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(projections, runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			var s sorter
			pa, pb := make([]float32, len(a)/dim), make([]float32, len(a)/dim)
			for {
				j := next.Add(1) - 1
				if j >= int64(projections) {
					return
				}
				line := direction(dim, seed, j)
				project(pa, a, line)
				project(pb, b, line)
				s.sort(pa)
				s.sort(pb)
				each[j] = meanSquare(pa, pb)
			}
		})
	}
	workers.Wait()
	mean, _ := Mean(each) // in the order of directions: the workers do not matter
	return math.Sqrt(mean), nil
}

// direction is a unit vector, all being equally likely.
func direction(dim int, seed, j int64) []float64 {
	normal := make([]float32, dim)
	flow.Noise(normal, seed, j)
	line, norm := make([]float64, dim), 0.0
	for i, v := range normal {
		line[i] = float64(v)
		norm += line[i] * line[i]
	}
	for i := range line {
		line[i] /= math.Sqrt(norm)
	}
	return line
}

// project writes the inner products of the rows of x: [N,D] with line to dst: [N].
func project(dst []float32, x []float32, line []float64) {
	for i := range dst {
		row, sum := x[i*len(line):(i+1)*len(line)], 0.0
		for k, w := range line {
			sum += w * float64(row[k])
		}
		dst[i] = float32(sum)
	}
}

// meanSquare is the mean of the squared differences of a and b.
func meanSquare(a, b []float32) float64 {
	var sum float64
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	return sum / float64(len(a))
}
