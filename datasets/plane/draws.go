package plane

import (
	"math"
	"math/bits"
	"sync"

	"github.com/wangkuiyi/gotorch/splitmix"
)

// pointStream keeps the points of 2D sets apart from whatever else is drawn under the
// same seed, the noise that a flow starts from above all.
const pointStream = 0x706f696e7473 // "points"

// pointKey is what the seed gives to each point's own draws.
func pointKey(seed int64) uint64 { return splitmix.First(uint64(seed) + splitmix.First(pointStream)) }

// draws is the sequence of random numbers that belongs to one point, from a start that is
// a function of seed and point.
type draws struct{ source splitmix.Source }

// drawsOf begins the sequence of point i. Both steps of mixing are needed: states of
// neighbours must not be neighbours in the sequence of states.
func drawsOf(key uint64, i int64) draws {
	return draws{splitmix.Source(splitmix.First(key ^ splitmix.First(uint64(i))))}
}

func (d *draws) next() uint64 { return d.source.Uint64() }

// uniform is in [0,1).
func (d *draws) uniform() float64 { return float64(d.next()>>11) * 0x1p-53 }

// below is in 0..n-1; its bias, n/2^64, could never be seen.
func (d *draws) below(n uint64) uint64 {
	hi, _ := bits.Mul64(d.next(), n)
	return hi
}

// circle is a point of the unit circle, all directions being equally likely (von
// Neumann 1951: of a random point in the disc, the double angle). It needs no sine.
func (d *draws) circle() (x, y float64) {
	for {
		z := d.next()
		u := float64(int32(z>>32)) * 0x1p-31
		v := float64(int32(z)) * 0x1p-31
		if s := u*u + v*v; s <= 1 && s > 1e-9 {
			return (u*u - v*v) / s, 2 * u * v / s
		}
	}
}

// The ziggurat (Marsaglia and Tsang 2000, in Doornik's form of 2005): the half of the
// Gaussian curve is covered by layers of equal area, the lowest with the tail.
const (
	layers    = 256
	tailStart = 3.6541528853610088 // right end of the lowest layer's box
	layerArea = 0.00492867323399
)

type ziggurat struct {
	edge  [layers + 1]float64 // right ends of the layers, falling
	inner [layers]float64     // edge[i+1]/edge[i]: below it a draw needs no further test
}

var gauss = sync.OnceValue(func() *ziggurat {
	z := new(ziggurat)
	bell := func(x float64) float64 { return math.Exp(-x * x / 2) }
	f := bell(tailStart)
	z.edge[0] = layerArea / f
	z.edge[1] = tailStart
	for i := 2; i < layers; i++ {
		z.edge[i] = math.Sqrt(-2 * math.Log(layerArea/z.edge[i-1]+f))
		f = bell(z.edge[i])
	}
	for i := range z.inner {
		z.inner[i] = z.edge[i+1] / z.edge[i]
	}
	return z
})

// normal is a draw of N(0,1).
func (z *ziggurat) normal(d *draws) float64 {
	for {
		bits := d.next()
		i := bits & (layers - 1)
		u := float64(int64(bits)>>11) * 0x1p-52 // [-1,1), from bits that i does not use
		if math.Abs(u) < z.inner[i] {
			return u * z.edge[i]
		}
		if x, ok := z.rim(d, i, u); ok {
			return x
		}
	}
}

// rim decides on the draws outside a layer's sure part, one in a hundred.
func (z *ziggurat) rim(d *draws, i uint64, u float64) (float64, bool) {
	if i == 0 { // the tail (Marsaglia 1964)
		for {
			x := -math.Log(1-d.uniform()) / tailStart
			y := -math.Log(1 - d.uniform())
			if 2*y > x*x {
				return math.Copysign(tailStart+x, u), true
			}
		}
	}
	x := u * z.edge[i]
	f0 := math.Exp(-(z.edge[i]*z.edge[i] - x*x) / 2)
	f1 := math.Exp(-(z.edge[i+1]*z.edge[i+1] - x*x) / 2)
	return x, f1+d.uniform()*(f0-f1) < 1
}
