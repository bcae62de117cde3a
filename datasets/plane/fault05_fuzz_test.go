package plane

import (
	"bytes"
	"testing"

	"github.com/wangkuiyi/gotorch/faulttest"
)

func FuzzCSV(f *testing.F) {
	faulttest.Seeds(f, []byte("1,2\n"), []byte("x;y\n1;2"), []byte("# a\n\xef\xbb\xbf1 2\n"), []byte("nan,inf\n"), []byte("\"a\"\t'b'\n\"1.5e3\"\t'-2'\n"),
		[]byte("x,name,y\n1,\"a, \"\"b\"\"\",2\n,,\n"), []byte("x y z\n1 \"2 3\" na\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		faulttest.Within(t, len(text), 0, func() {
			for _, pick := range []columns{nil, {"x", "y"}, {"3", "1"}} {
				points, _, err := readCSV(bytes.NewReader(text), int64(len(text)), pick)
				if err == nil && (len(points)%2 != 0 || len(points) > len(text)) {
					t.Errorf("%d numbers of %d bytes, by %q", len(points), len(text), pick)
				}
			}
		})
	})
}
