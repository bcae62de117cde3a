package set

import (
	"errors"
	"fmt"
	"math"
)

// Frame says how the points of a user's file are laid before a flow, which starts from
// N(0,1): a point x is z = (x - Middle) / Spread there, coordinate by coordinate. A nil
// Frame leaves points as they are.
type Frame struct {
	Middle [2]float64 `json:"middle"`
	Spread [2]float64 `json:"spread"`
}

// Coarse tells whether float32, which has 24 bits, shows little of how points lie around
// the middle in the units of the file.
func (f *Frame) Coarse() bool {
	if f == nil {
		return false
	}
	return math.Abs(f.Middle[0]) > f.Spread[0]*(1<<14) || math.Abs(f.Middle[1]) > f.Spread[1]*(1<<14)
}

// Check finds what makes a frame read from a file useless.
func (f *Frame) Check() error {
	if f == nil {
		return nil
	}
	for k := range 2 {
		if m, s := f.Middle[k], f.Spread[k]; !Finite(m) || !Finite(s) || s <= 0 {
			return errors.New("a frame needs finite numbers, and a spread above 0")
		}
	}
	return nil
}

// Finite tells a number from what is none, or has no end.
func Finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// Lay lays points, [N,2], into the frame.
func (f *Frame) Lay(points []float64) []float32 {
	laid := make([]float32, len(points))
	for i, v := range points {
		if f != nil {
			v = (v - f.Middle[i%2]) / f.Spread[i%2]
		}
		laid[i] = float32(v)
	}
	return laid
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
	return fmt.Sprintf("less (%v, %v), divided by (%v, %v)", f.Middle[0], f.Middle[1], f.Spread[0], f.Spread[1])
}
