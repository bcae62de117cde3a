package viz

import (
	"image"
	"image/color"
	"strings"
	"testing"
)

// ramp is n samples of one level each: sample i has all pixels at levels[i].
func ramp(shape [3]int, levels ...float32) Pictures {
	p := Pictures{Shape: shape}
	for _, v := range levels {
		for range p.dim() {
			p.X = append(p.X, v)
		}
	}
	return p
}

func TestImageGrid(t *testing.T) {
	p := ramp([3]int{1, 2, 3}, -1, 1, 0, -5)
	p.X[0] = 1 // the first pixel of sample 0
	img, err := ImageGrid(p, GridConfig{Layout: Layout{Columns: [][]int{{0, 1}, {2, 3}}}, Scale: 4})
	if err != nil {
		t.Fatal(err)
	}
	grey, ok := img.(*image.Gray)
	if !ok {
		t.Fatalf("a %T", img)
	}
	// Scale 4: a sample is 12 wide and 8 high, 2 apart; the margin is 8.
	if got, want := grey.Rect, image.Rect(0, 0, 8+12+2+12+8, 8+8+2+8+8); got != want {
		t.Errorf("size %v, want %v", got, want)
	}
	for _, c := range []struct {
		x, y int
		want uint8
		what string
	}{
		{0, 0, 255, "margin"},
		{8, 8, 255, "first pixel of sample 0"}, {11, 11, 255, "its last corner"},
		{12, 8, 0, "second pixel"}, {8, 12, 0, "second row"}, {19, 15, 0, "last pixel"},
		{20, 8, 255, "gap"}, {21, 15, 255, "gap"}, {8, 16, 255, "gap below"},
		{8, 18, 255, "sample 1, below sample 0"},
		{22, 8, 128, "sample 2, right of sample 0"},
		{22, 18, 0, "sample 3, clamped"}, {33, 25, 0, "its last corner"}, {34, 25, 255, "margin again"},
	} {
		if got := grey.GrayAt(c.x, c.y).Y; got != c.want {
			t.Errorf("%s at %d,%d: %d, want %d", c.what, c.x, c.y, got, c.want)
		}
	}
}

func TestImageGridColours(t *testing.T) {
	p := Pictures{Shape: [3]int{3, 1, 2}, X: []float32{1, -1 /* red */, -1, 1 /* green */, 0, -1 /* blue */}}
	img, err := ImageGrid(p, GridConfig{Layout: Square(1), Scale: 1})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := img.At(8, 8), (color.RGBA{255, 0, 128, 255}); got != want {
		t.Errorf("first pixel %v, want %v", got, want)
	}
	if got, want := img.At(9, 8), (color.RGBA{0, 255, 0, 255}); got != want {
		t.Errorf("second pixel %v, want %v", got, want)
	}
}

// TestImageGridSize: what a person sees of the sets there are.
func TestImageGridSize(t *testing.T) {
	y := make([]int64, 100)
	for i := range y {
		y[i] = int64(i / 10)
	}
	for _, c := range []struct {
		shape  [3]int
		layout Layout
		scale  int
	}{
		{[3]int{1, 8, 8}, ByClass(y, nil, 10), 11},
		{[3]int{1, 28, 28}, ByClass(y, nil, 10), 3},
		{[3]int{3, 32, 32}, ByClass(y, nil, 10), 3},
		{[3]int{3, 128, 128}, ByClass(y, nil, 10), 1},
		{[3]int{1, 28, 28}, ByClass(y[:3], nil, 10), 4}, // one column: no poster
	} {
		p := Pictures{Shape: c.shape}
		p.X = make([]float32, 100*p.dim())
		img, err := ImageGrid(p, GridConfig{Layout: c.layout})
		if err != nil {
			t.Fatal(err)
		}
		if got := newGrid(c.shape, c.layout, 1000, 0).scale; got != c.scale {
			t.Errorf("%v: enlarged %d times, want %d", c.shape, got, c.scale)
		}
		if w := img.Bounds().Dx(); len(c.layout.Columns) == 10 && c.scale > 1 && (w < 600 || w > 1030) {
			t.Errorf("%v: %d wide", c.shape, w)
		}
	}
}

func TestImageGridLabels(t *testing.T) {
	p := ramp([3]int{1, 8, 8}, 1, 1)
	layout := Layout{Columns: [][]int{{0}, {1}}, Labels: []string{"7", "a very long name that does not fit"}}
	img, err := ImageGrid(p, GridConfig{Layout: layout})
	if err != nil {
		t.Fatal(err)
	}
	g := newGrid(p.Shape, layout, 1000, 0)
	if img.Bounds().Dy() != g.header+g.height+2*g.margin || g.header == 0 {
		t.Errorf("height %d, labels %d", img.Bounds().Dy(), g.header)
	}
	// White samples on a white page: all that is dark is a label's.
	for column := range 2 {
		x0 := g.margin + g.tileAt(column, 0).X
		inside, outside := 0, 0
		for y := range img.Bounds().Dy() {
			for x := range img.Bounds().Dx() {
				if img.(*image.Gray).GrayAt(x, y).Y > 200 {
					continue
				}
				if y < g.margin || y >= g.margin+g.header {
					outside++
				}
				if x >= x0 && x < x0+8*g.scale {
					inside++
				}
			}
		}
		if inside == 0 || outside > 0 {
			t.Errorf("column %d: %d dark pixels above it, %d outside the heading", column, inside, outside)
		}
	}
}

func TestImageGridWrongUse(t *testing.T) {
	p := ramp([3]int{1, 2, 2}, 0)
	for _, c := range []struct {
		p      Pictures
		layout Layout
		want   string
	}{
		{Pictures{Shape: [3]int{2, 2, 2}}, Square(1), "2 channels"},
		{Pictures{Shape: [3]int{1, 0, 2}}, Square(1), "cannot be drawn"},
		{Pictures{Shape: [3]int{1, 2, 2}, X: make([]float32, 5)}, Square(1), "not whole pictures"},
		{p, Layout{}, "no samples to show"},
		{p, Square(2), "sample 1 of 1"},
		{p, Layout{Columns: [][]int{{-1}}}, "sample -1 of 1"},
		{p, Layout{Columns: [][]int{{0}}, Labels: []string{"a", "b"}}, "2 labels for 1 columns"},
	} {
		if _, err := ImageGrid(c.p, GridConfig{Layout: c.layout}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one on %s", err, c.want)
		}
	}
}

// A label is cut after as many letters as there is room for, found here one after the other.
func TestShorten(t *testing.T) {
	f := face(14)
	for _, s := range []string{"", "i", "sneaker", "WWWW", "a name of several words", "größer als 鳥"} {
		for room := range 200 {
			want := s
			if letters := []rune(s); textWidth(f, s) > room && s != "" {
				n := 1
				for n < len(letters) && textWidth(f, string(letters[:n+1])+"…") <= room {
					n++
				}
				want = string(letters[:n]) + "…"
			}
			if got := shorten(f, s, room); got != want {
				t.Errorf("%q in %d pixels: %q, want %q", s, room, got, want)
			}
		}
	}
}
