package datasets

import (
	"math/bits"
	"math/rand/v2"

	"github.com/wangkuiyi/gotorch/splitmix"
)

// Permutation is the order in which an epoch visits n images: a function of seed,
// epoch and n, the same on every machine and with every version of Go (tests pin
// it, since a resumed run must go on in the order that it began).
func Permutation(n int, seed int64, epoch int) []int32 {
	pcg := seeded(seed, uint64(epoch), orderStream)
	perm := make([]int32, n)
	for i := range perm {
		perm[i] = int32(i)
	}
	for i := n - 1; i > 0; i-- { // Fisher and Yates
		j := below(pcg, uint64(i+1))
		perm[i], perm[j] = perm[j], perm[i]
	}
	return perm
}

// Streams keep draws for different purposes apart under one seed.
const (
	orderStream = 1 + iota
	flipStream
)

// seeded is a generator that is a function of its arguments. They are mixed first:
// neighbouring seeds and epochs must not give kindred streams.
func seeded(seed int64, index, stream uint64) *rand.PCG {
	a := splitmix.First(uint64(seed) + splitmix.First(stream))
	return rand.NewPCG(a, splitmix.First(a+index))
}

// below draws from 0..n-1 without bias (Lemire 2019, algorithm 5).
func below(src *rand.PCG, n uint64) uint64 {
	hi, lo := bits.Mul64(src.Uint64(), n)
	if lo < n {
		for floor := -n % n; lo < floor; {
			hi, lo = bits.Mul64(src.Uint64(), n)
		}
	}
	return hi
}
