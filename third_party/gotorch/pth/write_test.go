package pth_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wangkuiyi/gotorch/pth"
	"github.com/wangkuiyi/gotorch/weights"
)

const record = `{"format":1,"kind":"mlp","model":{"hidden_dim":512}}`

// sample has every type, shapes of 0 to 8 dimensions, empty tensors and names that need care.
func sample() *weights.Dict {
	d := new(weights.Dict)
	for k := weights.Float; k <= weights.Bool; k++ {
		for rank := range 9 {
			t := &weights.Tensor{DType: k, Shape: []int64{2, 3, 1, 2, 1, 1, 2, 1}[:rank]}
			t.Data = make([]byte, weights.ByteSize(k, t.Shape))
			for i := range t.Data {
				t.Data[i] = byte(i * 7)
				if k == weights.Bool {
					t.Data[i] &= 1
				}
			}
			d.Set(fmt.Sprintf("%s.%d", k, rank), t)
		}
		d.Set("empty."+k.String(), &weights.Tensor{DType: k, Shape: []int64{4, 0, 2}, Data: []byte{}})
	}
	d.Set("", weights.Scalar(1))
	d.Set("ünïcode \"quoted\"\n", weights.Scalar(2))
	d.Set("wide", weights.FromInt64(make([]int64, 70_000), 70_000)) // BININT
	return d
}

func render(t testing.TB, f *weights.File) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := pth.Write(&b, f); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func parse(b []byte) (*weights.File, error) { return pth.ReadFrom(bytes.NewReader(b), int64(len(b))) }

// difference says how two dicts differ.
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
}

func TestEmptyDict(t *testing.T) {
	f, err := parse(render(t, &weights.File{Record: []byte(record)}))
	if err != nil || f.Tensors.Len() != 0 || string(f.Record) != record {
		t.Errorf("got %v, %v", f, err)
	}
}

// More tensors than Python's batch of SETITEMS, and than a plain end record of ZIP can count.
func TestManyTensors(t *testing.T) {
	for _, n := range []int{999, 1000, 1001, 70_000} {
		d := new(weights.Dict)
		one := weights.FromFloat32([]float32{1})
		for i := range n {
			d.Set(fmt.Sprint(i), one)
		}
		f, err := parse(render(t, &weights.File{Tensors: d, Record: []byte(record)}))
		if err != nil {
			t.Fatal(err)
		}
		if err := difference(f.Tensors, d); err != nil {
			t.Error(err)
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	one := func(name string, tensor *weights.Tensor) *weights.Dict {
		d := new(weights.Dict)
		d.Set(name, tensor)
		return d
	}
	for _, c := range []struct {
		name, want string
		file       *weights.File
	}{
		{"bytes that do not fit", "needs 8 bytes", &weights.File{Tensors: one("a", weights.FromFloat32([]float32{1}, 2))}},
		{"no tensor", "no tensor", &weights.File{Tensors: one("a", nil)}},
		{"name", "not UTF-8", &weights.File{Tensors: one("\xff", weights.Scalar(1))}},
		{"long name", "over 65536 bytes", &weights.File{Tensors: one(strings.Repeat("a", 65537), weights.Scalar(1))}},
		{"record", `no "format"`, &weights.File{Record: []byte(`{}`)}},
		{"newer record", "newer", &weights.File{Record: []byte(`{"format":2}`)}},
		{"sealed record", "seal", &weights.File{Record: []byte(`{"format":1,"sha256":""}`)}},
		{"huge record", "at most", &weights.File{Record: []byte(`{"format":1,"x":"` + strings.Repeat("x", 16<<20) + `"}`)}},
	} {
		var b bytes.Buffer
		if err := pth.Write(&b, c.file); err == nil || !strings.Contains(err.Error(), c.want) || b.Len() != 0 {
			t.Errorf("%s: got %v with %d bytes written, want ...%s...", c.name, err, b.Len(), c.want)
		}
	}
}

func TestWriteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ckpt.pth")
	f := &weights.File{Tensors: sample(), Record: []byte(record)}
	if err := pth.WriteFile(path, f); err != nil {
		t.Fatal(err)
	}
	got, err := pth.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := difference(got.Tensors, f.Tensors); err != nil {
		t.Error(err)
	}
	b, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(b, render(t, f)) {
		t.Errorf("the file's name changes its bytes, or %v", err)
	}
	if err := os.Truncate(path, 1000); err != nil {
		t.Fatal(err)
	}
	if _, err := pth.Read(path); !errors.Is(err, pth.ErrDamaged) || !strings.HasPrefix(err.Error(), path) {
		t.Errorf("got %v", err)
	}
}

type fullDisk struct{ left int }

func (w *fullDisk) Write(b []byte) (int, error) {
	if w.left -= len(b); w.left < 0 {
		return 0, io.ErrShortWrite
	}
	return len(b), nil
}

func TestWriteError(t *testing.T) {
	f := &weights.File{Tensors: sample(), Record: []byte(record)}
	n := len(render(t, f))
	for left := 0; left < n; left += 997 {
		if err := pth.Write(&fullDisk{left}, f); !errors.Is(err, io.ErrShortWrite) {
			t.Fatalf("with room for %d of %d bytes: %v", left, n, err)
		}
	}
}

// A device error while reading is not called damage: the file may be whole.
func TestReadError(t *testing.T) {
	b := render(t, &weights.File{Tensors: sample(), Record: []byte(record)})
	for at := range 200 {
		r := &failingReader{bytes.NewReader(b), at}
		_, err := pth.ReadFrom(r, int64(len(b)))
		if r.left > 0 {
			return // all reads were tried
		}
		if !errors.Is(err, errDevice) || errors.Is(err, pth.ErrDamaged) {
			t.Fatalf("read %d: got %v", at, err)
		}
	}
}

var errDevice = errors.New("input/output error")

type failingReader struct {
	*bytes.Reader
	left int
}

func (r *failingReader) ReadAt(b []byte, at int64) (int, error) {
	if r.left == 0 {
		return 0, errDevice
	}
	r.left--
	return r.Reader.ReadAt(b, at)
}

// A file that shrinks while it is read is damaged.
func TestShrinkingFile(t *testing.T) {
	b := render(t, &weights.File{Tensors: sample()})
	if _, err := pth.ReadFrom(bytes.NewReader(b[:len(b)-1]), int64(len(b))); !errors.Is(err, pth.ErrDamaged) {
		t.Errorf("got %v", err)
	}
}
