// Package splitmix is the generator of random numbers SplitMix64 (Steele, Lea and Flood 2014): 64 bits of state, which
// grow by a constant, and a function that mixes them. It is for numbers that are a function of a seed and an index:
// beginning a sequence costs nothing, so that each thing drawn can have one of its own.
package splitmix

// golden is what the state grows by: 2^64 over the golden ratio, made odd.
const golden = 0x9e3779b97f4a7c15

// Source is a sequence of random numbers, and its value the state: Source(seed) begins one. It is a [rand.Source] of
// math/rand/v2.
type Source uint64

// Uint64 is the next number.
func (s *Source) Uint64() uint64 {
	*s += golden
	return Finish(uint64(*s))
}

// First is the first number of the sequence that begins at a seed: a mixture of its bits. Neighbouring seeds have
// sequences that are shifts of each other unless they are mixed so before.
func First(seed uint64) uint64 { return Finish(seed + golden) }

// Finish mixes the bits of a state, one to one. 0 stays 0.
func Finish(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
