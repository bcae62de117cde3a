package npz

import (
	"bytes"
	"io"
	"os"
	"testing"

	"github.com/wangkuiyi/gotorch/faulttest"
)

// An archive by NumPy, stored or packed, and the file of an array: no cut passes.
func TestNPZCut(t *testing.T) {
	stored, err := os.ReadFile("testdata/savez.npz")
	if err != nil {
		t.Fatal(err)
	}
	packed, err := os.ReadFile("testdata/compressed.npz")
	if err != nil {
		t.Fatal(err)
	}
	array := stored[bytes.Index(stored, []byte("\x93NUMPY")):][:128+4*120]
	tried := 0
	for name, c := range map[string]struct {
		file []byte
		read func(r io.ReaderAt, size int64) error
	}{
		"stored archive": {stored, func(r io.ReaderAt, size int64) error { _, err := Read(r, size); return err }},
		"packed archive": {packed, func(r io.ReaderAt, size int64) error { _, err := Read(r, size); return err }},
		"samples":        {stored, func(r io.ReaderAt, size int64) error { _, err := ReadSamples(r, size); return err }},
		"array": {array, func(r io.ReaderAt, size int64) error {
			_, err := ReadNPY(io.NewSectionReader(r, 0, size), size)
			return err
		}},
	} {
		if err := c.read(bytes.NewReader(c.file), int64(len(c.file))); err != nil {
			t.Errorf("%s, whole: %v", name, err)
		}
		for n := range faulttest.Lengths(len(c.file)) {
			if c.read(bytes.NewReader(c.file[:n]), int64(n)) == nil {
				t.Errorf("%s cut to %d of %d bytes passed", name, n, len(c.file))
			}
			tried++
		}
	}
	faulttest.Report(t, "14", tried)
}
