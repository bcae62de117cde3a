package datasets

import (
	"slices"
	"testing"
)

// TestFlipMirrorsRows compares with a mirror written out: each picture, of two
// channels, two rows and three columns, is as it was or mirrored, all rows of it.
func TestFlipMirrorsRows(t *testing.T) {
	as := []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	mirrored := []float32{3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10}
	const batch = 200 // more than the coins of one draw
	var x []float32
	for range batch {
		x = append(x, as...)
	}
	again, other := slices.Clone(x), slices.Clone(x)
	flip(x, batch, []int{2, 2, 3}, 42, 7)
	flip(again, batch, []int{2, 2, 3}, 42, 7)
	flip(other, batch, []int{2, 2, 3}, 42, 8)
	count := 0
	for i := range batch {
		switch got := x[12*i : 12*i+12]; {
		case slices.Equal(got, mirrored):
			count++
		case !slices.Equal(got, as):
			t.Fatalf("picture %d became %v", i, got)
		}
	}
	if count < 72 || count > 128 { // 100 +- 4 standard deviations
		t.Errorf("%d of %d are mirrored", count, batch)
	}
	if !slices.Equal(x, again) || slices.Equal(x, other) {
		t.Error("what is mirrored is not a function of seed and step")
	}
}
