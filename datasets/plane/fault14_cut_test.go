package plane

import (
	"bytes"
	"fmt"
	"image/color"
	"strings"
	"testing"

	"github.com/wangkuiyi/gotorch/faulttest"

	"flowmatch/datasets/npz"
	"flowmatch/datasets/picture/picturetest"
)

// Files of users' own, cut: lists of points, arrays and pictures. Only a list may pass, which
// is one of fewer points then, and the picture without the marks of its end.
func TestOwnFilesCut(t *testing.T) {
	var list strings.Builder
	for i := range 100 {
		fmt.Fprintf(&list, "%d.25,-%d.5\n", i, i)
	}
	points := npz.Array{Name: "x", Shape: []int{100, 2}, Floats: make([]float32, 200)}
	img := picturetest.Paint(40, 40, func(x, y int) color.Color { return color.Gray{uint8(x * y)} })
	tried := 0
	for name, file := range map[string][]byte{
		"points:a.csv": []byte(list.String()), "points:a.npy": npyOf(t, points), "points:a.npz": npzOf(t, points),
		"image:a.png": picturetest.PNG(img), "image:a.jpg": picturetest.JPEG(img),
	} {
		kind, base, _ := strings.Cut(name, ":")
		for n := range faulttest.Lengths(len(file)) {
			set, err := Open(kind + ":" + writeFile(t, base, file[:n]))
			switch {
			case err != nil && strings.ContainsAny(err.Error(), "\n\x00"), err != nil && !strings.Contains(err.Error(), base):
				t.Errorf("%s cut to %d bytes: %q", name, n, err)
			case err == nil && kind == "image" && n < len(file)-16, err == nil && strings.Contains(base, "np"):
				t.Errorf("%s cut to %d of %d bytes passed", name, n, len(file))
			case base == "a.csv" && err == nil && set == nil, base == "a.csv" && err != nil && bytes.HasSuffix(file[:n], []byte("5\n")):
				t.Errorf("%s cut to %d bytes, behind a line: %v", name, n, err)
			}
			tried++
		}
	}
	faulttest.Report(t, "14", tried)
}
