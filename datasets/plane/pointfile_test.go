package plane

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"flowmatch/datasets/npz"
	"flowmatch/datasets/set"
)

func TestReadCSV(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []float64
		fault      string
	}{
		{"plain", "1,2\n3.5,-4e-1\n", []float64{1, 2, 3.5, -0.4}, ""},
		{"no last newline", "1,2\n3,4", []float64{1, 2, 3, 4}, ""},
		{"windows, header, spaces", "\xef\xbb\xbfx, y\r\n 1 ,\t2\r\n", []float64{1, 2}, ""},
		{"comments and gaps", "# made by hand\n\n1,2\n\n# more\n3,4\n", []float64{1, 2, 3, 4}, ""},
		{"semicolons", "1;2\n3;4\n", []float64{1, 2, 3, 4}, ""},
		{"tabs", "1\t2\n", []float64{1, 2}, ""},
		{"spaces", "1   2\n 3 4 \n", []float64{1, 2, 3, 4}, ""},
		{"quotes", "\"x\",\"y\"\n\"1.5\",\"-2\"\n\" 3\", 4\n", []float64{1.5, -2, 3, 4}, ""},
		{"single quotes", "'1' '2'\n", []float64{1, 2}, ""},
		{"half a quote", "\"1,2\n3,4\n", nil, "line 1"},
		{"a quote too many", "1,2\n\"\"3\"\",4\n", nil, "line 2"},
		{"nothing", "", nil, ""},
		{"header alone", "x,y\n", nil, ""},
		{"three columns", "1,2\n1,2,3\n", nil, "line 2: 3 columns, not 2"},
		{"one column", "1\n", nil, "line 1: 1 column (1), not 2"},
		{"an empty field", "1,2\n1,\n", nil, "line 2: column 2 is empty"},
		{"half a header", "x,2\n", nil, `line 1: "x" is no number`},
		{"a second header", "x,y\nx,y\n", nil, `line 2: "x" is no number`},
		{"words later", "1,2\nx,y\n", nil, `line 2: "x" is no number`},
		{"decimal commas", "x;y\n1,5;2\n-3,5e1;4,5\n", []float64{1.5, 2, -35, 4.5}, ""},
		{"decimal commas and tabs", "1,5\t2,5\n", []float64{1.5, 2.5}, ""},
		{"commas and tabs", "1.5,\t2.5\n", []float64{1.5, 2.5}, ""},
		{"commas, spaces and tabs", "1 ,2\t\n", []float64{1, 2}, ""},
		{"a comma after points", "1.5;2\n3;4,5\n", nil, `line 2: "4,5" has another decimal sign`},
		{"a point after commas", "1,5;2\n1.234;4\n", nil, `line 2: "1.234" has another decimal sign`},
		{"thousands", "1;2\n1.234,5;2\n", nil, `line 2: "1.234,5" is no number`},
		{"millions", "1,234,567;2\n", nil, `line 1: "1,234,567" is no number`},
		{"decimal commas between commas", "1,5,2,5\n", nil, "line 1: 4 columns"},
		{"words with points and commas", "a.b;c,d\n1,5;2\n", []float64{1.5, 2}, ""},
		{"carriage returns", "x,y\r1,2\r3,4\r", []float64{1, 2, 3, 4}, ""},
		{"line ends of all kinds", "1,2\r3,4\n5,6\r\n\r7,8", []float64{1, 2, 3, 4, 5, 6, 7, 8}, ""},
		{"UTF-16", "\xff\xfe1\x00,\x002\x00", nil, "UTF-16"},
		{"a spreadsheet", "PK\x03\x04\x14\x00", nil, "spreadsheet"},
		{"packed", "\x1f\x8b\x08\x00\x00", nil, "no text"},
		{"too large", "1e39,1\n", nil, `line 1: "1e39" is too large`},
		{"a long line", "1,2\n" + strings.Repeat("1", 5000), nil, "line 2 is longer"},
		{"other separator", "1,2\n3;4\n", nil, "line 2: 1 column, not 2"},
	} {
		got, notes, err := readCSV(strings.NewReader(c.text), int64(len(c.text)), nil)
		if c.fault != "" {
			if err == nil || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("%s: %v, %v; want %s", c.name, got, err, c.fault)
			}
			continue
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v; want %v", c.name, got, err, c.want)
		}
		if commas := strings.Contains(strings.Join(notes, "\n"), "decimal points"); commas != (strings.Contains(c.name, "decimal commas") || strings.HasPrefix(c.text, "a.b;")) {
			t.Errorf("%s: the notes are %q", c.name, notes)
		}
	}
}

