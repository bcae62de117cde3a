package metrics

import (
	"math"

	"flowmatch/flow"
)

// Dequantise turns the grey levels k = 0..levels-1 of an image into real numbers
// that fill the levels' cells: dst = 2 (k + u - 1/2) / (levels - 1) - 1, u being
// uniform in [0,1) and a function of seed and index alone.
func Dequantise(dst []float32, pixels []uint8, levels int, seed, index int64) {
	for i, k := range pixels {
		u := float64(flow.Mix(uint64(seed), uint64(index), uint64(i))>>11) / (1 << 53)
		dst[i] = float32(2*(float64(k)+u-0.5)/float64(levels-1) - 1)
	}
}

// BitsPerDim is the mean number of bits for each of dim values, and its standard
// error over the images whose log-densities are given, in nats. A cell is
// 2/(levels-1) wide: -log2 of a cell's probability is that of the density plus
// log2((levels-1)/2). The mean is an upper bound of the code length of the levels.
func BitsPerDim(logP []float64, dim, levels int) (bits, stderr float64) {
	each := make([]float64, len(logP))
	for i, l := range logP {
		each[i] = -l/(float64(dim)*math.Ln2) + math.Log2(float64(levels-1)/2)
	}
	return Mean(each)
}
