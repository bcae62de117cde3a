package plane

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"flowmatch/datasets/internal/userfile"
	"flowmatch/datasets/set"
)

// columns are the two of a file that are points, by their names in its first line or by
// their numbers from 1: ["lon" "lat"] of points:trips.csv:lon,lat. None: the file has two.
type columns []string

// withColumns parts what stands behind points: into the file and its columns. A file that has
// a colon in its name, and is there, is meant as a whole.
func withColumns(path string) (file string, pick columns) {
	i := strings.LastIndexByte(path, ':')
	if i < 0 || userfile.Exists(path) || !ReadsEnding(strings.ToLower(filepath.Ext(path[:i]))) {
		return path, nil
	}
	for _, name := range strings.Split(path[i+1:], ",") {
		pick = append(pick, strings.TrimSpace(name))
	}
	return path[:i], pick
}

// check finds what no file can have.
func (c columns) check() error {
	switch {
	case c == nil:
		return nil
	case len(c) != 2:
		return &badPoints{fault: fmt.Sprintf("%d %s asked for", len(c), set.Noun(len(c), "column")), choose: columns{"1", "2"}}
	case c[0] == "" || c[1] == "" || c[0] == c[1]:
		return &badPoints{fault: fmt.Sprintf("columns %q and %q", c[0], c[1]), choose: columns{"1", "2"}}
	}
	return nil
}

// among gives the places of the columns in a file's first line, from 0, and whether that line
// names them: a word stands for a name, digits for a number.
func (c columns) among(first [][]byte) (at [2]int, named bool, err error) {
	if c == nil {
		return [2]int{0, 1}, false, nil
	}
	for k, name := range c {
		n, err := strconv.Atoi(name)
		if err == nil {
			if n < 1 || n > len(first) {
				return at, false, &badPoints{fault: fmt.Sprintf("no column %d: it has %d", n, len(first)), choose: suggested(first)}
			}
			at[k] = n - 1
			continue
		}
		named = true
		if at[k] = called(first, name); at[k] < 0 {
			return at, false, &badPoints{fault: fmt.Sprintf("no column %q among %s", name, listed(first)), choose: suggested(first)}
		}
	}
	if at[0] == at[1] {
		return at, false, &badPoints{fault: fmt.Sprintf("%s and %s are one column", c[0], c[1]), choose: suggested(first)}
	}
	return at, named, nil
}

// called is the place of the column of that name, or else of one that differs from it in case;
// -1: there is none.
func called(first [][]byte, name string) int {
	for _, same := range []func(a, b []byte) bool{bytes.Equal, bytes.EqualFold} {
		for i, f := range first {
			if same(f, []byte(name)) {
				return i
			}
		}
	}
	return -1
}

// suggested are two columns that a user may mean: x and y, longitude and latitude, or else the
// first two.
func suggested(first [][]byte) columns {
	for _, pair := range []columns{{"x", "y"}, {"lon", "lat"}, {"longitude", "latitude"}} {
		if a, b := called(first, pair[0]), called(first, pair[1]); a >= 0 && b >= 0 {
			return columns{string(first[a]), string(first[b])}
		}
	}
	if len(first) >= 2 && plainName(first[0]) && plainName(first[1]) {
		return columns{string(first[0]), string(first[1])}
	}
	return columns{"1", "2"}
}

// plainName tells a name that can be written in a command as it is.
func plainName(field []byte) bool {
	if len(field) == 0 || len(field) > 40 {
		return false
	}
	digits := true
	for _, b := range field {
		letter := b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '_' || b == '-'
		if !letter && (b < '0' || b > '9') {
			return false
		}
		digits = digits && !letter
	}
	return !digits && field[0] != '-'
}

// listed are the fields of a line, of many the first.
func listed(fields [][]byte) string {
	const most = 8
	var names []string
	for _, f := range fields[:min(most, len(fields))] {
		names = append(names, fmt.Sprintf("%.40s", f))
	}
	if len(fields) > most {
		return fmt.Sprintf("%s, and %d more", strings.Join(names, ", "), len(fields)-most)
	}
	return strings.Join(names, ", ")
}
