package npz

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/wangkuiyi/gotorch/regular"
)

// Samples is what sampling writes, and reads to start from.
type Samples struct {
	Shape []int     // of one sample: [2], or [C,H,W]
	X     []float32 // [N, Shape...] samples as the solver left them; nil if not there
	Y     []int64   // [N] classes; nil if there are none
	X0    []float32 // [N, Shape...] the noise that they came from; nil if not there
}

// Len is the number of samples.
func (s *Samples) Len() int {
	dim, err := elements(s.Shape)
	if err != nil || dim == 0 {
		return 0
	}
	return max(len(s.X), len(s.X0)) / dim
}

// WriteSamples writes the arrays x, y and x0, those that are not nil.
func WriteSamples(w io.Writer, s *Samples) error {
	n := s.Len()
	shape := append([]int{n}, s.Shape...)
	var arrays []Array
	if s.X != nil {
		arrays = append(arrays, Array{Name: "x", Shape: shape, Floats: s.X})
	}
	if s.Y != nil {
		arrays = append(arrays, Array{Name: "y", Shape: []int{n}, Ints: s.Y})
	}
	if s.X0 != nil {
		arrays = append(arrays, Array{Name: "x0", Shape: shape, Floats: s.X0})
	}
	return Write(w, arrays...)
}

// ReadSamples reads the arrays x, y and x0 of an archive of size bytes. At least x
// or x0 must be there; their shapes must agree, and y must have one class for each
// sample. x0 must be finite.
func ReadSamples(r io.ReaderAt, size int64) (*Samples, error) {
	arrays, err := Read(r, size, "x", "y", "x0")
	if err != nil {
		return nil, err
	}
	s := &Samples{}
	var shape []int
	for _, a := range arrays {
		if a.Name == "y" {
			continue
		}
		switch {
		case a.Floats == nil:
			return nil, fmt.Errorf("array %s holds whole numbers: save it as float32", a.Name)
		case len(a.Shape) < 2 || len(a.Floats) == 0:
			return nil, fmt.Errorf("array %s has shape %v, not [N,2] or [N,C,H,W]", a.Name, a.Shape)
		case shape != nil && !slices.Equal(shape, a.Shape):
			return nil, fmt.Errorf("arrays x and x0 differ in shape: %v and %v", shape, a.Shape)
		}
		shape = a.Shape
		if a.Name == "x" {
			s.X = a.Floats
		} else {
			s.X0 = a.Floats
		}
	}
	if shape == nil {
		return nil, errors.New("it holds neither x nor x0")
	}
	s.Shape = shape[1:]
	for i, v := range s.X0 {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return nil, fmt.Errorf("array x0 has a value that is not finite, in sample %d", i/(len(s.X0)/shape[0]))
		}
	}
	for _, a := range arrays {
		if a.Name != "y" {
			continue
		}
		if a.Ints == nil || len(a.Shape) != 1 || a.Shape[0] != shape[0] {
			return nil, fmt.Errorf("array y must hold %d whole numbers: its shape is %v", shape[0], a.Shape)
		}
		s.Y = a.Ints
	}
	return s, nil
}

// OpenSamples is ReadSamples of a file; errors name it.
func OpenSamples(path string) (*Samples, error) {
	f, size, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s, err := ReadSamples(f, size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}