// npzOf is an archive of arrays, npyOf the file of the only one in it.
func npzOf(t *testing.T, arrays ...npz.Array) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := npz.Write(&b, arrays...); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func npyOf(t *testing.T, a npz.Array) []byte {
	t.Helper()
	a.Name = "a"
	packed := npzOf(t, a)
	start := bytes.Index(packed, []byte("\x93NUMPY"))
	size := 128 // of the header, for shapes so small
	if a.Floats != nil {
		size += 4 * len(a.Floats)
	} else {
		size += 8 * len(a.Ints)
	}
	return packed[start : start+size]
}

func TestPoints(t *testing.T) {
	floats := npz.Array{Name: "p", Shape: []int{3, 2}, Floats: []float32{-1, 0, 1, 0.5, 0, 1}}
	whole := npz.Array{Name: "p", Shape: []int{3, 2}, Ints: []int64{-1, 0, 1, 1, 0, 1}}
	x := floats
	x.Name = "x"
	noise := floats
	noise.Name = "x0"
	for _, c := range []struct {
		file string
		data []byte
		want []float32
	}{
		{"ring.csv", []byte("x,y\n-1,0\n1,0.5\n0,1\n"), floats.Floats},
		{"UPPER.CSV", []byte("-1,0\n1,0.5\n0,1\n"), floats.Floats},
		{"ring.tsv", []byte("x\ty\n-1\t0\n1\t0.5\n0\t1\n"), floats.Floats},
		{"saved.txt", []byte("-1.0e+00 0.0e+00\n1.0e+00 5.0e-01\n0.0e+00 1.0e+00\n"), floats.Floats}, // as numpy.savetxt writes
		{"a.npy", npyOf(t, floats), floats.Floats},
		{"whole.npy", npyOf(t, whole), []float32{-1, 0, 1, 1, 0, 1}},
		{"one.npz", npzOf(t, floats), floats.Floats},
		{"samples.npz", npzOf(t, noise, x), floats.Floats},
	} {
		name := "points:" + writeFile(t, c.file, c.data)
		s := open2D(t, name)
		if s.Name != name || len(s.Notes()) != 1 || !strings.Contains(s.Notes()[0], "holds only 3 different points") {
			t.Errorf("%s: %+v, notes %q", c.file, s.Info, s.Notes())
		}
		counts := map[[2]float32]float64{}
		const n = 9000
		for i, p := 0, sampled(t, name, n, 1); i < len(p); i += 2 {
			counts[[2]float32{p[i], p[i+1]}]++
		}
		for i := 0; i < len(c.want); i += 2 {
			if got := counts[[2]float32{c.want[i], c.want[i+1]}]; math.Abs(got-n/3) > 5*math.Sqrt(n*2/9) {
				t.Errorf("%s: point %d was drawn %v times of %d", c.file, i/2, got, n)
			}
		}
		if len(counts) != 3 {
			t.Errorf("%s: %d different points", c.file, len(counts))
		}
		if _, ok := s.Entropy(); ok {
			t.Errorf("%s: a list of points claims an entropy", c.file)
		}
	}
}

