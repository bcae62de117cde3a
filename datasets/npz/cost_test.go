package npz

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/wangkuiyi/gotorch/faulttest"
)

// packed is an archive of arrays, deflated as far as that goes.
func packed(t *testing.T, arrays map[string]func(w io.Writer)) []byte {
	t.Helper()
	var b bytes.Buffer
	zw := zip.NewWriter(&b)
	zw.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, 9) })
	for name, write := range arrays {
		w, err := zw.Create(name + ".npy")
		if err != nil {
			t.Fatal(err)
		}
		write(w)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// zeros writes an array of zeros of a type and shape.
func zeros(descr, shape, order string, bytes int) func(w io.Writer) {
	return func(w io.Writer) {
		text := fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }", descr, order, shape)
		text += strings.Repeat(" ", 63-(10+len(text))%64) + "\n"
		fmt.Fprintf(w, "\x93NUMPY\x01\x00%c%c%s", len(text)&255, len(text)>>8, text)
		buf := make([]byte, 1<<20)
		for bytes > 0 {
			n, err := w.Write(buf[:min(bytes, len(buf))])
			if err != nil {
				return
			}
			bytes -= n
		}
	}
}

// What unfolds to much more than it is costs little, and so does what claims more than it has.
func TestCost(t *testing.T) {
	faulttest.Measures(t)
	const million = 1 << 20
	many := map[string]func(io.Writer){}
	for i := range 1000 {
		many[fmt.Sprint("a", i)] = zeros("<f4", "(100000,)", "False", 400_000)
	}
	for name, file := range map[string][]byte{
		"256 MB of floats":              packed(t, map[string]func(io.Writer){"x": zeros("<f4", "(33554432, 2)", "False", 256*million)}),
		"64 MB of booleans":             packed(t, map[string]func(io.Writer){"x": zeros("|b1", "(33554432, 2)", "False", 64*million)}),
		"7 MB of booleans, by columns":  packed(t, map[string]func(io.Writer){"x": zeros("|b1", "(3670016, 2)", "True", 7*million)}),
		"arrays that are small alone":   packed(t, many),
		"a claim of more than is there": packed(t, map[string]func(io.Writer){"x": zeros("<f4", "(2305843009213693, 2)", "False", 100)}),
		"a claim that overflows":        packed(t, map[string]func(io.Writer){"x": zeros("<f4", "(576460752303423488, 8, 4)", "False", 100)}),
	} {
		faulttest.Bounded(t, name, len(file), func() {
			_, err := Read(bytes.NewReader(file), int64(len(file)))
			if err == nil {
				t.Errorf("%s: was read", name)
			}
		})
	}
	// What was not packed is as long as it says.
	for name, write := range map[string]func(io.Writer){
		"bytes": zeros("|u1", "(10000000, 2)", "False", 20_000_000),
		"short": zeros("<f4", "(10000000, 2)", "False", 79_999_999),
	} {
		var b bytes.Buffer
		write(&b)
		faulttest.Bounded(t, "a .npy file: "+name, b.Len(), func() {
			if a, err := ReadNPY(bytes.NewReader(b.Bytes()), int64(b.Len())); err == nil {
				t.Errorf("%s: %d values were read", name, len(a.Ints)+len(a.Floats))
			}
		})
	}
}
