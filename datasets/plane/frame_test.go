package plane

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"flowmatch/datasets/set"
)

// TestStillPoints: a number that is the same at all points is said to be, and is not
// divided by what rounding makes of its spread.
func TestStillPoints(t *testing.T) {
	const odd = 0.1 + 0.2 // no sum of 500 of them, divided by 500, need be it
	file := func(at func(i int) (x, y float64)) []byte {
		var b bytes.Buffer
		for i := range 500 {
			x, y := at(i)
			fmt.Fprintf(&b, "%v,%v\n", x, y)
		}
		return b.Bytes()
	}
	for name, c := range map[string]struct {
		file  []byte
		frame *set.Frame
		note  string
	}{
		"one place": {file(func(int) (float64, float64) { return 1e4 * odd, odd }), &set.Frame{Middle: [2]float64{1e4 * odd, odd}, Spread: [2]float64{1, 1}}, "all 500 points of "},
		"last bits": {file(func(i int) (float64, float64) {
			return math.Float64frombits(math.Float64bits(77*odd) + uint64(i%2)), odd
		}), &set.Frame{Middle: [2]float64{77 * odd, odd}, Spread: [2]float64{1, 1}}, "all 500 points of "},
		"column": {file(func(i int) (float64, float64) { return float64(i%2)*2 - 1, 7 }), &set.Frame{Middle: [2]float64{0, 7}, Spread: [2]float64{1, 1}}, "the second number of every point of "},
		"row":    {file(func(i int) (float64, float64) { return odd, float64(i%2)*2 - 1 }), nil, "the first number of every point of "},
		"one":    {[]byte("3,4\n"), &set.Frame{Middle: [2]float64{3, 4}, Spread: [2]float64{1, 1}}, "holds one point, (3, 4)"},
		"few":    {file(func(i int) (float64, float64) { return 1 + 1e-13*float64(i), odd }), nil, "the second number"},
		"plain":  {file(func(i int) (float64, float64) { return float64(i%2)*2 - 1, float64(i%53)/26 - 1 }), nil, ""},
	} {
		s, err := Open("points:" + writeFile(t, "a.csv", c.file))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		notes := strings.Join(s.Notes(), "\n")
		if !strings.Contains(notes, c.note) || (c.note == "") != (notes == "") {
			t.Errorf("%s: notes %q, want %q", name, notes, c.note)
		}
		if name == "few" { // small, and real
			if s.Frame == nil || s.Frame.Spread[0] > 2e-11 || s.Frame.Spread[0] < 1e-11 || s.Frame.Spread[1] != 1 {
				t.Errorf("%s: %v", name, s.Frame)
			}
		} else if !s.Frame.Equal(c.frame) {
			t.Errorf("%s: frame %v, want %v", name, s.Frame, c.frame)
		}
		points := make([]float32, 200)
		s.Sample(points, 1, 0)
		for _, v := range points {
			if !(v >= -3 && v <= 3) {
				t.Fatalf("%s: a point at %v", name, v)
			}
		}
	}
}
