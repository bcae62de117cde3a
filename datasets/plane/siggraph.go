package plane

import (
	"image"
	"math"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// siggraph is a list of points that spell a word, drawn from with replacement.
func siggraph() *Set { return pointList(wordPoints()) }

const wordCount = 9800

// wordPoints fills the letters evenly: the page is parted into cells, and each gives
// one point, anywhere in it, if that falls on a letter. They are centred, and the
// longest line reaches from -4 to 4.
var wordPoints = sync.OnceValue(func() []float32 {
	page := writeWord("SIG", "GRAPH")
	area := 0
	for _, a := range page.Pix {
		if a >= 128 {
			area++
		}
	}
	const spare = 1.02 // cells at the letters' rims win and lose; some points too many
	cell := math.Sqrt(float64(area) / (spare * wordCount))
	w, h := page.Rect.Dx(), page.Rect.Dy()
	columns, rows := int(float64(w)/cell)+1, int(float64(h)/cell)+1

	d := drawsOf(0, 0)
	var found [][2]float64
	for row := range rows {
		for column := range columns {
			x := (float64(column) + d.uniform()) * cell
			y := (float64(row) + d.uniform()) * cell
			if int(x) < w && int(y) < h && page.AlphaAt(int(x), int(y)).A >= 128 {
				found = append(found, [2]float64{x, y})
			}
		}
	}
	for len(found) > wordCount {
		i := d.below(uint64(len(found)))
		found[i] = found[len(found)-1]
		found = found[:len(found)-1]
	}

	var mean [2]float64
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, p := range found {
		mean[0] += p[0] / float64(len(found))
		mean[1] += p[1] / float64(len(found))
		lo, hi = min(lo, p[0]), max(hi, p[0])
	}
	scale := 8 / (hi - lo)
	points := make([]float32, 0, 2*len(found))
	for _, p := range found {
		points = append(points, float32((p[0]-mean[0])*scale), float32((mean[1]-p[1])*scale))
	}
	return points
})

// writeWord sets lines of large letters one below the other, each in the middle.
func writeWord(lines ...string) *image.Alpha {
	const em = 400
	parsed, err := opentype.Parse(gobold.TTF)
	if err != nil {
		panic("plane: the built-in font: " + err.Error())
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: em, DPI: 72})
	if err != nil {
		panic("plane: the built-in font: " + err.Error())
	}
	width := 0
	for _, line := range lines {
		width = max(width, font.MeasureString(face, line).Ceil())
	}
	capital := face.Metrics().CapHeight.Ceil()
	const gap = em / 5
	page := image.NewAlpha(image.Rect(0, 0, width, len(lines)*(capital+gap)))
	pen := font.Drawer{Dst: page, Src: image.Opaque, Face: face}
	for i, line := range lines {
		pen.Dot = fixed.P((width-font.MeasureString(face, line).Ceil())/2, i*(capital+gap)+capital+gap/2)
		pen.DrawString(line)
	}
	return page
}

// pointList draws from a list, [N,2], with replacement.
func pointList(points []float32) *Set {
	n := uint64(len(points) / 2)
	return &Set{
		sample: func(dst []float32, key uint64, first int64) {
			for i := 0; i < len(dst); i, first = i+2, first+1 {
				d := drawsOf(key, first)
				k := 2 * d.below(n)
				dst[i], dst[i+1] = points[k], points[k+1]
			}
		},
	}
}
