package npz

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Array is a named array of numbers, in rows (the last index runs fastest). Floats
// or Ints holds the values, the other is nil. Files keep Floats as float32 and Ints
// as int64; on reading, float64 is rounded to float32, and every kind of whole
// number and boolean becomes int64.
type Array struct {
	Name   string
	Shape  []int
	Floats []float32
	Ints   []int64
}

// maxRank is the number of dimensions that anybody needs.
const maxRank = 8

// elements is the product of a shape, or an error where it is none.
func elements(shape []int) (int, error) {
	if len(shape) > maxRank {
		return 0, fmt.Errorf("%d dimensions: at most %d are read", len(shape), maxRank)
	}
	n := 1
	for _, d := range shape {
		switch {
		case d < 0:
			return 0, fmt.Errorf("shape %v has a negative dimension", shape)
		case d > 0 && n > math.MaxInt/16/d: // 16: room for the size in bytes
			return 0, fmt.Errorf("shape %v has too many elements", shape)
		}
		n *= d
	}
	return n, nil
}

// check says what makes the array impossible to write.
func (a *Array) check() error {
	if !goodName(a.Name) {
		return fmt.Errorf("npz: %q is no name of an array", a.Name)
	}
	if a.Floats != nil && a.Ints != nil {
		return fmt.Errorf("npz: %s: has both Floats and Ints", a.Name)
	}
	n, err := elements(a.Shape)
	if err != nil {
		return fmt.Errorf("npz: %s: %w", a.Name, err)
	}
	if have := len(a.Floats) + len(a.Ints); have != n {
		return fmt.Errorf("npz: %s: %d values for shape %v, which has %d", a.Name, have, a.Shape, n)
	}
	return nil
}

// goodName keeps to what is safe as a file's name anywhere.
func goodName(s string) bool {
	if s == "" || len(s) > 255 || s[0] == '.' {
		return false
	}
	return !slices.ContainsFunc([]byte(s), func(c byte) bool {
		return c < 0x21 || c > 0x7e || c == '/' || c == '\\' || c == ':'
	})
}

var errCutShort = errors.New("truncated")
