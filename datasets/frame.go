package datasets

import (
	"errors"
	"fmt"
	"math"
	"strconv"
)

// Frame says how the points of a user's file are laid before a flow, which starts from
// N(0,1): a point x is z = (x - Middle) / Spread there, coordinate by coordinate. A nil
// Frame leaves points as they are.
type Frame struct {
	Middle [2]float64 `json:"middle"`
	Spread [2]float64 `json:"spread"`
}

// Points that lie as follows are left as they are: flows train well on them.
const (
	leastSpread, mostSpread = 0.2, 5 // the spread of both coordinates together
	mostAway                = 5      // of the middle from the origin
	mostUnequal             = 10     // one coordinate's spread over the other's
)

// frameOf is the frame in which points, [N,2], have the middle (0,0) and the spread 1 in
// each coordinate; nil if they lie well already. Its numbers have six digits.
func frameOf(points []float32) *Frame {
	n := float64(len(points) / 2)
	var f Frame
	for i, v := range points {
		f.Middle[i%2] += float64(v) / n
	}
	for i, v := range points {
		d := float64(v) - f.Middle[i%2]
		f.Spread[i%2] += d * d / n
	}
	both := math.Sqrt((f.Spread[0] + f.Spread[1]) / 2)
	for k := range f.Spread {
		f.Spread[k] = math.Sqrt(f.Spread[k])
	}
	least, most := min(f.Spread[0], f.Spread[1]), max(f.Spread[0], f.Spread[1])
	if both >= leastSpread && both <= mostSpread && math.Hypot(f.Middle[0], f.Middle[1]) <= mostAway &&
		(least == 0 || most <= mostUnequal*least) {
		return nil
	}
	for k := range f.Spread {
		f.Middle[k], f.Spread[k] = sixDigits(f.Middle[k]), sixDigits(f.Spread[k])
		if f.Spread[k] == 0 { // all in one place
			f.Spread[k] = 1
		}
	}
	return &f
}

func sixDigits(v float64) float64 {
	r, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 6, 64), 64)
	return r
}

// Check finds what makes a frame read from a file useless.
func (f *Frame) Check() error {
	if f == nil {
		return nil
	}
	for k := range 2 {
		if m, s := f.Middle[k], f.Spread[k]; math.IsNaN(m-m) || !(s > 0) || math.IsInf(s, 0) {
			return errors.New("a frame needs finite numbers, and a spread above 0")
		}
	}
	return nil
}

// into lays points, [N,2], into the frame, in place.
func (f *Frame) into(points []float32) {
	if f == nil {
		return
	}
	for i, v := range points {
		points[i] = float32((float64(v) - f.Middle[i%2]) / f.Spread[i%2])
	}
}

// Back gives points of the flow, [N,2], in the units of the file.
func (f *Frame) Back(points []float32) []float32 {
	if f == nil {
		return points
	}
	back := make([]float32, len(points))
	for i, z := range points {
		back[i] = float32(f.Middle[i%2] + f.Spread[i%2]*float64(z))
	}
	return back
}

// Equal tells whether two frames lay points in the same place.
func (f *Frame) Equal(g *Frame) bool {
	if f == nil || g == nil {
		return f == g
	}
	return *f == *g
}

func (f *Frame) String() string {
	if f == nil {
		return "as they are"
	}
	return fmt.Sprintf("less (%.6g, %.6g), divided by (%.6g, %.6g)", f.Middle[0], f.Middle[1], f.Spread[0], f.Spread[1])
}
