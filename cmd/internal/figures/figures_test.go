package figures

import (
	"context"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/regular"

	"flowmatch/flow"
	"flowmatch/viz"
)

// drift moves everything by the same velocity: noise at t is N(t drift, I).
type drift [2]float32

// Velocity: x: [B,2] -> [B,2].
func (d drift) Velocity(x, _, _ torch.Tensor) torch.Tensor {
	return torch.Add(torch.MulScalar(x, 0), torch.FromSlice(d[:], 1, 2), 1)
}

// TestCount: the counts of two figures are those of the points themselves, whose
// places are known, whatever the batches; the second figure takes the first half.
func TestCount(t *testing.T) {
	const n, bins = 1000, 20
	r := viz.Range{X0: -3, X1: 3, Y0: -3, Y1: 3}
	d := drift{1, -0.5}
	all, half := newCounts(flow.EvenTimes(3), bins, r, n), newCounts(flow.EvenTimes(7), bins, r, n/2)
	var told []int
	draw := flow.Sampling{
		Velocity: d.Velocity, Solver: midpoint20(), Shape: []int64{2}, N: n, Seed: 5, Batch: 300,
		Progress: func(done, of int) {
			if of != n {
				t.Errorf("%d of %d", done, of)
			}
			told = append(told, done)
		},
	}
	if err := count(context.Background(), "the model", draw, all, half); err != nil {
		t.Fatal(err)
	}
	if !slices.IsSorted(told) || !slices.Contains(told, n/2) || told[len(told)-1] != n {
		t.Errorf("progress %v", told)
	}
	for _, c := range []struct {
		*counts
		n int
	}{{all, n}, {half, n / 2}} {
		for k, at := range c.times {
			want := viz.NewHist2D(bins, r)
			for i := range c.n {
				x := make([]float32, 2)
				flow.Noise(x, 5, int64(i))
				x[0], x[1] = x[0]+float32(at)*d[0], x[1]+float32(at)*d[1]
				want.Add(x)
			}
			moved := 0.0 // by rounding, over the edge of a cell
			for i, v := range want.Counts {
				moved += math.Abs(float64(v) - float64(c.hists[k].Counts[i]))
			}
			if moved > 4 {
				t.Errorf("of %d points at t = %v: %v are elsewhere", c.n, at, moved)
			}
		}
	}
}

func TestCountStops(t *testing.T) {
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	c := newCounts(flow.EvenTimes(2), 4, viz.Range{X0: -1, X1: 1, Y0: -1, Y1: 1}, 100)
	draw := flow.Sampling{
		Velocity: drift{}.Velocity, Solver: midpoint20(), Shape: []int64{2}, N: 100, Batch: 10,
		Progress: func(done, _ int) {
			if done >= 50 {
				cancel(cause)
			}
		},
	}
	if err := count(ctx, "the model", draw, c); !errors.Is(err, cause) {
		t.Errorf("%v", err)
	}
	for _, err := range c.frames(ctx, nil) {
		if !errors.Is(err, cause) {
			t.Errorf("frames after the end: %v", err)
		}
	}
}

func TestCells(t *testing.T) {
	for _, c := range []struct{ samples, pixels, bins, scale int }{
		{500_000, 500, 500, 1}, // the reference system's
		{5_000_000, 500, 500, 1},
		{50_000, 500, 167, 3},
		{25_000, 400, 100, 4},
		{1, 500, 63, 8},
		{0, 500, 63, 8},
	} {
		if bins, scale := cells(c.samples, c.pixels); bins != c.bins || scale != c.scale {
			t.Errorf("%d samples on %d pixels: %d bins of %d, want %d of %d", c.samples, c.pixels, bins, scale, c.bins, c.scale)
		}
	}
}

