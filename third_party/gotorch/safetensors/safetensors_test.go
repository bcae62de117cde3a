package safetensors_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wangkuiyi/gotorch/safetensors"
	"github.com/wangkuiyi/gotorch/weights"
)

const record = `{"format":1,"kind":"mlp","model":{"hidden_dim":512}}`

func sample() *weights.Dict {
	d := new(weights.Dict)
	for k := weights.Float; k <= weights.Bool; k++ {
		for rank := range 9 {
			t := &weights.Tensor{DType: k, Shape: []int64{2, 3, 1, 2, 1, 1, 2, 1}[:rank]}
			t.Data = make([]byte, weights.ByteSize(k, t.Shape))
			for i := range t.Data {
				t.Data[i] = byte(i*7) & (1 + 254*min(1, byte(weights.Bool-k)))
			}
			d.Set(fmt.Sprintf("%s.%d", k, rank), t)
		}
		d.Set("empty."+k.String(), &weights.Tensor{DType: k, Shape: []int64{4, 0, 2}, Data: []byte{}})
	}
	d.Set("", weights.Scalar(1))
	d.Set("ünïcode \"quoted\"\\\n", weights.Scalar(2))
	return d
}

func render(t testing.TB, f *weights.File) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := safetensors.Write(&b, f); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func parse(b []byte) (*weights.File, error) {
	return safetensors.ReadFrom(bytes.NewReader(b), int64(len(b)))
}

func difference(got, want *weights.Dict) error {
	if !slices.Equal(got.Names(), want.Names()) {
		return fmt.Errorf("names %q, want %q", got.Names(), want.Names())
	}
	for name, w := range want.All() {
		if g := got.Get(name); !g.Equal(w) {
			return fmt.Errorf("%q: %v, want %v", name, g, w)
		}
	}
	return nil
}

func TestRoundTrip(t *testing.T) {
	for _, r := range [][]byte{nil, []byte(record)} {
		want := &weights.File{Tensors: sample(), Record: r}
		b := render(t, want)
		if n := binary.LittleEndian.Uint64(b); n%8 != 0 {
			t.Errorf("the header has %d bytes", n)
		}
		got, err := parse(b)
		if err != nil {
			t.Fatal(err)
		}
		if err := difference(got.Tensors, want.Tensors); err != nil {
			t.Error(err)
		}
		if string(got.Record) != string(r) {
			t.Errorf("record %s, want %s", got.Record, r)
		}
		if !bytes.Equal(render(t, got), b) {
			t.Error("written again, the bytes differ")
		}
	}
	if f, err := parse(render(t, new(weights.File))); err != nil || f.Tensors.Len() != 0 {
		t.Errorf("an empty file: %v", err)
	}
	spaced := &weights.File{Record: []byte(" " + record + "\n")}
	if f, err := parse(render(t, spaced)); err != nil || string(f.Record) != record {
		t.Errorf("a record with spaces around it: %v", err)
	}
}

// The file is Hugging Face's; make.py in testdata has the values.
func TestForeign(t *testing.T) {
	f, err := safetensors.Read("testdata/types.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	if f.Tensors.Len() != 12 || f.Record != nil {
		t.Errorf("got %v, record %s", f.Tensors.Names(), f.Record)
	}
	for d := weights.Float; d <= weights.Bool; d++ {
		tensor := f.Tensors.Get(d.String())
		if tensor == nil || tensor.DType != d || !slices.Equal(tensor.Shape, []int64{2, 3}) {
			t.Errorf("%s: %v", d, tensor)
			continue
		}
		var got string
		if d.Floating() {
			v, err := tensor.Float32s()
			got = fmt.Sprint(v, err)
		} else {
			v, err := tensor.Int64s()
			got = fmt.Sprint(v, err)
		}
		want := "[0 1 2 3 4 5] <nil>"
		if d == weights.Bool {
			want = "[0 1 1 1 1 1] <nil>"
		}
		if got != want {
			t.Errorf("%s: %s", d, got)
		}
	}
	if v, err := f.Tensors.Get("scalar").Float32s(); err != nil || v[0] != 7.5 {
		t.Errorf("scalar: %v, %v", v, err)
	}
	if _, err := safetensors.Read("testdata/float8.safetensors"); !errors.Is(err, weights.ErrRefused) || !strings.Contains(err.Error(), "F8_E4M3") {
		t.Errorf("float8: %v", err)
	}
}

