package pth_test

import (
	"io"
	"testing"

	"github.com/wangkuiyi/gotorch/pth"
	"github.com/wangkuiyi/gotorch/weights"
)

// large is 64 MiB in 64 tensors, with a record.
func large() *weights.File {
	d := new(weights.Dict)
	for i := range 64 {
		d.Set(string(rune('A'+i)), &weights.Tensor{DType: weights.Float, Shape: []int64{256, 1024}, Data: make([]byte, 1<<20)})
	}
	return &weights.File{Tensors: d, Record: []byte(record)}
}

func BenchmarkWrite(b *testing.B) {
	f := large()
	b.SetBytes(64 << 20)
	for b.Loop() {
		if err := pth.Write(io.Discard, f); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	data := render(b, large())
	b.SetBytes(64 << 20)
	for b.Loop() {
		if _, err := parse(data); err != nil {
			b.Fatal(err)
		}
	}
}
