package flow

import (
	"math"

	"github.com/wangkuiyi/gotorch/splitmix"
)

// Noise fills dst with the normal numbers of sample index under seed. They
// depend on nothing else: not on how many samples are drawn together, nor on
// the device, the processor or the version of any library.
func Noise(dst []float32, seed int64, index int64) {
	s := splitmix.Source(Mix(uint64(seed), uint64(index)))
	next := func() float64 { // uniform in (0, 1]
		return (float64(s.Uint64()>>11) + 1) / (1 << 53)
	}
	// Box and Muller 1958: two normal numbers from two uniform ones.
	for i := 0; i < len(dst); i += 2 {
		r := math.Sqrt(-2 * math.Log(next()))
		sin, cos := math.Sincos(2 * math.Pi * next())
		dst[i] = float32(r * cos)
		if i+1 < len(dst) {
			dst[i+1] = float32(r * sin)
		}
	}
}

// Mix makes one seed of several numbers.
func Mix(numbers ...uint64) uint64 {
	s := uint64(0x243F6A8885A308D3)
	for _, n := range numbers {
		s = splitmix.Finish(s ^ splitmix.First(n))
	}
	return s
}
