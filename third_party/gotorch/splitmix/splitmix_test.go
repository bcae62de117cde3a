package splitmix_test

import (
	"math/rand/v2"
	"testing"

	"github.com/wangkuiyi/gotorch/splitmix"
)

var _ rand.Source = new(splitmix.Source)

// TestReference: the numbers that the authors' own splitmix64.c (Vigna, https://prng.di.unimi.it) gives for these seeds.
func TestReference(t *testing.T) {
	for seed, want := range map[uint64][]uint64{
		0:       {0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f, 0xf88bb8a8724c81ec, 0x1b39896a51a8749b},
		1234567: {6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821},
	} {
		s := splitmix.Source(seed)
		if got := splitmix.First(seed); got != want[0] {
			t.Errorf("seed %d: First is %d, want %d", seed, got, want[0])
		}
		for i, w := range want {
			if got := s.Uint64(); got != w {
				t.Errorf("seed %d: number %d is %d, want %d", seed, i, got, w)
			}
		}
	}
	if splitmix.Finish(0) != 0 {
		t.Error("0 does not stay 0")
	}
}
