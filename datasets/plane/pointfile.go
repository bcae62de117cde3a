package plane

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"flowmatch/datasets/internal/userfile"
	"flowmatch/datasets/npz"
	"flowmatch/datasets/set"
)

// mostPoints is how many points of a file are read: half a gigabyte of them.
const mostPoints = 32 << 20

// openPoints opens points:FILE, or points:FILE:X,Y where two of more columns are meant. Points
// that lie far from where noise lies are laid into a frame of their own, which a note says, or
// all into the given one.
func openPoints(info set.Info, into *framed) (*Set, error) {
	own := ownFileOf(info)
	var pick columns
	own.path, pick = withColumns(own.path)
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
	var points []float64
	var notes []string
	if err = pick.check(); err == nil {
		points, notes, err = read(f, size, pick)
	}
	if err == nil && len(points) == 0 {
		err = errors.New("it holds no points")
	}
	if err == nil {
		err = allFinite(points)
	}
	if err != nil {
		return nil, own.badPoints(err)
	}
	info.Data = fingerprint(points)
	if into == nil {
		info.Frame = frameOf(points)
	}
	s := pointList(info.Frame.Lay(points))
	s.Info = info
	for _, note := range notes {
		s.notes = append(s.notes, own.path+": "+note)
	}
	for _, note := range []string{stillNote(own.path, points), fewNote(own.path, points)} {
		if note != "" {
			s.notes = append(s.notes, note)
		}
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
	choose columns // two of more columns that may be meant
}

func (e *badPoints) Error() string { return e.fault }

// badPoints is what is wrong with the file, for people.
func (f ownFile) badPoints(err error) error {
	remedy := set.Remedy("it must hold two finite numbers a point, and at least one point")
	var bad *badPoints
	switch {
	case !errors.As(err, &bad):
	case bad.choose != nil:
		remedy = set.Remedy(fmt.Sprintf("name the two that are meant, as in points:%s:%s", f.path, strings.Join(bad.choose, ",")))
		if bad.choose[0] != "1" {
			remedy += ", or by their numbers from 1"
		}
		if bad.remedy != "" {
			remedy += "; " + bad.remedy
		}
	case bad.remedy != "":
		remedy = bad.remedy
	}
	return f.fault(userfile.PlainCause(err), remedy, err)
}

// pointReaders read files by their ending. They give points, two numbers each, and what is to be said of how they were read.
var pointReaders = map[string]func(f *os.File, size int64, pick columns) (points []float64, notes []string, err error){
	".csv": readText, ".tsv": readText, ".txt": readText, ".dat": readText,
	".npy": func(f *os.File, size int64, pick columns) ([]float64, []string, error) {
		a, err := npz.ReadNPY(f, size)
		if err != nil {
			return nil, nil, err
		}
		return pairs(a, pick)
	},
	".npz": readPointsNPZ,
}

// ReadsEnding tells whether files of such an ending, as ".csv", are read as points.
func ReadsEnding(ending string) bool { return pointReaders[ending] != nil }

func readText(f *os.File, size int64, pick columns) ([]float64, []string, error) {
	return readCSV(f, size, pick)
}

// faultOfEnding tells what a file is that is not read.
func (f ownFile) faultOfEnding(ending string) error {
	what, remedy := "its ending is none of .csv, .tsv, .txt, .dat, .npy, .npz", set.Remedy("save two columns as CSV, or an array of shape [N,2]")
	switch ending {
	case ".xlsx", ".xls", ".ods", ".numbers":
		what, remedy = "a spreadsheet", "save its columns as CSV"
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
func readPointsNPZ(f *os.File, size int64, pick columns) ([]float64, []string, error) {
	arrays, err := npz.Read(f, size, "x")
	if err == nil && len(arrays) == 0 {
		arrays, err = npz.Read(f, size)
	}
	switch {
	case err != nil:
		return nil, nil, err
	case len(arrays) == 0:
		return nil, nil, errors.New("it holds no array")
	case len(arrays) > 1:
		var names []string
		for _, a := range arrays {
			names = append(names, a.Name)
		}
		return nil, nil, &badPoints{fault: fmt.Sprintf("it holds %d arrays (%s) and none is called x", len(arrays), set.FirstOf(names)),
			remedy: "save the points alone, or under the name x"}
	}
	return pairs(arrays[0], pick)
}

// pairs are the points of an array, [N,2], or of the columns of a wider one that are meant.
func pairs(a npz.Array, pick columns) ([]float64, []string, error) {
	shape := fmt.Sprintf("an array of shape %s, not [N,2]", strings.ReplaceAll(fmt.Sprint(a.Shape), " ", ","))
	switch {
	case len(a.Shape) == 2 && pick != nil:
	case len(a.Shape) == 2 && a.Shape[0] == 2 && a.Shape[1] > 2:
		return nil, nil, &badPoints{fault: shape, remedy: "transpose it"}
	case len(a.Shape) == 2 && a.Shape[1] > 2:
		return nil, nil, &badPoints{fault: shape, choose: columns{"1", "2"}}
	case len(a.Shape) == 3 || len(a.Shape) == 4:
		return nil, nil, &badPoints{fault: shape, remedy: "points of the plane are two numbers each; images are read as picture files in a folder"}
	case len(a.Shape) != 2 || a.Shape[1] != 2:
		return nil, nil, errors.New(shape)
	}
	if a.Shape[0] > mostPoints {
		return nil, nil, fmt.Errorf("%d points: at most %d are read", a.Shape[0], mostPoints)
	}
	width := a.Shape[1]
	at, named, err := pick.among(make([][]byte, width))
	switch {
	case named:
		return nil, nil, &badPoints{fault: "an array's columns have no names", choose: columns{"1", "2"}}
	case err != nil:
		return nil, nil, err
	}
	value := func(i int) float64 {
		if a.Floats != nil {
			return float64(a.Floats[i])
		}
		return float64(a.Ints[i])
	}
	var lacking lackingPoints
	points := make([]float64, 0, 2*a.Shape[0])
	for i := range a.Shape[0] {
		x, y := value(i*width+at[0]), value(i*width+at[1])
		if math.IsNaN(x) || math.IsNaN(y) {
			lacking.add(func() string { return fmt.Sprintf("point %d is (%v, %v)", i+1, x, y) })
			continue
		}
		points = append(points, x, y)
	}
	note, err := lacking.among(len(points) / 2)
	if note == "" {
		return points, nil, err
	}
	return points, []string{note}, err
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
	return &badPoints{fault: fault, remedy: "leave such points out"}
}
