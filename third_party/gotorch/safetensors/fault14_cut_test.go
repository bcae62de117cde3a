package safetensors_test

import (
	"testing"

	"github.com/wangkuiyi/gotorch/faulttest"
	"github.com/wangkuiyi/gotorch/weights"
)

// No cut of a file passes, with our record and without.
func TestCut(t *testing.T) {
	tried := 0
	for _, r := range [][]byte{nil, []byte(record)} {
		b := render(t, &weights.File{Tensors: sample(), Record: r})
		for n := range faulttest.Lengths(len(b)) {
			if _, err := parse(b[:n]); err == nil {
				t.Errorf("cut to %d of %d bytes, and it was read", n, len(b))
			}
			tried++
		}
	}
	faulttest.Report(t, "14", tried)
}
