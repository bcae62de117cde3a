package viz

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"iter"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// straight moves from noise to the final samples in n equal steps, in one buffer.
func straight(final []float32, n int) iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) {
		rng := rand.New(rand.NewPCG(1, 2))
		noise := make([]float32, len(final))
		for i := range noise {
			noise[i] = float32(rng.NormFloat64())
		}
		x := make([]float32, len(final))
		for k := 0; k <= n; k++ {
			t := float32(k) / float32(n)
			for i := range x {
				x[i] = t*final[i] + (1-t)*noise[i]
			}
			if !yield(Frame{T: float64(t), X: x}, nil) {
				return
			}
		}
	}
}

// pattern is n samples with every level, no two alike.
func pattern(shape [3]int, n int) Pictures {
	p := Pictures{Shape: shape}
	for i := range n * p.dim() {
		p.X = append(p.X, float32(math.Sin(float64(i)*0.37)))
	}
	return p
}

func TestTrajectoryGIF(t *testing.T) {
	for name, shape := range map[string][3]int{"grey": {1, 8, 8}, "colour": {3, 8, 8}} {
		final := pattern(shape, 6)
		layout := ByClass([]int64{0, 0, 1, 1, 2, 2}, nil, 10)
		var file bytes.Buffer
		err := TrajectoryGIF(&file, final, straight(final.X, 20), TrajectoryConfig{Layout: layout, FPS: 30, Hold: time.Second, Scale: 3})
		if err != nil {
			t.Fatal(err)
		}
		decoded, shown := replay(t, file.Bytes())
		if len(shown) != 21 {
			t.Fatalf("%s: %d frames", name, len(shown))
		}
		for k, delay := range decoded.Delay {
			if want := map[bool]int{false: 3, true: 100}[k == 20]; delay != want {
				t.Errorf("%s: frame %d stays %d hundredths, want %d", name, k, delay, want)
			}
		}
		g := newGrid(shape, layout, 0, 3)
		size := shown[0].Rect
		at := image.Pt((size.Dx()-g.width)/2, size.Dy()-g.margin-g.height)
		worst := 0
		for column, samples := range layout.Columns {
			for row, i := range samples {
				for k := range 64 {
					at := g.tileAt(column, row).Add(at).Add(image.Pt(k%8*3+1, k/8*3+1))
					c := shown[20].RGBAAt(at.X, at.Y)
					plane := final.dim() / 64
					for ch, got := range []uint8{c.R, c.G, c.B}[:plane] {
						want := level(final.X[i*final.dim()+ch*64+k])
						worst = max(worst, int(got)-int(want), int(want)-int(got))
					}
				}
			}
		}
		// Grey: half a step of 63 levels. Colour: 384 different colours on 247 places.
		if limit := map[string]int{"grey": 2, "colour": 48}[name]; worst > limit {
			t.Errorf("%s: a level is off by %d, the limit is %d", name, worst, limit)
		}
		// Half of the bar is filled at half time, all of it at the end.
		for k, want := range map[int]int{0: 0, 10: g.width / 2, 20: g.width} {
			got := 0
			for x := range g.width {
				if shown[k].RGBAAt(at.X+x, at.Y-g.header-g.gap-1).R < 160 {
					got++
				}
			}
			if got < want-1 || got > want+1 {
				t.Errorf("%s: frame %d fills %d pixels of the bar, want %d", name, k, got, want)
			}
		}
		if bytes.Equal(shown[0].Pix, shown[10].Pix) {
			t.Errorf("%s: nothing moves", name)
		}
	}
}

