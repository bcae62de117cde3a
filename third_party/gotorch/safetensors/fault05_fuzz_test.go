package safetensors_test

import (
	"os"
	"testing"

	"github.com/wangkuiyi/gotorch/faulttest"
	"github.com/wangkuiyi/gotorch/weights"
)

// Whatever is read can be written and comes back the same.
func FuzzSafetensors(f *testing.F) {
	var seeds [][]byte
	for _, name := range []string{"types", "float8"} {
		b, err := os.ReadFile("testdata/" + name + ".safetensors")
		if err != nil {
			f.Fatal(err)
		}
		seeds = append(seeds, b)
	}
	d := new(weights.Dict)
	d.Set("w", weights.FromFloat32([]float32{1, 2, 3}))
	seeds = append(seeds, render(f, &weights.File{Tensors: d, Record: []byte(record)}), file("{}", 0))
	faulttest.Seeds(f, seeds...)
	f.Fuzz(func(t *testing.T, b []byte) {
		var got *weights.File
		var err error
		faulttest.Within(t, len(b), 0, func() { got, err = parse(b) })
		if err != nil {
			return
		}
		again, err := parse(render(t, got))
		if err != nil {
			t.Fatal(err)
		}
		if err := difference(again.Tensors, got.Tensors); err != nil {
			t.Error(err)
		}
	})
}
