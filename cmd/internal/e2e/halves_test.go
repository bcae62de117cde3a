package e2e

import (
	"encoding/binary"
	"math"
	"path/filepath"
	"testing"

	"github.com/wangkuiyi/gotorch/pth"
	"github.com/wangkuiyi/gotorch/safetensors"
	"github.com/wangkuiyi/gotorch/weights"

	"flowmatch/datasets/npz"
)

// State dicts in bf16 and float16, as PyTorch saves them, are the networks that
// they would be in float32.
func TestHalfPrecisionFiles(t *testing.T) {
	dir := t.TempDir()
	must(t, program(t, "train", nil, tiny(dir, "--max-steps", "2", "--no-figures")...))
	f, err := pth.Read(filepath.Join(dir, "cfm/digits/ckpt.pth"))
	if err != nil {
		t.Fatal(err)
	}
	draw := func(file string) []float32 {
		out := file + ".npz"
		must(t, program(t, "sample", nil, "--dataset", "digits", "--checkpoint", file, "--device", "cpu", "--num-res-blocks", "1",
			"--channel-mult", "1,1", "--attention-resolutions", "none", "--samples-per-class", "1", "--steps", "2", "--no-figures", "--npz", out))
		s, err := npz.OpenSamples(out)
		if err != nil {
			t.Fatal(err)
		}
		return s.X
	}
	for _, kind := range []struct {
		name  string
		dtype weights.DType
		round func(float32) (bits uint16, value float32)
	}{
		{"bfloat16", weights.BFloat16, func(v float32) (uint16, float32) {
			b := math.Float32bits(v) >> 16
			return uint16(b), math.Float32frombits(b << 16)
		}},
		{"float16", weights.Half, func(v float32) (uint16, float32) {
			// Cut to ten bits of fraction; what float16 cannot count is 0.
			b := math.Float32bits(v)
			exp := int(b>>23&0xff) - 127 + 15
			if exp <= 0 || exp >= 31 {
				return 0, 0
			}
			return uint16(b>>31<<15 | uint32(exp)<<10 | b>>13&0x3ff), math.Float32frombits(b &^ 0x1fff)
		}},
	} {
		half, full := &weights.Dict{}, &weights.Dict{}
		for name, w := range f.Tensors.All() {
			v, err := w.Float32s()
			if err != nil {
				t.Fatal(err)
			}
			data := make([]byte, 2*len(v))
			for i := range v {
				var bits uint16
				bits, v[i] = kind.round(v[i])
				binary.LittleEndian.PutUint16(data[2*i:], bits)
			}
			half.Set(name, &weights.Tensor{DType: kind.dtype, Shape: w.Shape, Data: data})
			full.Set(name, weights.FromFloat32(v, w.Shape...))
		}
		narrow, wide := filepath.Join(dir, kind.name+".pth"), filepath.Join(dir, kind.name+".safetensors")
		if err := pth.WriteFile(narrow, &weights.File{Tensors: half}); err != nil {
			t.Fatal(err)
		}
		if err := safetensors.WriteFile(wide, &weights.File{Tensors: full}); err != nil {
			t.Fatal(err)
		}
		a, b := draw(narrow), draw(wide)
		for i := range a {
			if a[i] != b[i] {
				t.Fatalf("%s: number %d is %v, in float32 %v", kind.name, i, a[i], b[i])
			}
		}
	}
}
