package measures

import (
	"flowmatch/datasets/plane"
	"flowmatch/flow"
	"flowmatch/flow/metrics"
)

// Purpose is what random numbers are drawn for. Draws that must not share them
// have one each.
type Purpose uint64

// The purposes.
const (
	Data Purpose = iota
	MoreData
	Projections
	Likelihood
	Probes
)

// Seed is the seed of a purpose under that of the command.
func (p Purpose) Seed(seed int64) int64 { return int64(flow.Mix(uint64(seed), uint64(p)) >> 1) }

// projections are the random directions of a distance (contract of sw2).
const projections = 128

// Distance is the sliced 2-Wasserstein distance to points of a set.
type Distance struct {
	set  *plane.Set
	data []float32 // [N,2]
	seed int64
}

// DistanceTo draws n points of the set.
func DistanceTo(set *plane.Set, n int, seed int64) *Distance {
	d := &Distance{set: set, data: make([]float32, 2*n), seed: seed}
	set.Sample(d.data, Data.Seed(seed), 0)
	return d
}

// Of is the distance of as many samples, x: [N,2].
func (d *Distance) Of(x []float32) (float64, error) {
	return metrics.SlicedW2(x, d.data, 2, projections, Projections.Seed(d.seed))
}

// Floor is the distance of as many other points of the set.
func (d *Distance) Floor() (float64, error) {
	more := make([]float32, len(d.data))
	d.set.Sample(more, MoreData.Seed(d.seed), 0)
	return d.Of(more)
}

// LikelihoodPoints are n fresh points of the set, [N,2].
func LikelihoodPoints(set *plane.Set, n int, seed int64) []float32 {
	x := make([]float32, 2*n)
	set.Sample(x, Likelihood.Seed(seed), 0)
	return x
}
