package plane

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"flowmatch/datasets/npz"
	"flowmatch/datasets/set"
)

func TestColumns(t *testing.T) {
	trips := "id,lon,Lat,city\n7,1.5,2,\"Berlin, Mitte\"\n8,-3,4,\"a \"\"b\"\", c\"\n9,5,6.5,Ulm\n"
	for _, c := range []struct {
		name, file, text, pick string
		want                   []float64
		says                   string // a part of the error, or of the notes
	}{
		{"by name", "a.csv", trips, "lon,Lat", []float64{1.5, 2, -3, 4, 5, 6.5}, ""},
		{"in another case", "a.csv", trips, "LON,lat", []float64{1.5, 2, -3, 4, 5, 6.5}, ""},
		{"by number", "a.csv", trips, "2,3", []float64{1.5, 2, -3, 4, 5, 6.5}, ""},
		{"one of each, the other way round", "a.csv", trips, "Lat, 1", []float64{2, 7, 4, 8, 6.5, 9}, ""},
		{"no header", "a.csv", "1,2,3\n4,5,6\n", "3,1", []float64{3, 1, 6, 4}, ""},
		{"spaces", "a.txt", "a  b  c\n1 2   3\n", "a,c", []float64{1, 3}, ""},
		{"decimal commas", "a.csv", "a;b;c\n1,5;x;2\n", "a,c", []float64{1.5, 2}, "decimal points"},
		{"quotes and tabs", "a.tsv", "\"a\"\t\"b b\"\tc\n\"1\"\t\"x\ty\"\t3\n", "a,c", []float64{1, 3}, ""},
		{"an array", "a.npy", "", "3,1", []float64{3, 1, 6, 4}, ""},
		{"none asked for", "a.csv", trips, "", nil, "line 1: 4 columns (id, lon, Lat, city), not 2; name the two that are meant, as in points:FILE:lon,Lat, or by their numbers from 1"},
		{"none asked for, no names", "a.csv", "1,2,3\n", "", nil, "line 1: 3 columns (1, 2, 3), not 2; name the two that are meant, as in points:FILE:1,2"},
		{"none asked for, an array", "a.npy", "", "", nil, "shape [3,3], not [N,2]; name the two that are meant, as in points:FILE:1,2"},
		{"unknown", "a.csv", trips, "lon,height", nil, `no column "height" among id, lon, Lat, city; name the two`},
		{"too far", "a.csv", trips, "1,5", nil, "no column 5: it has 4"},
		{"the same", "a.csv", trips, "lon,2", nil, "lon and 2 are one column"},
		{"three", "a.csv", trips, "1,2,3", nil, "3 columns asked for"},
		{"one", "a.csv", trips, "lon", nil, "1 column asked for"},
		{"a name of an array", "a.npy", "", "x,y", nil, `no column "x"`},
		{"a word", "a.csv", trips, "lon,city", nil, `line 2: "Berlin, Mitte" is no number`},
		{"a short line", "a.csv", trips + "1,2\n", "lon,lat", nil, "line 5: 2 columns, not 4; all lines must have as many"},
	} {
		data := []byte(c.text)
		if strings.HasSuffix(c.file, ".npy") {
			data = npyOf(t, npz.Array{Shape: []int{3, 3}, Floats: []float32{1, 2, 3, 4, 5, 6, 7, 8, 9}})
			if c.want != nil {
				c.want = append(c.want, 9, 7)
			}
		}
		path := writeFile(t, c.file, data)
		name := "points:" + path
		if c.pick != "" {
			name += ":" + c.pick
		}
		s, err := Open(name)
		if c.want == nil {
			var fault *set.FileError
			if !errors.As(err, &fault) || fault.File != path || !strings.Contains(err.Error(), strings.ReplaceAll(c.says, "FILE", path)) {
				t.Errorf("%s: %v\nwant %s", c.name, err, c.says)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		points := make([]float64, 0, len(c.want))
		for i := 0; i < len(c.want); i += 2 {
			points = append(points, c.want[i], c.want[i+1])
		}
		if s.Data != fingerprint(points) || s.Name != name || !strings.Contains(strings.Join(s.Notes(), "\n"), c.says) {
			t.Errorf("%s: other points, or notes %q", c.name, s.Notes())
		}
	}
	// A file that is called so is meant whole.
	if s, err := Open("points:" + writeFile(t, "a.csv:1,2.csv", []byte("1,2\n"))); err != nil || s.Data != fingerprint([]float64{1, 2}) {
		t.Errorf("%v", err)
	}
	if got := set.Slug("points:trips.csv:lon,lat"); got != "points-trips-csv-lon-lat" {
		t.Errorf("%s", got)
	}
}

// TestLackingNumbers: what programs write for a number that is not known is passed over and
// counted, up to one point in ten.
func TestLackingNumbers(t *testing.T) {
	good := strings.Repeat("1,2\n", 20)
	for text, want := range map[string]string{
		good + ",3\n":              "1 of 21 points lack a number and are passed over: line 21: column 1 is empty",
		good + "1,NaN\nNULL,3\n":   `2 of 22 points lack a number and are passed over: line 21: "NaN" is no number`,
		good + "1,\n2,\n,\n":       "line 21: column 2 is empty, and 2 more of 23 lack a number",
		good + "1,x\n":             `line 21: "x" is no number`,
		good + "1,inf\n":           "",
		"x,y\n" + good + "n/a,2\n": `1 of 21 points lack a number and are passed over: line 22: "n/a" is no number`,
	} {
		points, notes, err := readCSV(strings.NewReader(text), int64(len(text)), nil)
		got := strings.Join(notes, "; ")
		if err != nil {
			got = err.Error()
		} else if n := 40; len(points) < n || !slices.Equal(points[:2], []float64{1, 2}) {
			t.Errorf("%q: %d numbers", text, len(points))
		}
		if got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestFewPoints(t *testing.T) {
	for text, want := range map[string]string{
		"-1,0\n1,1\n":                           "holds only 2 different points",
		strings.Repeat("-1,0\n1,1\n0,0\n", 100): "holds only 3 different points",
		"1,2\n":                                 "holds one point",
	} {
		notes := strings.Join(open2D(t, "points:"+writeFile(t, "a.csv", []byte(text))).Notes(), "\n")
		if !strings.Contains(notes, want) || strings.Count(notes, "holds") != 1 {
			t.Errorf("%q: %s, want %s", text, notes, want)
		}
	}
}