func TestPointsFaults(t *testing.T) {
	array := func(shape []int, values ...float32) npz.Array {
		return npz.Array{Name: "a", Shape: shape, Floats: values}
	}
	nan := float32(math.NaN())
	wide := array([]int{2, 3}, 1, 2, 3, 4, 5, 6)
	other := wide
	other.Name = "b"
	short := npyOf(t, array([]int{2, 2}, 1, 2, 3, 4))
	for _, c := range []struct {
		file string
		data []byte
		want string
	}{
		{"a.json", []byte("[[1,2]]\n"), "its ending is none of .csv, .tsv, .txt, .dat, .npy, .npz; save"},
		{"a.XLSX", []byte("PK\x03\x04"), "a spreadsheet; save its columns as CSV"},
		{"a.csv.gz", []byte("\x1f\x8b"), "packed; unpack it"},
		{"i.npy", npyOf(t, array([]int{1, 2, 2}, 1, 2, 3, 4)), "shape [1,2,2], not [N,2]; points of the plane"},
		{"j.npy", npyOf(t, array([]int{3, 3}, 1, 2, 3, 4, 5, 6, 7, 8, 9)), "shape [3,3], not [N,2]; name the two that are meant, as in points:"},
		{"a.csv", nil, "it holds no points"},
		{"b.csv", []byte("1,2\nnan,3\n"), "line 2: \"nan\" is no number; leave"},
		{"e.csv", []byte("1,2\nnan,3\n1,inf\n5,nan\n"), "line 2: \"nan\" is no number, and 1 more of 4 lack a number; leave"},
		{"c.csv", []byte("1,2\n4,-inf\n"), "point 2 is (4, -Inf)"},
		{"d.csv", []byte("1,2,3\n"), "line 1: 3 columns"},
		{"a.npy", npyOf(t, wide), "transpose it"},
		{"b.npy", npyOf(t, array([]int{4}, 1, 2, 3, 4)), "shape [4], not [N,2]"},
		{"c.npy", npyOf(t, array([]int{1, 2}, 1, nan)), "point 1 is (1, NaN)"},
		{"d.npy", short[:len(short)-1], "143 bytes of 144"},
		{"e.npy", append(bytes.Clone(short), 0), "145 bytes of 144"},
		{"f.npy", []byte("1,2\n"), "truncated"},
		{"g.npy", npyOf(t, array([]int{0, 2})), "it holds no points"},
		{"a.npz", npzOf(t, wide, other), "2 arrays (a, b) and none is called x; save"},
		{"b.npz", npzOf(t), "no array"},
		{"c.npz", []byte("PK"), "not an .npz file"},
	} {
		path := writeFile(t, c.file, c.data)
		_, err := Open("points:" + path)
		var fault *set.FileError
		if !errors.As(err, &fault) || !strings.Contains(err.Error(), c.want) || fault.File != path || fault.Remedy == "" {
			t.Errorf("%s: %v\nwant %s", c.file, err, c.want)
		}
	}
	dir := t.TempDir()
	for _, kind := range []string{"points:", "image:"} {
		if _, err := Open(kind + dir); err == nil || !strings.Contains(err.Error(), "a folder; name a file in it; pictures in a folder are the set folder:"+dir) {
			t.Errorf("%s of a folder: %v", kind, err)
		}
	}
	if _, err := Open("points:none"); err == nil || !strings.Contains(err.Error(), "points: none: not found") {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := Open("points:none.csv"); err == nil || !strings.Contains(err.Error(), "points: none.csv: not found") {
		t.Errorf("a file that is not there: %v", err)
	}
}

// Points far from where noise lies are laid into a frame, which gives them back.
func TestFrames(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       *set.Frame
	}{
		{"near", "-1,0\n1,1\n", nil},
		{"wide", "0,0\n200,0\n", &set.Frame{Middle: [2]float64{100, 0}, Spread: [2]float64{100, 1}}},
		{"away", "100,1\n101,-1\n", &set.Frame{Middle: [2]float64{100.5, 0}, Spread: [2]float64{0.5, 1}}},
		{"narrow", "0,0\n0.01,0\n", &set.Frame{Middle: [2]float64{0.005, 0}, Spread: [2]float64{0.005, 1}}},
		{"one", "1,1\n", &set.Frame{Middle: [2]float64{1, 1}, Spread: [2]float64{1, 1}}},
		{"unequal", "-2,0.1\n2,-0.1\n", &set.Frame{Middle: [2]float64{0, 0}, Spread: [2]float64{2, 0.1}}},
		{"odd", "1e7,-3e-5\n1.0001e7,7e-5\n", &set.Frame{Middle: [2]float64{1.00005e7, 2e-5}, Spread: [2]float64{500, 5e-5}}},
	} {
		path := writeFile(t, c.name+".csv", []byte(c.text))
		s := open2D(t, "points:"+path)
		if !s.Frame.Equal(c.want) {
			t.Errorf("%s: %v, want %v", c.name, s.Frame, c.want)
		}
		if note := strings.Join(s.Notes(), "\n"); strings.Contains(note, "the flow takes") != (c.want != nil) || c.want != nil && !strings.Contains(note, c.want.String()) {
			t.Errorf("%s: note %q", c.name, note)
		}
		z := make([]float32, 200)
		s.Sample(z, 1, 0)
		own, _, err := readCSV(strings.NewReader(c.text), int64(len(c.text)), nil)
		if err != nil {
			t.Fatal(err)
		}
		x := s.Frame.Back(z)
		for i := range z {
			if math.Abs(float64(z[i])) > 3 {
				t.Errorf("%s: the flow is given %v", c.name, z[i])
			}
			back := false // one of the file's points
			for k := i % 2; k < len(own); k += 2 {
				back = back || math.Abs(float64(x[i])-own[k]) <= 1e-6*math.Abs(own[k])
			}
			if !back {
				t.Errorf("%s: %v comes back as %v", c.name, own, x[i])
			}
		}

		// A model knows its frame, whatever the file has become.
		if again, err := OpenIn("points:"+path, nil); err != nil || again.Frame != nil {
			t.Errorf("%s, as it is: %v, %v", c.name, again, err)
		}
		other := &set.Frame{Middle: [2]float64{1, 2}, Spread: [2]float64{3, 4}}
		if again, err := OpenIn("points:"+path, other); err != nil || !again.Frame.Equal(other) {
			t.Errorf("%s, in another frame: %v, %v", c.name, again, err)
		}
	}
	for _, bad := range []*set.Frame{{}, {Spread: [2]float64{1, -1}}, {Spread: [2]float64{1, math.Inf(1)}}, {Middle: [2]float64{math.NaN(), 0}, Spread: [2]float64{1, 1}}} {
		if bad.Check() == nil {
			t.Errorf("%v is no error", bad)
		}
	}
}

