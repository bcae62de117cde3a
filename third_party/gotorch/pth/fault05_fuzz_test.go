package pth_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/wangkuiyi/gotorch/faulttest"
	"github.com/wangkuiyi/gotorch/pth"
	"github.com/wangkuiyi/gotorch/weights"
)

// Whatever is read as a state_dict can be written and comes back the same.
func FuzzPth(f *testing.F) {
	paths, err := filepath.Glob("testdata/*.p*t*")
	if err != nil || len(paths) == 0 {
		f.Fatal("no seeds in testdata")
	}
	var seeds [][]byte
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		seeds = append(seeds, b)
	}
	d := new(weights.Dict)
	d.Set("w", weights.FromFloat32([]float32{1, 2, 3}))
	seeds = append(seeds, render(f, &weights.File{Tensors: d, Record: []byte(record)}), good().bytes())
	faulttest.Seeds(f, seeds...)
	f.Fuzz(func(t *testing.T, b []byte) {
		var file *weights.File
		var err error
		faulttest.Within(t, len(b), 0, func() { file, err = parse(b) })
		if err != nil {
			return
		}
		again, err := parse(render(t, file))
		if err != nil {
			t.Fatal(err)
		}
		if err := difference(again.Tensors, file.Tensors); err != nil {
			t.Error(err)
		}
	})
}

// The pickle alone, in a ZIP file that is right.
func FuzzPickle(f *testing.F) {
	var seeds [][]byte
	for _, p := range []string{
		dict(str("x") + vector), "\x80\x02" + hooks + "}" + str("_metadata") + hooks + "sb.",
		"\x80\x02ctorch._utils\n_rebuild_parameter\n(" + vector + "\x88" + hooks + "tR.",
		"\x80\x02]q\x00(K\x01M\x02\x03J\x04\x05\x06\x07\x8a\x01\xffG\x3f\xf0\x00\x00\x00\x00\x00\x00\x88\x89N)he.",
		"\x80\x02}(K\x01]Nas" + str("a") + "()\x85K\x01\x86K\x02K\x03K\x04\x87tu.",
	} {
		seeds = append(seeds, []byte(p))
	}
	faulttest.Seeds(f, seeds...)
	f.Fuzz(func(t *testing.T, p []byte) {
		b := checkpoint(string(p)).bytes()
		var v any
		var err error
		faulttest.Within(t, len(b), 0, func() { v, err = pth.Reader{}.ReadValueFrom(bytes.NewReader(b), int64(len(b))) })
		if err != nil {
			return
		}
		if d, err := pth.DictOf(v); err == nil {
			for name, tensor := range d.All() {
				if err := tensor.Check(); err != nil {
					t.Errorf("%q: %v", name, err)
				}
			}
		}
	})
}
