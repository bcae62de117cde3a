package plane

import (
	"bytes"
	"testing"

	"github.com/wangkuiyi/gotorch/faulttest"
)

func FuzzCSV(f *testing.F) {
	faulttest.Seeds(f, []byte("1,2\n"), []byte("x;y\n1;2"), []byte("# a\n\xef\xbb\xbf1 2\n"), []byte("nan,inf\n"), []byte("\"a\"\t'b'\n\"1.5e3\"\t'-2'\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		faulttest.Within(t, len(text), 0, func() {
			points, _, err := readCSV(bytes.NewReader(text), int64(len(text)))
			if err == nil && (len(points)%2 != 0 || len(points) > len(text)) {
				t.Errorf("%d numbers of %d bytes", len(points), len(text))
			}
		})
	})
}