// Far from 0, where float32 has no room for how the points lie: the flow sees all of
// it, and the user is told what a file of float32 will show.
func TestFrameFarAway(t *testing.T) {
	var text strings.Builder
	for i := range 200 {
		fmt.Fprintf(&text, "%.2f,%d\n", 5334567.8+0.01*float64(i), 1700004321+i)
	}
	s := open2D(t, "points:"+writeFile(t, "far.csv", []byte(text.String())))
	z := make([]float32, 20000)
	s.Sample(z, 1, 0)
	var mean, square [2]float64
	var seen [2]map[float32]bool
	seen[0], seen[1] = map[float32]bool{}, map[float32]bool{}
	for i, v := range z {
		mean[i%2] += float64(v) / 10000
		square[i%2] += float64(v) * float64(v) / 10000
		seen[i%2][v] = true
	}
	for k := range 2 {
		if math.Abs(mean[k]) > 0.05 || math.Abs(square[k]-1) > 0.05 {
			t.Errorf("coordinate %d has the mean %v and the mean square %v", k, mean[k], square[k])
		}
		if len(seen[k]) != 200 {
			t.Errorf("coordinate %d has %d different numbers of 200", k, len(seen[k]))
		}
	}
	if notes := strings.Join(s.Notes(), "\n"); !strings.Contains(notes, "keep 7 digits") {
		t.Errorf("notes %q", notes)
	}
}

// Another file, or what a file has become, is told from the one before by its data.
func TestDataOfFiles(t *testing.T) {
	a := open2D(t, "points:"+writeFile(t, "a.csv", []byte("1,2\n3,4\n"))).Data
	if b := open2D(t, "points:"+writeFile(t, "b.csv", []byte("1;2\n3;4"))).Data; a != b {
		t.Error("the same points differ")
	}
	if c := open2D(t, "points:"+writeFile(t, "c.csv", []byte("1,2\n3,5\n"))).Data; a == c {
		t.Error("other points do not differ")
	}
	if len(a) != 64 || open2D(t, "moons").Data != "" {
		t.Errorf("%q", a)
	}
}