// file makes a file of a header as it stands and n bytes.
func file(header string, n int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, n)...)
}

// Unlike the format itself, a file of ours notices every flipped bit and every lost byte.
func TestEveryFlipAndLength(t *testing.T) {
	d := new(weights.Dict)
	d.Set("0.weight", weights.FromFloat32([]float32{1, 2, 3, 4, 5, 6}, 2, 3))
	d.Set("mask", &weights.Tensor{DType: weights.Bool, Shape: []int64{3}, Data: []byte{1, 0, 1}})
	d.Set("empty", weights.FromFloat32(nil, 0))
	d.Set("n", weights.FromInt64([]int64{1}))
	b := render(t, &weights.File{Tensors: d, Record: []byte(record)})
	if _, err := parse(b); err != nil {
		t.Fatal(err)
	}
	for i := range 8 * len(b) {
		b[i/8] ^= 1 << (i % 8)
		if _, err := parse(b); err == nil {
			t.Errorf("bit %d of byte %d flipped, and it was read", i%8, i/8)
		}
		b[i/8] ^= 1 << (i % 8)
	}
	for i := range b {
		if _, err := parse(b[:i]); err == nil {
			t.Errorf("cut to %d bytes, and it was read", i)
		}
	}
	t.Logf("%d flips and %d lengths refused", 8*len(b), len(b))
}

func TestWriteRefuses(t *testing.T) {
	d := new(weights.Dict)
	for _, c := range []struct {
		name   string
		tensor *weights.Tensor
	}{{"__metadata__", weights.Scalar(1)}, {"\xff", weights.Scalar(1)}, {"a", nil}, {"a", weights.FromFloat32([]float32{1}, 2)}} {
		d = new(weights.Dict)
		d.Set(c.name, c.tensor)
		var b bytes.Buffer
		if err := safetensors.Write(&b, &weights.File{Tensors: d}); err == nil || b.Len() > 0 {
			t.Errorf("%q %v was written", c.name, c.tensor)
		}
	}
}

// TestPython needs a Python with torch and safetensors: FLOWMATCH_TEST_PYTHON=/path/to/python.
func TestPython(t *testing.T) {
	python := os.Getenv("FLOWMATCH_TEST_PYTHON")
	if python == "" {
		t.Skip("FLOWMATCH_TEST_PYTHON is not set: Hugging Face's reader was not tried")
	}
	if err := exec.Command(python, "-c", "import safetensors.torch").Run(); err != nil {
		t.Skip("that Python has no safetensors: Hugging Face's reader was not tried")
	}
	ours, theirs := filepath.Join(t.TempDir(), "ours.safetensors"), filepath.Join(t.TempDir(), "theirs.safetensors")
	want := sample()
	if err := safetensors.WriteFile(ours, &weights.File{Tensors: want, Record: []byte(record)}); err != nil {
		t.Fatal(err)
	}
	script := "import sys\nfrom safetensors.torch import load_file, save_file\n" +
		"d = load_file(sys.argv[1])\nprint(len(d))\nsave_file(d, sys.argv[2])"
	cmd := exec.Command(python, "-c", script, ours, theirs)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil || strings.TrimSpace(string(out)) != fmt.Sprint(want.Len()) {
		t.Fatalf("%s, %v", out, err)
	}
	back, err := safetensors.Read(theirs)
	if err != nil {
		t.Fatal(err)
	}
	for name, w := range want.All() {
		if g := back.Tensors.Get(name); g == nil || !g.Equal(w) {
			t.Errorf("%q: %v, want %v", name, g, w)
		}
	}
}

func ExampleWrite() {
	d := new(weights.Dict)
	d.Set("bias", weights.FromFloat32([]float32{1, 2}))
	var b bytes.Buffer
	fmt.Println(safetensors.Write(&b, &weights.File{Tensors: d}))
	fmt.Printf("%q\n", b.Bytes()[8:])

	f, err := safetensors.ReadFrom(bytes.NewReader(b.Bytes()), int64(b.Len()))
	fmt.Println(f.Tensors.Names(), f.Tensors.Get("bias"), err)
	// Output:
	// <nil>
	// "{\"bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}       \x00\x00\x80?\x00\x00\x00@"
	// [bias] float32[2] <nil>
}