// TestTrajectoryHeading: the time is written above the grid, dark on white, and changes
// from frame to frame; the title stands above it and stays.
func TestTrajectoryHeading(t *testing.T) {
	final := ramp([3]int{1, 8, 8}, 1, 1, 1, 1)
	frames := func(yield func(Frame, error) bool) {
		_ = yield(Frame{T: 0.25, X: final.X}, nil) && yield(Frame{T: 0.75, X: final.X}, nil)
	}
	film := func(title string) []*image.RGBA {
		var file bytes.Buffer
		if err := TrajectoryGIF(&file, final, frames, TrajectoryConfig{Layout: Square(4), Title: title}); err != nil {
			t.Fatal(err)
		}
		_, shown := replay(t, file.Bytes())
		return shown
	}
	dark := func(img *image.RGBA, from, to int) (n int) {
		for y := from; y < to; y++ {
			for x := range img.Rect.Dx() {
				if img.RGBAAt(x, y).R < 80 {
					n++
				}
			}
		}
		return n
	}
	margin := newGrid(final.Shape, Square(4), 600, 0).margin
	line := margin + 18
	plain := film("")
	if dark(plain[0], 0, line) == 0 || dark(plain[1], 0, line) == 0 {
		t.Error("the time is missing")
	}
	if bytes.Equal(plain[0].Pix, plain[1].Pix) {
		t.Error("the time stands still")
	}
	if got := plain[0].RGBAAt(0, 0); got != (color.RGBA{255, 255, 255, 255}) {
		t.Errorf("the page is %v", got)
	}
	titled := film("digits")
	more := titled[0].Rect.Dy() - plain[0].Rect.Dy()
	if at := margin + more; more < 15 || dark(titled[0], 0, at) == 0 || dark(titled[0], 0, at) != dark(titled[1], 0, at) {
		t.Errorf("the title is not in the %d pixels that it takes", more)
	}
	if wide := film(strings.Repeat("digits ", 200)); wide[0].Rect.Dx() > widestTitle {
		t.Errorf("a title widens the page to %d pixels", wide[0].Rect.Dx())
	}
}

// TestTrajectoryWritesAsItGoes: memory stays bounded because frames leave at once.
func TestTrajectoryWritesAsItGoes(t *testing.T) {
	final := pattern([3]int{1, 28, 28}, 16)
	var file bytes.Buffer
	sizes := []int{}
	frames := func(yield func(Frame, error) bool) {
		for f, err := range straight(final.X, 30) {
			sizes = append(sizes, file.Len())
			if !yield(f, err) {
				return
			}
		}
	}
	if err := TrajectoryGIF(&file, final, frames, TrajectoryConfig{Layout: Square(16)}); err != nil {
		t.Fatal(err)
	}
	if sizes[15] < file.Len()/4 || sizes[15] > file.Len()*3/4 {
		t.Errorf("%d of %d bytes were written at half time", sizes[15], file.Len())
	}
}

func TestTrajectoryErrors(t *testing.T) {
	final := pattern([3]int{1, 4, 4}, 4)
	none := func(func(Frame, error) bool) {}
	errSolver := errors.New("the solver diverged")
	failing := func(yield func(Frame, error) bool) {
		_ = yield(Frame{X: final.X}, nil) && yield(Frame{}, errSolver)
	}
	short := func(yield func(Frame, error) bool) { yield(Frame{X: final.X[1:]}, nil) }
	good := TrajectoryConfig{Layout: Square(4)}
	for name, c := range map[string]struct {
		frames iter.Seq2[Frame, error]
		cfg    TrajectoryConfig
		want   string
	}{
		"no frames":     {none, good, "at least one frame"},
		"failing":       {failing, good, "the solver diverged"},
		"short":         {short, good, "frame 0 has 63 values"},
		"no layout":     {straight(final.X, 2), TrajectoryConfig{}, "no samples to show"},
		"beyond":        {straight(final.X, 2), TrajectoryConfig{Layout: Square(5)}, "sample 4 of 4"},
		"far too large": {straight(final.X, 2), TrajectoryConfig{Layout: Square(4), Scale: 5000}, "too large"},
	} {
		if err := TrajectoryGIF(&bytes.Buffer{}, final, c.frames, c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one on %q", name, err, c.want)
		}
	}
	if err := TrajectoryGIF(&brokenWriter{100}, final, straight(final.X, 2), good); !errors.Is(err, errFull) {
		t.Errorf("full disk: error %v", err)
	}
}
