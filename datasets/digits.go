package datasets

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
)

// digitsFile is scikit-learn's copy of the set: a line per image, 64 values of
// 0..16 and the digit. data/README.md credits its makers.
//
//go:embed data/digits.csv.gz
var digitsFile []byte

const (
	digitsCount  = 1797
	digitsPixels = 64
)

// Digits is the UCI set of optical handwritten digits: 1,797 images of 8x8 with
// values 0..16, in ten classes, carried inside the program. Flows train on all of
// them.
func Digits() (*Images, error) { return Open("digits", Options{}) }

// DigitsHoldout parts the digits for a classifier: every fifth image is its test
// set, the others are for fitting it.
func DigitsHoldout() (fit, test *Images, err error) {
	all, err := Digits()
	if err != nil {
		return nil, nil, err
	}
	fit, test = all.holdOut()
	return fit, test, nil
}

func openDigits(info Info, _ Options) (*Images, error) {
	im, err := parseDigits(info, digitsFile)
	if err != nil {
		return nil, &FileError{Set: info.Name, File: "the copy inside the program", Fault: err.Error(),
			Remedy: "the program file is damaged: build it again", Err: err}
	}
	im.Undivided = true
	return im, nil
}

func parseDigits(info Info, zipped []byte) (*Images, error) {
	zr, err := gzip.NewReader(bytes.NewReader(zipped))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(zr, 1<<20))
	if err != nil {
		return nil, err
	}
	im := &Images{
		Info:   info,
		Pixels: make([]uint8, 0, digitsCount*digitsPixels),
		Labels: make([]uint8, 0, digitsCount),
	}
	for line := range bytes.Lines(text) {
		fields := bytes.Split(bytes.TrimSpace(line), []byte(","))
		if len(fields) != digitsPixels+1 {
			return nil, fmt.Errorf("line %d has %d values of %d", im.Len()+1, len(fields), digitsPixels+1)
		}
		for j, f := range fields {
			v, ok := smallNumber(f)
			if !ok {
				return nil, fmt.Errorf("line %d: %q is no number of 0..16", im.Len()+1, f)
			}
			if j < digitsPixels {
				im.Pixels = append(im.Pixels, v)
			} else {
				im.Labels = append(im.Labels, v)
			}
		}
	}
	if im.Len() != digitsCount {
		return nil, fmt.Errorf("%d images of %d", im.Len(), digitsCount)
	}
	if fault := im.check(); fault != "" {
		return nil, fmt.Errorf("%s", fault)
	}
	return im, nil
}

// smallNumber reads one or two decimal digits.
func smallNumber(f []byte) (uint8, bool) {
	if len(f) == 0 || len(f) > 2 {
		return 0, false
	}
	var v uint8
	for _, c := range f {
		if c < '0' || c > '9' {
			return 0, false
		}
		v = 10*v + c - '0'
	}
	return v, true
}
