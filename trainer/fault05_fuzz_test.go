package trainer

import (
	"testing"

	"github.com/wangkuiyi/gotorch/faulttest"
)

// A record that is taken says what network it is of, or why it is of none.
func FuzzRecord(f *testing.F) {
	var seeds [][]byte
	for _, kind := range []string{"mlp", "unet", "dit"} {
		seeds = append(seeds, mustJSON(records()[kind]))
	}
	faulttest.Seeds(f, seeds...)
	f.Fuzz(func(t *testing.T, b []byte) {
		faulttest.Within(t, len(b), 0, func() {
			r, err := ParseRecord(b)
			if err != nil {
				return
			}
			if n, err := r.Network(); err == nil && !(n.LeastParameters() > 0) {
				t.Errorf("a network of %v parameters", n.LeastParameters())
			}
			_ = r.Training.Configuration.Check()
		})
	})
}
