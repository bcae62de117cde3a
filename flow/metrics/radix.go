package metrics

import "math"

// sorter sorts numbers by the digits of their keys, the lowest first (LSD radix
// sort): on 20,000 projections it takes a fifth of slices.Sort's time.
type sorter struct{ keys, spare []uint32 }

const (
	digitBits = 11
	digits    = 1 << digitBits
)

// sort sorts x in place; not-a-numbers end up at the ends.
func (s *sorter) sort(x []float32) {
	if len(s.keys) != len(x) {
		s.keys, s.spare = make([]uint32, len(x)), make([]uint32, len(x))
	}
	var counts [3][digits]int
	for i, v := range x {
		k := key(v)
		s.keys[i] = k
		counts[0][k%digits]++
		counts[1][k>>digitBits%digits]++
		counts[2][k>>(2*digitBits)]++
	}
	for pass := range counts {
		at := 0
		for d, n := range counts[pass] {
			counts[pass][d] = at
			at += n
		}
		for _, k := range s.keys {
			d := k >> (pass * digitBits) % digits
			s.spare[counts[pass][d]] = k
			counts[pass][d]++
		}
		s.keys, s.spare = s.spare, s.keys
	}
	for i, k := range s.keys {
		x[i] = number(k)
	}
}

// key is in the order of the numbers: the sign is turned around, and of negative
// numbers every bit.
func key(v float32) uint32 {
	b := math.Float32bits(v)
	if b>>31 == 1 {
		return ^b
	}
	return b | 1<<31
}

// number has the key k.
func number(k uint32) float32 {
	if k>>31 == 1 {
		return math.Float32frombits(k &^ (1 << 31))
	}
	return math.Float32frombits(^k)
}
