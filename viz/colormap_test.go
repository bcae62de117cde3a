package viz

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image/color"
	"math"
	"testing"
)

// TestColormaps: matplotlib 3.11's own values, as numpy.round(255 * colormaps[name](i)),
// and the sum over all 256 x 3 bytes.
func TestColormaps(t *testing.T) {
	for _, c := range []struct {
		name   string
		m      *colormap
		values map[int]string
		sha256 string
	}{
		{"viridis", viridis, map[int]string{0: "440154", 64: "3b528b", 127: "21908d", 128: "21918c", 200: "70cf57", 255: "fde725"}, "18545f7c72a02f02a54f2e3f6ff9dcf357e0190ab9117a1f8fae44c6eaf179e0"},
		{"coolwarm", coolwarm, map[int]string{0: "3b4cc0", 64: "8db0fe", 127: "dcdddd", 128: "dddcdc", 200: "f08b6e", 255: "b40426"}, "c80051e617dce52a08a48401466162a2f4204b3d3d3f49378a021cd34a0ac364"},
	} {
		for i, want := range c.values {
			if got := fmt.Sprintf("%02x%02x%02x", c.m[i].R, c.m[i].G, c.m[i].B); got != want {
				t.Errorf("%s, colour %d: %s, want %s", c.name, i, got, want)
			}
		}
		var all []byte
		for _, v := range c.m {
			all = append(all, v.R, v.G, v.B)
		}
		if sum := sha256.Sum256(all); hex.EncodeToString(sum[:]) != c.sha256 {
			t.Errorf("%s: the table's sum is %x", c.name, sum)
		}
	}
}

func TestColormapAt(t *testing.T) {
	for _, c := range []struct {
		v    float64
		want int
	}{
		{0, 0}, {1.0 / 256, 1}, {0.0039, 0}, {0.5, 128}, {0.9999, 255}, {1, 255},
		{-3, 0}, {7, 255}, {math.NaN(), 0}, {math.Inf(1), 255}, {math.Inf(-1), 0},
	} {
		if got := viridis.at(c.v); got != viridis[c.want] {
			t.Errorf("at %v: %v, want colour %d", c.v, got, c.want)
		}
	}
	ends := viridis.levels(5)
	if ends[0] != viridis[0] || ends[4] != viridis[255] || ends[2] != viridis[128] {
		t.Errorf("five levels: %v", ends)
	}
	if one := viridis.levels(1); len(one) != 1 || one[0] != (color.RGBA{0x44, 0x01, 0x54, 255}) {
		t.Errorf("one level: %v", one)
	}
}
