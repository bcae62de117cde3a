package npz

import (
	"archive/zip"
	"bytes"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func readFile(t *testing.T, name string, names ...string) ([]Array, error) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return Read(bytes.NewReader(data), int64(len(data)), names...)
}

// TestReadNumPy reads what testdata/make.py wrote with NumPy.
func TestReadNumPy(t *testing.T) {
	x := make([]float32, 120)
	x0 := make([]float32, 120)
	for i := range x {
		x[i] = float32(i) / 8
		x0[i] = float32(i)/8 - 1
	}
	want := []Array{
		{Name: "x", Shape: []int{2, 3, 4, 5}, Floats: x},
		{Name: "y", Shape: []int{2}, Ints: []int64{7, 0}},
		{Name: "x0", Shape: []int{2, 3, 4, 5}, Floats: x0},
	}
	for _, name := range []string{"savez.npz", "compressed.npz"} {
		got, err := readFile(t, name)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, error %v", name, got, err)
		}
		got, err = readFile(t, name, "y", "absent")
		if err != nil || !reflect.DeepEqual(got, want[1:2]) {
			t.Errorf("%s, y alone: %v, error %v", name, got, err)
		}
	}
}

func TestReadKinds(t *testing.T) {
	got, err := readFile(t, "kinds.npz")
	if err != nil {
		t.Fatal(err)
	}
	want := []Array{
		{Name: "b1", Ints: []int64{1, 0}},
		{Name: "i1", Ints: []int64{-128, 127}},
		{Name: "u1", Ints: []int64{0, 255}},
		{Name: "i2", Ints: []int64{-32768, 32767}},
		{Name: "u2", Ints: []int64{0, 65535}},
		{Name: "i4", Ints: []int64{math.MinInt32, math.MaxInt32}},
		{Name: "u4", Ints: []int64{0, math.MaxUint32}},
		{Name: "i8", Ints: []int64{math.MinInt64, math.MaxInt64}},
		{Name: "scalar", Shape: []int{}, Floats: []float32{2.5}},
		{Name: "empty", Shape: []int{0, 3}, Floats: []float32{}},
	}
	for i := range want {
		if want[i].Shape == nil {
			want[i].Shape = []int{2}
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

// TestReadColumns: an array that NumPy stored by columns is the same array.
func TestReadColumns(t *testing.T) {
	rows, err := readFile(t, "savez.npz")
	if err != nil {
		t.Fatal(err)
	}
	columns, err := readFile(t, "columns.npz")
	if err != nil || !reflect.DeepEqual(columns[0], rows[0]) {
		t.Errorf("%v, error %v\nwant %v", columns, err, rows[0])
	}
	// NumPy calls what has one dimension, or none, Fortran's too.
	file := npy("{'descr': '|u1', 'fortran_order': True, 'shape': (3,), }\n", "\x01\x02\x03")
	a, err := ReadNPY(strings.NewReader(file), int64(len(file)))
	if err != nil || !reflect.DeepEqual(a.Ints, []int64{1, 2, 3}) {
		t.Errorf("%v, error %v", a, err)
	}
	file = npy("{'descr': '|u1', 'fortran_order': True, 'shape': (3, 2), }\n", "\x01\x02\x03\x04\x05\x06")
	a, err = ReadNPY(strings.NewReader(file), int64(len(file)))
	if err != nil || !reflect.DeepEqual(a.Ints, []int64{1, 4, 2, 5, 3, 6}) {
		t.Errorf("%v, error %v", a, err)
	}
	file = npy("{'descr': '<f4', 'fortran_order': True, 'shape': (0, 3), }\n", "")
	if a, err = ReadNPY(strings.NewReader(file), int64(len(file))); err != nil || len(a.Floats) != 0 {
		t.Errorf("%v, error %v", a, err)
	}
}

func TestReadRefusesOtherTypes(t *testing.T) {
	for name, want := range map[string]string{
		"object.npz":    "pickled objects, which are never loaded",
		"bigendian.npz": "big-endian",
		"half.npz":      `type "<f2" is not read`,
		"records.npz":   "records are not read",
	} {
		if _, err := readFile(t, name); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "array x: ") {
			t.Errorf("%s: error %v, want one on %s", name, err, want)
		}
	}
}

func TestWriteRoundTrip(t *testing.T) {
	arrays := []Array{
		{Name: "x", Shape: []int{3, 2}, Floats: []float32{0, -1.5, float32(math.Inf(1)), math.SmallestNonzeroFloat32, math.MaxFloat32, -0}},
		{Name: "y", Shape: []int{3}, Ints: []int64{math.MinInt64, 0, math.MaxInt64}},
		{Name: "scalar", Shape: []int{}, Floats: []float32{2}},
		{Name: "none", Shape: []int{0, 28, 28}, Floats: []float32{}},
		{Name: "many", Shape: []int{3*chunk + 1}, Floats: slices.Repeat([]float32{1}, 3*chunk+1)},
	}
	var a, b bytes.Buffer
	if err := Write(&a, arrays...); err != nil {
		t.Fatal(err)
	}
	if err := Write(&b, arrays...); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("the same arrays gave other bytes")
	}
	got, err := Read(bytes.NewReader(a.Bytes()), int64(a.Len()))
	if err != nil || !reflect.DeepEqual(got, arrays) {
		t.Errorf("got %v, error %v", got, err)
	}
}

func TestWriteWrongUse(t *testing.T) {
	f := []float32{1, 2}
	for _, c := range []struct {
		arrays []Array
		want   string
	}{
		{[]Array{{Name: "x", Shape: []int{3}, Floats: f}}, "2 values for shape [3]"},
		{[]Array{{Name: "x", Shape: []int{-2}, Floats: f}}, "negative dimension"},
		{[]Array{{Name: "../x", Shape: []int{2}, Floats: f}}, "no name of an array"},
		{[]Array{{Name: "x", Shape: []int{2}, Floats: f, Ints: []int64{1, 2}}}, "both Floats and Ints"},
		{[]Array{{Name: "x", Shape: []int{2}, Floats: f}, {Name: "x", Shape: []int{2}, Floats: f}}, "two arrays of the name x"},
	} {
		if err := Write(io.Discard, c.arrays...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one on %s", err, c.want)
		}
	}
}

// npy is a .npy file with the given header text.
func npy(text, body string) string {
	return npyMagic + "\x01\x00" + string([]byte{byte(len(text)), byte(len(text) >> 8)}) + text + body
}

// archive packs entries by hand, so that lies can be told.
func archive(t testing.TB, method uint16, entries ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	zw := zip.NewWriter(&b)
	for i := 0; i < len(entries); i += 2 {
		w, err := zw.CreateHeader(&zip.FileHeader{Name: entries[i], Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, entries[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestReadDamaged flips every bit and cuts at every length of a file of ours: what
// still loads must be the same arrays (bits in dates and the like mean nothing).
func TestReadDamaged(t *testing.T) {
	var b bytes.Buffer
	want := []Array{{Name: "x", Shape: []int{2, 2}, Floats: []float32{1, 2, 3, 4}}, {Name: "y", Shape: []int{2}, Ints: []int64{5, 6}}}
	if err := Write(&b, want...); err != nil {
		t.Fatal(err)
	}
	whole := b.Bytes()
	for n := range whole {
		if _, err := Read(bytes.NewReader(whole[:n]), int64(n)); err == nil {
			t.Errorf("cut to %d bytes, it loads", n)
		}
	}
	for i := range 8 * len(whole) {
		whole[i/8] ^= 1 << (i % 8)
		got, err := Read(bytes.NewReader(whole), int64(len(whole)))
		if err == nil {
			for k := range got {
				got[k].Name = want[min(k, 1)].Name // names are not under a checksum
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("bit %d of byte %d: loads as %v", i%8, i/8, got)
			}
		}
		whole[i/8] ^= 1 << (i % 8)
	}
}
