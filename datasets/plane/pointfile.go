package plane

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

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
	read, known := pointReaders[strings.ToLower(filepath.Ext(own.path))]
	if !known {
		return nil, own.fault("its ending is none of .csv, .npy, .npz", "save two columns as CSV, or an array of shape [N,2]", nil)
	}
	f, size, err := own.open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	points, err := read(f, size)
	if err == nil && len(points) == 0 {
		err = errors.New("it holds no points")
	}
	if err == nil {
		err = allFinite(points)
	}
	if err != nil {
		return nil, own.fault(userfile.PlainCause(err), "it must hold two finite numbers a point, and at least one point", err)
	}
	info.Data = fingerprint(points)
	if into == nil {
		info.Frame = frameOf(points)
	}
	s := pointList(info.Frame.Lay(points))
	s.Info = info
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

var pointReaders = map[string]func(f *os.File, size int64) ([]float64, error){
	".csv": func(f *os.File, size int64) ([]float64, error) { return readCSV(f, size) },
	".npy": func(f *os.File, size int64) ([]float64, error) {
		a, err := npz.ReadNPY(f, size)
		if err != nil {
			return nil, err
		}
		return pairs(a)
	},
	".npz": readPointsNPZ,
}

// readPointsNPZ takes the array x, as sampling writes it, or else the only array.
func readPointsNPZ(f *os.File, size int64) ([]float64, error) {
	arrays, err := npz.Read(f, size, "x")
	if err == nil && len(arrays) == 0 {
		arrays, err = npz.Read(f, size)
	}
	switch {
	case err != nil:
		return nil, err
	case len(arrays) == 0:
		return nil, errors.New("it holds no array")
	case len(arrays) > 1:
		return nil, fmt.Errorf("it holds %d arrays and none is called x", len(arrays))
	}
	return pairs(arrays[0])
}

// pairs checks that an array is [N,2].
func pairs(a npz.Array) ([]float64, error) {
	switch {
	case len(a.Shape) == 2 && a.Shape[0] == 2 && a.Shape[1] > 2:
		return nil, fmt.Errorf("an array of shape %v, not [N,2]: transpose it", a.Shape)
	case len(a.Shape) != 2 || a.Shape[1] != 2:
		return nil, fmt.Errorf("an array of shape %v, not [N,2]", a.Shape)
	case a.Shape[0] > mostPoints:
		return nil, fmt.Errorf("%d points: at most %d are read", a.Shape[0], mostPoints)
	}
	points := make([]float64, 0, len(a.Floats)+len(a.Ints))
	for _, v := range a.Floats {
		points = append(points, float64(v))
	}
	for _, v := range a.Ints {
		points = append(points, float64(v))
	}
	return points, nil
}

// readCSV reads two numbers a line, parted by a comma, a semicolon, a tab or spaces:
// whichever the first line has, in all of them. They may stand in quotes. Empty lines and lines that begin with #
// are passed over, and so is one line of words at the top. So many bytes are expected.
func readCSV(r io.Reader, size int64) ([]float64, error) {
	var points []float64
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 4096)
	part := byte(0)
	header := true // it may still come
	n := 0
	read := int64(0)
	for lines.Scan() {
		n++
		line := lines.Bytes()
		read += int64(len(line)) + 1
		if n == 1 {
			line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		if part == 0 {
			part = separator(line)
		}
		fields, columns := split(line, part)
		if columns != 2 {
			return nil, fmt.Errorf("line %d: %d columns, not 2", n, columns)
		}
		var v [2]float64
		var wrong [2]error
		for k, f := range fields {
			v[k], wrong[k] = strconv.ParseFloat(string(f), 64)
			if math.Abs(v[k]) > math.MaxFloat32 && !math.IsInf(v[k], 0) {
				wrong[k] = strconv.ErrRange
			}
		}
		if header && errors.Is(wrong[0], strconv.ErrSyntax) && errors.Is(wrong[1], strconv.ErrSyntax) {
			header = false
			continue
		}
		header = false
		for k, err := range wrong {
			if err != nil {
				return nil, fmt.Errorf("line %d: %.40q is no number of 32 bits", n, fields[k])
			}
		}
		if len(points) == 2*mostPoints {
			return nil, fmt.Errorf("more than %d points", mostPoints)
		}
		if len(points) == cap(points) {
			// As many as there will be if the lines to come are as long as those before.
			whole := float64(len(points)+2) * float64(size) / float64(read)
			points = slices.Grow(points, int(min(whole, 2*mostPoints))-len(points)*3/4+64)
		}
		points = append(points, v[0], v[1])
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return nil, fmt.Errorf("line %d is longer than 4096 bytes: not a list of points", n+1)
	}
	return points, lines.Err()
}

func separator(line []byte) byte {
	for _, c := range []byte(";,\t") {
		if bytes.IndexByte(line, c) >= 0 {
			return c
		}
	}
	return ' '
}

// split gives the first two columns of a line, and how many there are.
func split(line []byte, part byte) (fields [2][]byte, columns int) {
	for more := true; more; columns++ {
		end, after := bytes.IndexByte(line, part), 1
		if part == ' ' { // any spaces, any number of them
			end = bytes.IndexFunc(line, unicode.IsSpace)
			if end >= 0 {
				after = len(line[end:]) - len(bytes.TrimSpace(line[end:]))
			}
		}
		field := line
		if more = end >= 0; more {
			field, line = line[:end], line[end+after:]
		}
		if columns < len(fields) {
			fields[columns] = unquoted(bytes.TrimSpace(field))
		}
	}
	return fields, columns
}

// unquoted is a field without the quotes that it may stand in.
func unquoted(field []byte) []byte {
	last := len(field) - 1
	if last > 0 && (field[0] == '"' || field[0] == '\'') && field[last] == field[0] {
		return bytes.TrimSpace(field[1:last])
	}
	return field
}

func allFinite(points []float64) error {
	for i, v := range points {
		if !set.Finite(v) {
			return fmt.Errorf("point %d is (%v, %v)", i/2+1, points[i&^1], points[i|1])
		}
	}
	return nil
}