func TestSamples(t *testing.T) {
	gpu := torch.NewDevice("cuda")
	for _, c := range []struct {
		asked     int
		reference bool
		d         torch.Device
		want      int
	}{{0, false, torch.CPU, 100_000}, {0, false, gpu, 1_000_000}, {0, true, torch.CPU, 1_000_000}, {7, true, gpu, 7}} {
		if got := samples(c.asked, c.reference, c.d); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
	for _, c := range []struct {
		p    Plane
		want int
	}{{Plane{Samples: 100_000}, 100}, {Plane{Samples: 1_000_000}, 200}, {Plane{Samples: 25_000}, 50}, {Plane{Samples: 10}, 40}, {Plane{Samples: 10, Reference: true}, 200}} {
		if got := c.p.likelihoodSide(); got != c.want {
			t.Errorf("a likelihood of %+v: %d a side, want %d", c.p, got, c.want)
		}
	}
}

// TestPlane draws a model whose samples and density are known: N((2,0), I).
func TestPlane(t *testing.T) {
	p := Plane{Dir: t.TempDir(), Set: "shifted", Velocity: drift{2, 0}.Velocity, Samples: 3000, Seed: 1, Stderr: io.Discard}
	paths, err := p.Draw(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, path := range paths {
		names = append(names, filepath.Base(path))
	}
	if want := []string{"ode_sampling_evolution_shifted.png", "vector_field_and_samples_shifted.gif", "likelihood_shifted.png"}; !slices.Equal(names, want) {
		t.Fatalf("%v", names)
	}
	p.Solver = midpoint20()
	r, err := plotRange(context.Background(), nil, p.draw())
	if err != nil {
		t.Fatal(err)
	}

	// The densest place of the exact panel, the right one, is where it should be.
	img := decode(t, paths[2], png.Decode)
	b := img.Bounds()
	x, y, n := 0.0, 0.0, 0.0
	top := 36 // below the titles
	for j := top; j < b.Dy()-80; j++ {
		for i := b.Dx() / 2; i < b.Dx(); i++ {
			if c := color.RGBAModel.Convert(img.At(i, j)).(color.RGBA); c.R > 240 && c.G > 200 && c.B < 60 { // viridis' last
				x, y, n = x+float64(i), y+float64(j), n+1
			}
		}
	}
	side := float64(b.Dx()-3*12) / 2
	left := float64(b.Dx()) - 12 - side
	gotX := r.X0 + (x/n-left)/side*(r.X1-r.X0)
	if n == 0 || math.Abs(gotX-2) > 0.1 {
		t.Errorf("%v bright pixels around x = %.2f, want 2", n, gotX)
	}
	if film := decode(t, paths[1], gif.DecodeAll); len(film.Image) != filmFrames {
		t.Errorf("%d frames", len(film.Image))
	}

	// One step: no film, no likelihood.
	p = Plane{Dir: t.TempDir(), Set: "shifted", Velocity: drift{2, 0}.Velocity, Samples: 100, OneStep: true, Stderr: io.Discard}
	if paths, err = p.Draw(context.Background()); err != nil || len(paths) != 1 {
		t.Errorf("of one step: %v, %v", paths, err)
	}
	if w := decode(t, paths[0], png.Decode).Bounds().Dx(); w != 2*(evolutionBins/2)+3*12 {
		t.Errorf("%d pixels are no two panels", w)
	}

	// A folder that is not there is an error that names the file.
	p.Dir = filepath.Join(p.Dir, "none")
	if _, err := p.Draw(context.Background()); err == nil {
		t.Error("a picture in no folder")
	}
}

// Few samples are in few cells, on as much of the page.
func TestEvolutionCells(t *testing.T) {
	for samples, want := range map[int][2]int{1_000_000: {300, 1}, 50_000: {300, 1}, 20_000: {150, 1}, 5000: {75, 2}, 100: {25, 6}} {
		if bins, scale := evolutionCells(samples); [2]int{bins, scale} != want {
			t.Errorf("%d samples: %d cells of %d pixels, want %v", samples, bins, scale, want)
		}
	}
}

func decode[T any](t *testing.T, path string, f func(io.Reader) (T, error)) T {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	v, err := f(file)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return v
}

// TestPair: the left side moves to the right, the right one stays.
func TestPair(t *testing.T) {
	p := Pair{
		Path: filepath.Join(t.TempDir(), "pair.gif"), Names: [2]string{"a", "b"}, Velocities: [2]flow.Velocity{drift{3, 0}.Velocity, drift{}.Velocity},
		Samples: 4000, Frames: 3, Grid: 4, Seed: 2, Stderr: io.Discard,
	}
	if err := p.Film(context.Background()); err != nil {
		t.Fatal(err)
	}
	film := decode(t, p.Path, gif.DecodeAll)
	if len(film.Image) != 3 {
		t.Fatalf("%d frames", len(film.Image))
	}
	// The right histogram never changes, so the changes are all on the left, but
	// for the time in the middle.
	half := film.Config.Width/2 + 40
	for k, f := range film.Image[1:] {
		if f.Rect.Max.X > half || f.Rect == (image.Rectangle{}) {
			t.Errorf("frame %d changes %v", k+1, f.Rect)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := p.Film(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestLosses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "losses.png")
	if err := Losses(path, "digits", []float32{3, 2, float32(math.NaN()), 1}); err != nil {
		t.Fatal(err)
	}
	if img := decode(t, path, png.Decode); img.Bounds().Dx() != 1000 {
		t.Errorf("%v", img.Bounds())
	}
	if err := Losses(filepath.Join(path, "losses.png"), "", nil); err == nil {
		t.Error("a picture beside no folder")
	}
}

// A pipe in a figure's place is refused: nothing waits for who might read it.
func TestPipeInAFiguresPlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "losses.png")
	if err := syscall.Mkfifo(path, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := Losses(path, "", []float32{1, 2}); !errors.Is(err, regular.ErrNotRegular) {
		t.Error(err)
	}
}
