package viz

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"

	"golang.org/x/image/vector"
)

// Field is a velocity field at one time, at the places of [FieldGrid].
type Field struct {
	T float64
	V []float32 // [n*n,2]
}

// FieldGrid gives the places of n x n velocities, [n*n,2]: the middles of equal cells of
// the range, row after row from the lowest y, x running fastest.
func FieldGrid(r Range, n int) []float32 {
	places := make([]float32, 0, 2*n*n)
	for j := range n {
		for i := range n {
			x := r.X0 + (float64(i)+0.5)/float64(n)*(r.X1-r.X0)
			y := r.Y0 + (float64(j)+0.5)/float64(n)*(r.Y1-r.Y0)
			places = append(places, float32(x), float32(y))
		}
	}
	return places
}

// topSpeed is the speed of a panel's longest arrows and its last colour: the 0.95 quantile
// of the field, so that a few wild ones do not make all others dots. Each panel has its
// own: over a whole film the slow times, and a rectified flow beside one that is not,
// would be nothing but dots.
func topSpeed(field []float32) float64 {
	var speeds []float64
	for i := 0; i+1 < len(field); i += 2 {
		if s := math.Hypot(float64(field[i]), float64(field[i+1])); isFinite(s) {
			speeds = append(speeds, s)
		}
	}
	if len(speeds) == 0 {
		return 1
	}
	slices.Sort(speeds)
	if s := quantile(speeds, 0.95); s > 0 {
		return s
	}
	return 1
}

// speedText is a speed for a heading.
func speedText(v float64) string {
	if v >= 10 && v < 1e6 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.2g", v)
}

// A quiver's colours: hues of coolwarm, each blended in a few steps with what is behind
// the arrows, so that their edges are smooth in a palette too.
const (
	hues   = 32
	blends = 4 // quarters of an edge pixel's cover
)

// quiver draws arrows on a square of a page whose palette has its colours from first on,
// the blends of a hue lying together.
type quiver struct {
	first  int
	ground uint8 // index of what is behind the arrows
	n      int   // arrows a side
	raster *vector.Rasterizer
	cover  *image.Alpha
}

// quiverGround is dark: the middle of coolwarm is a light grey, lost on white.
var quiverGround = color.RGBA{0x22, 0x20, 0x2c, 0xff}

// quiverColours are the hues blended with the ground.
func quiverColours() []color.RGBA {
	var colours []color.RGBA
	for _, hue := range coolwarm.levels(hues) {
		for b := 1; b <= blends; b++ {
			mix := func(c, ground uint8) uint8 {
				return uint8((int(c)*b + int(ground)*(blends-b) + blends/2) / blends)
			}
			colours = append(colours, color.RGBA{mix(hue.R, quiverGround.R), mix(hue.G, quiverGround.G), mix(hue.B, quiverGround.B), 255})
		}
	}
	return colours
}

func newQuiver(first int, ground uint8, n int) *quiver {
	return &quiver{first: first, ground: ground, n: n, raster: vector.NewRasterizer(1, 1)}
}

// draw draws the field on the square of side pixels whose corner is at, top being the
// speed of the longest arrows.
func (q *quiver) draw(page *image.Paletted, at image.Point, side int, field []float32, top float64) {
	for y := range side {
		row := page.Pix[page.PixOffset(at.X, at.Y+y):][:side]
		for x := range row {
			row[x] = q.ground
		}
	}
	cell := float64(side) / float64(q.n)
	for k := 0; 2*k+1 < len(field) && k < q.n*q.n; k++ {
		vx, vy := float64(field[2*k]), float64(field[2*k+1])
		speed := math.Hypot(vx, vy)
		if !isFinite(speed) || speed == 0 { // which points nowhere
			continue
		}
		part := min(1, speed/top)
		length := math.Sqrt(part) * longestArrow * cell
		x, y := vx/speed, -vy/speed
		cx := (float64(k%q.n) + 0.5) * cell
		cy := (float64(q.n-1-k/q.n) + 0.5) * cell
		q.arrow(page, at, side, cx, cy, x, y, length, cell, uint8(q.first+blends*step(part, hues)))
	}
}

// The arrows' measure: lengths in cells, widths in pixels at cells of 33. Colours are in
// proportion to the speed, lengths to its root, so that slow ones point somewhere too.
const (
	longestArrow = 1.05
	shaftWidth   = 2.6
	headWidth    = 8.5
	headLength   = 10.5
	usualCell    = 33.0
)

// arrow draws one with its middle at (cx,cy) of the square and direction (x,y), in the
// colours from hue on.
func (q *quiver) arrow(page *image.Paletted, at image.Point, side int, cx, cy, x, y, length, cell float64, hue uint8) {
	unit := cell / usualCell
	shaft, wide, head := shaftWidth*unit/2, headWidth*unit/2, headLength*unit
	if length < head*1.6 { // a short arrow is a small one
		s := max(length/(head*1.6), 0.5)
		shaft, wide, head = shaft*max(s, 0.6), wide*s, head*s
		length = max(length, head)
	}
	box := int(math.Ceil(length/2+wide)) + 2
	size := 2 * box
	x0, y0 := int(cx)-box, int(cy)-box
	q.raster.Reset(size, size)
	// Along the arrow by a from its middle, across it by b.
	to := func(a, b float64) (float32, float32) {
		return float32(cx - float64(x0) + a*x - b*y), float32(cy - float64(y0) + a*y + b*x)
	}
	tail, neck, tip := -length/2, length/2-head, length/2
	q.raster.MoveTo(to(tail, -shaft))
	q.raster.LineTo(to(neck, -shaft))
	q.raster.LineTo(to(neck, -wide))
	q.raster.LineTo(to(tip, 0))
	q.raster.LineTo(to(neck, wide))
	q.raster.LineTo(to(neck, shaft))
	q.raster.LineTo(to(tail, shaft))
	q.raster.ClosePath()
	if q.cover == nil || q.cover.Rect.Dx() < size {
		q.cover = image.NewAlpha(image.Rect(0, 0, size, size))
	}
	clear(q.cover.Pix)
	q.raster.Draw(q.cover, image.Rect(0, 0, size, size), image.Opaque, image.Point{})

	for j := max(0, -y0); j < min(size, side-y0); j++ {
		for i := max(0, -x0); i < min(size, side-x0); i++ {
			b := (int(q.cover.Pix[j*q.cover.Stride+i])*blends + 127) / 255
			if b == 0 {
				continue
			}
			px := &page.Pix[page.PixOffset(at.X+x0+i, at.Y+y0+j)]
			// Where arrows meet, the pixel belongs to the one that covers more of it.
			if *px == q.ground || (int(*px)-q.first)%blends < b {
				*px = hue + uint8(b-1)
			}
		}
	}
}
