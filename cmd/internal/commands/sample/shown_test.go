package sample

import "testing"

// A block of a hundred of one class; of several as many as fill a page, ten at least.
func TestPerClassShown(t *testing.T) {
	for classes, want := range map[int]int{0: 100, 1: 100, 2: 20, 10: 20, 15: 13, 100: 10} {
		if got := perClassShown(classes); got != want {
			t.Errorf("%d classes: %d of each, want %d", classes, got, want)
		}
	}
}
