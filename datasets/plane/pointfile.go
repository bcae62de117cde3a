package plane

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"flowmatch/datasets/internal/userfile"
	"flowmatch/datasets/npz"
	"flowmatch/datasets/set"
)

// mostPoints is how many points of a file are read: half a gigabyte of them.
const mostPoints = 32 << 20

// openPoints opens points:FILE. Points that lie far from where noise lies are laid into a
// frame of their own, which a note says, or all into the given one.
func openPoints(info set.Info, into *framed) (*Set, error) {
	own := ownFileOf(info)
	ending := strings.ToLower(filepath.Ext(own.path))
	read, known := pointReaders[ending]
	if !known {
		return nil, own.faultOfEnding(ending)
	}
	f, size, err := own.open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	points, note, err := read(f, size)
	if err == nil && len(points) == 0 {
		err = errors.New("it holds no points")
	}
	if err == nil {
		err = allFinite(points)
	}
	if err != nil {
		remedy := set.Remedy("it must hold two finite numbers a point, and at least one point")
		var bad *badPoints
		if errors.As(err, &bad) && bad.remedy != "" {
			remedy = bad.remedy
		}
		return nil, own.fault(userfile.PlainCause(err), remedy, err)
	}
	info.Data = fingerprint(points)
	if into == nil {
		info.Frame = frameOf(points)
	}
	s := pointList(info.Frame.Lay(points))
	s.Info = info
	if note != "" {
		s.notes = append(s.notes, own.path+": "+note)
	}
	if note := stillNote(own.path, points); note != "" {
		s.notes = append(s.notes, note)
	}
	if info.Frame != nil {
		s.notes = append(s.notes, fmt.Sprintf("the flow takes the points of %s %s; samples are given in the numbers of the file", own.path, info.Frame))
		if info.Frame.Coarse() {
			s.notes = append(s.notes, fmt.Sprintf("the numbers of %s lie so far from 0 that samples, which keep 7 digits, show little of them: subtract (%v, %v) from them to see more",
				own.path, info.Frame.Middle[0], info.Frame.Middle[1]))
		}
	}
	return s, nil
}

// badPoints is what is wrong with a file of points, where more can be said about what to do
// than what it must hold.
type badPoints struct {
	fault  string
	remedy set.Remedy
}

func (e *badPoints) Error() string { return e.fault }

// pointReaders read files by their ending. They give points, two numbers each, and what is to be said of how they were read.
var pointReaders = map[string]func(f *os.File, size int64) (points []float64, note string, err error){
	".csv": readText, ".tsv": readText, ".txt": readText, ".dat": readText,
	".npy": func(f *os.File, size int64) ([]float64, string, error) {
		a, err := npz.ReadNPY(f, size)
		if err != nil {
			return nil, "", err
		}
		return pairs(a)
	},
	".npz": readPointsNPZ,
}

// ReadsEnding tells whether files of such an ending, as ".csv", are read as points.
func ReadsEnding(ending string) bool { return pointReaders[ending] != nil }

func readText(f *os.File, size int64) ([]float64, string, error) { return readCSV(f, size) }

// faultOfEnding tells what a file is that is not read.
func (f ownFile) faultOfEnding(ending string) error {
	what, remedy := "its ending is none of .csv, .tsv, .txt, .dat, .npy, .npz", set.Remedy("save two columns as CSV, or an array of shape [N,2]")
	switch ending {
	case ".xlsx", ".xls", ".ods", ".numbers":
		what, remedy = "a spreadsheet", "save its two columns as CSV"
	case ".zip", ".gz", ".bz2", ".xz", ".zst":
		what, remedy = "packed", "unpack it, and name the file of points that is in it"
	}
	switch {
	case userfile.IsFolder(f.path):
		return f.folder()
	case !userfile.Exists(f.path):
		return f.absent(nil)
	}
	return f.fault(what, remedy, nil)
}

// readPointsNPZ takes the array x, as sampling writes it, or else the only array.
func readPointsNPZ(f *os.File, size int64) ([]float64, string, error) {
	arrays, err := npz.Read(f, size, "x")
	if err == nil && len(arrays) == 0 {
		arrays, err = npz.Read(f, size)
	}
	switch {
	case err != nil:
		return nil, "", err
	case len(arrays) == 0:
		return nil, "", errors.New("it holds no array")
	case len(arrays) > 1:
		return nil, "", fmt.Errorf("it holds %d arrays and none is called x", len(arrays))
	}
	return pairs(arrays[0])
}

// pairs checks that an array is [N,2].
func pairs(a npz.Array) ([]float64, string, error) {
	shape := fmt.Sprintf("an array of shape %s, not [N,2]", strings.ReplaceAll(fmt.Sprint(a.Shape), " ", ","))
	switch {
	case len(a.Shape) == 2 && a.Shape[0] == 2 && a.Shape[1] > 2:
		return nil, "", &badPoints{shape, "transpose it"}
	case len(a.Shape) == 2 && a.Shape[1] > 2:
		return nil, "", &badPoints{shape, "keep the two columns that are to be learnt"}
	case len(a.Shape) == 3 || len(a.Shape) == 4:
		return nil, "", &badPoints{shape, "points of the plane are two numbers each; images are read as PNG or JPEG files in a folder"}
	case len(a.Shape) != 2 || a.Shape[1] != 2:
		return nil, "", errors.New(shape)
	case a.Shape[0] > mostPoints:
		return nil, "", fmt.Errorf("%d points: at most %d are read", a.Shape[0], mostPoints)
	}
	points := make([]float64, 0, len(a.Floats)+len(a.Ints))
	for _, v := range a.Floats {
		points = append(points, float64(v))
	}
	for _, v := range a.Ints {
		points = append(points, float64(v))
	}
	return points, "", nil
}

func allFinite(points []float64) error {
	first, n := -1, 0
	for i := 0; i < len(points); i += 2 {
		if !set.Finite(points[i]) || !set.Finite(points[i+1]) {
			if n == 0 {
				first = i
			}
			n++
		}
	}
	if n == 0 {
		return nil
	}
	fault := fmt.Sprintf("point %d is (%v, %v)", first/2+1, points[first], points[first+1])
	if n > 1 {
		fault += fmt.Sprintf(", and %d more are not finite", n-1)
	}
	return &badPoints{fault, "leave such points out"}
}
