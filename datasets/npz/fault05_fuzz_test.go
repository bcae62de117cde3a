package npz

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wangkuiyi/gotorch/faulttest"
)

func FuzzNPZ(f *testing.F) {
	var seeds [][]byte
	for _, name := range []string{"savez.npz", "compressed.npz", "kinds.npz", "object.npz"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		seeds = append(seeds, data)
	}
	bomb := npy("{'descr': '|u1', 'fortran_order': False, 'shape': (67108864,), }\n", strings.Repeat("\x00", 64<<20))
	seeds = append(seeds, archive(f, zip.Deflate, "x.npy", bomb))
	faulttest.Seeds(f, seeds...)
	f.Fuzz(func(t *testing.T, file []byte) {
		var arrays []Array
		var err error
		faulttest.Within(t, len(file), 0, func() { arrays, err = Read(bytes.NewReader(file), int64(len(file))) })
		if err != nil {
			return
		}
		for _, a := range arrays {
			if err := a.check(); err != nil {
				t.Errorf("read an array that cannot be written: %v", err)
			}
		}
		faulttest.Within(t, len(file), 0, func() { _, _ = ReadSamples(bytes.NewReader(file), int64(len(file))) })
	})
}

func FuzzNPY(f *testing.F) {
	faulttest.Seeds(f, []byte(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }\n", "0123456789abcdef")),
		[]byte(npy(`{"shape":(),"fortran_order":True,"descr":"|u1"}`, "1")))
	f.Fuzz(func(t *testing.T, file []byte) {
		faulttest.Within(t, len(file), 0, func() {
			if a, err := ReadNPY(bytes.NewReader(file), int64(len(file))); err == nil && len(a.Floats)+len(a.Ints) > len(file) {
				t.Errorf("%d numbers of %d bytes", len(a.Floats)+len(a.Ints), len(file))
			}
		})
	})
}

func FuzzNPYHeader(f *testing.F) {
	faulttest.Seeds(f, []byte("{'descr': '<f4', 'fortran_order': False, 'shape': (10, 1, 8, 8), }   \n"), []byte(`{"shape":(),"fortran_order":True,"descr":"|u1"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var h header
		var err error
		faulttest.Within(t, len(text), 0, func() { h, err = parseHeader(string(text)) })
		if err != nil {
			return
		}
		// What was understood says the same when it is written again.
		again, err := parseHeader(string(npyHeader(h.kind.descr, h.shape)[10:]))
		if err != nil || again.kind.descr != h.kind.descr || !slices.Equal(again.shape, h.shape) {
			t.Errorf("%q became %v, then %v, error %v", text, h, again, err)
		}
	})
}
