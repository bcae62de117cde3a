package npz_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"flowmatch/datasets/npz"
)

// TestReadNPY reads what lies in an archive, which stores its files as they are.
func TestReadNPY(t *testing.T) {
	for _, want := range []npz.Array{
		{Shape: []int{2, 2}, Floats: []float32{1, 2.5, -3, 4e-9}},
		{Shape: []int{3}, Ints: []int64{1, -2, 1 << 40}},
		{Shape: []int{0, 2}, Floats: []float32{}},
		{Shape: []int{}, Floats: []float32{7}},
	} {
		named := want
		named.Name = "a"
		var archive bytes.Buffer
		if err := npz.Write(&archive, named); err != nil {
			t.Fatal(err)
		}
		file := archive.Bytes()[bytes.Index(archive.Bytes(), []byte("\x93NUMPY")):]
		file = file[:128+4*len(want.Floats)+8*len(want.Ints)] // their headers take 128 bytes

		got, err := npz.ReadNPY(bytes.NewReader(file), int64(len(file)))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
		for n := range file {
			if _, err := npz.ReadNPY(bytes.NewReader(file[:n]), int64(n)); err == nil {
				t.Fatalf("%d of %d bytes are taken for the whole", n, len(file))
			}
		}
		// A size that is not the file's, as when it is cut while being read.
		if _, err := npz.ReadNPY(bytes.NewReader(file[:len(file)-1]), int64(len(file))); err == nil && len(file) > 128 {
			t.Error("a file shorter than it was is read")
		}
		longer := append(bytes.Clone(file), 0)
		if _, err := npz.ReadNPY(bytes.NewReader(longer), int64(len(longer))); err == nil || !strings.Contains(err.Error(), "bytes of") {
			t.Errorf("a byte too many: %v", err)
		}
	}
}
