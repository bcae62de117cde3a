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

func TestFieldGrid(t *testing.T) {
	got := FieldGrid(Range{0, 2, 10, 14}, 2)
	want := []float32{0.5, 11, 1.5, 11, 0.5, 13, 1.5, 13} // from the lowest y
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%v, want %v", got, want)
		}
	}
}

func TestTopSpeed(t *testing.T) {
	field := Field{V: make([]float32, 0, 2*100)}
	for i := range 100 { // speeds 1 to 100
		field.V = append(field.V, 0, float32(i+1))
	}
	if got := topSpeed(field.V); math.Abs(got-95.05) > 1e-6 {
		t.Errorf("%v, want the 0.95 quantile", got)
	}
	field.V[0] = float32(math.NaN())
	if got := topSpeed(field.V); !(got > 94 && got < 97) {
		t.Errorf("with one that is no number: %v", got)
	}
	for _, v := range [][]float32{nil, {0, 0}} {
		if got := topSpeed(v); got != 1 {
			t.Errorf("of %v: %v", v, got)
		}
	}
}

// arrowsOf draws a field of n x n arrows on a square of side pixels.
func arrowsOf(n, side int, top float64, field []float32) *image.Paletted {
	page := image.NewPaletted(image.Rect(0, 0, side, side), fieldPalette())
	newQuiver(firstArrow, groundIndex, n).draw(page, image.Point{}, side, field, top)
	return page
}

// weight tells where an arrow's ink is, by its cover.
func weight(page *image.Paletted) (x, y, total float64) {
	for i, px := range page.Pix {
		if px >= firstArrow && px < firstAmount {
			w := float64((int(px)-firstArrow)%blends+1) / blends
			x += w * (float64(i%page.Stride) + 0.5)
			y += w * (float64(i/page.Stride) + 0.5)
			total += w
		}
	}
	return x / total, y / total, total
}

// TestArrowDirection: the head is the heavier half, so the ink's middle lies ahead of
// the arrow's. Up in the field is up on the page.
func TestArrowDirection(t *testing.T) {
	for _, c := range []struct{ vx, vy float64 }{{1, 0}, {-1, 0}, {0, 1}, {0, -1}, {0.6, 0.8}, {-0.8, 0.6}} {
		const part = 0.64 // of the top speed: its root is the length's part
		page := arrowsOf(1, 33, 1, []float32{float32(part * c.vx), float32(part * c.vy)})
		x, y, total := weight(page)
		ahead := (x-16.5)*c.vx - (y-16.5)*c.vy
		aside := (x-16.5)*c.vy + (y-16.5)*c.vx
		if ahead < 0.6 || ahead > 3 || math.Abs(aside) > 0.5 {
			t.Errorf("(%v, %v): the ink is %.2f ahead and %.2f aside", c.vx, c.vy, ahead, aside)
		}
		if want := (33*longestArrow*0.8-headLength)*shaftWidth + headLength*headWidth/2; math.Abs(total-want) > 0.1*want {
			t.Errorf("(%v, %v): %.1f pixels of ink, want %.1f", c.vx, c.vy, total, want)
		}
	}
}

// Arrows are seen where a field is a thousand times slower than at its fastest, and there
// is none where it stands still.
func TestArrowsAreSeen(t *testing.T) {
	if _, _, total := weight(arrowsOf(1, 33, 1, []float32{0.001, 0})); total < 9 {
		t.Errorf("%.1f pixels of ink", total)
	}
	if _, _, total := weight(arrowsOf(1, 33, 1, []float32{0, 0})); total != 0 {
		t.Errorf("%.1f pixels of ink where nothing moves", total)
	}
	for v, want := range map[float64]string{0.0123: "0.012", 2.51: "2.5", 9.96: "10", 47.2: "47", 250: "250", 3e7: "3e+07"} {
		if got := speedText(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}

func TestArrowColours(t *testing.T) {
	hueOf := func(page *image.Paletted) int { // of full cover
		for _, px := range page.Pix {
			if px >= firstArrow && px < firstAmount && (int(px)-firstArrow)%blends == blends-1 {
				return (int(px) - firstArrow) / blends
			}
		}
		return -1
	}
	for _, c := range []struct {
		speed float32
		want  int
	}{{0.01, 0}, {0.5, hues / 2}, {1, hues - 1}, {50, hues - 1}} {
		if got := hueOf(arrowsOf(1, 60, 1, []float32{c.speed, 0})); got != c.want {
			t.Errorf("speed %v has hue %d, want %d", c.speed, got, c.want)
		}
	}
	last := fieldPalette()[firstArrow+hues*blends-1]
	if last != coolwarm[255] {
		t.Errorf("the fastest are %v", last)
	}
	nan := float32(math.NaN())
	if _, _, total := weight(arrowsOf(1, 33, 1, []float32{nan, 1})); total != 0 {
		t.Error("a velocity that is no number is drawn")
	}
	// Row 0 is the lowest, and the first arrow is on the left.
	page := arrowsOf(2, 80, 1, []float32{1, 0, 0, 0, nan, 0, nan, 0})
	if x, y, _ := weight(page); x > 40 || y < 40 {
		t.Errorf("the first of 2 x 2 arrows is at %.0f, %.0f", x, y)
	}
}

// flowFrames is a film of points that move evenly from noise to a ring, with the field
// (x, y) -> (cos T, sin T).
func flowFrames(n, count, grid int) ([]Field, iter.Seq2[Frame, error]) {
	rng := rand.New(rand.NewPCG(1, 2))
	x0, x1 := make([]float32, 2*n), make([]float32, 2*n)
	for i := 0; i < 2*n; i += 2 {
		x0[i], x0[i+1] = float32(rng.NormFloat64()), float32(rng.NormFloat64())
		sin, cos := math.Sincos(2 * math.Pi * rng.Float64())
		x1[i], x1[i+1] = float32(3*cos+0.3*rng.NormFloat64()), float32(3*sin+0.3*rng.NormFloat64())
	}
	fields := make([]Field, count)
	for k := range fields {
		fields[k].T = float64(k) / float64(count-1)
		fields[k].V = make([]float32, 2*grid*grid)
		for i := 0; i < len(fields[k].V); i += 2 {
			sin, cos := math.Sincos(fields[k].T)
			fields[k].V[i], fields[k].V[i+1] = float32(cos), float32(sin)
		}
	}
	x := make([]float32, 2*n)
	return fields, func(yield func(Frame, error) bool) {
		for _, f := range fields {
			t := float32(f.T)
			for i := range x {
				x[i] = (1-t)*x0[i] + t*x1[i]
			}
			if !yield(Frame{T: f.T, X: x}, nil) {
				return
			}
		}
	}
}

func TestVectorFieldGIF(t *testing.T) {
	const bins, n, count = 80, 20_000, 6
	fields, frames := flowFrames(n, count, 5)
	r := Range{-4, 4, -4, 4}
	var file bytes.Buffer
	if err := VectorFieldGIF(&file, fields, frames, FieldConfig{Range: r, Grid: 5, Bins: bins, FPS: 25, Hold: time.Second}); err != nil {
		t.Fatal(err)
	}
	clip, shown := replay(t, file.Bytes())
	if len(shown) != count || clip.Delay[0] != 4 || clip.Delay[count-1] != 100 || clip.LoopCount != 0 {
		t.Fatalf("%d frames, delays %v, loop count %d", len(shown), clip.Delay, clip.LoopCount)
	}
	// The panels' corners: the upper left pixel of each kind of ground.
	left := image.Pt(panelGap, shown[0].Rect.Dy()-panelGap-bins)
	right := left.Add(image.Pt(bins+2*panelGap, 0))
	if got := shown[0].RGBAAt(left.X, left.Y); got != quiverGround {
		t.Errorf("the field's corner is %v", got)
	}
	if got := shown[0].RGBAAt(left.X-1, left.Y); got != (color.RGBA{255, 255, 255, 255}) {
		t.Errorf("the page beside it is %v", got)
	}
	k := 0
	for frame, err := range frames {
		if err != nil {
			t.Fatal(err)
		}
		h := NewHist2D(bins, r)
		h.Add(frame.X)
		limit := h.quantile(0.99)
		worst := 0.0
		for i, c := range h.Counts {
			got := shown[k].RGBAAt(right.X+i%bins, right.Y+i/bins)
			// The colour is that of a count which chance could make of this one.
			nearest := math.Inf(1)
			for other := range int(limit) + 2 {
				if viridisNear(float64(other)/limit, got) {
					nearest = min(nearest, math.Abs(math.Sqrt(min(float64(other), limit))-math.Sqrt(min(float64(c), limit))))
				}
			}
			worst = max(worst, nearest)
		}
		if worst > 0.42 { // 0.2 by the groups, the rest by counts being whole
			t.Errorf("frame %d: a cell's colour is %.2f roots away from its count", k, worst)
		}
		k++
	}
	// The field's arrows turn.
	middle := left.Add(image.Pt(bins/2-2, bins/2))
	if shown[0].RGBAAt(middle.X, middle.Y) == shown[count-1].RGBAAt(middle.X, middle.Y) {
		t.Error("the arrows stay as they are")
	}
}

// viridisNear says whether c is the film's colour for v in [0,1], give or take one step
// of its palette.
func viridisNear(v float64, c color.RGBA) bool {
	steps := viridis.levels(amounts)
	at := step(v, amounts)
	for k := max(0, at-1); k <= min(amounts-1, at+1); k++ {
		if steps[k] == c {
			return true
		}
	}
	return false
}

// TestFieldFilmScale: every cell is a square of the pixel that it is unscaled.
func TestFieldFilmScale(t *testing.T) {
	const bins, scale = 40, 3
	fields, frames := flowFrames(2000, 2, 5)
	var last [2]*image.RGBA
	for i, s := range []int{1, scale} {
		var file bytes.Buffer
		if err := VectorFieldGIF(&file, fields, frames, FieldConfig{Range: Range{-4, 4, -4, 4}, Grid: 5, Bins: bins, Scale: s}); err != nil {
			t.Fatal(err)
		}
		_, shown := replay(t, file.Bytes())
		last[i] = shown[1]
	}
	corner := func(img *image.RGBA, side int) image.Point {
		return image.Pt(side+3*panelGap, img.Rect.Dy()-panelGap-side)
	}
	a, b := corner(last[0], bins), corner(last[1], bins*scale)
	colours := map[color.RGBA]bool{}
	for y := range bins * scale {
		for x := range bins * scale {
			want := last[0].RGBAAt(a.X+x/scale, a.Y+y/scale)
			if got := last[1].RGBAAt(b.X+x, b.Y+y); got != want {
				t.Fatalf("pixel %d,%d is %v, its cell %v", x, y, got, want)
			}
			colours[want] = true
		}
	}
	if len(colours) < 4 {
		t.Errorf("only %d colours: the test sees nothing", len(colours))
	}
}

// TestVectorFieldGIFSize: 101 frames of 500,000 points must stay below 8 MB; here every
// tenth of them.
func TestVectorFieldGIFSize(t *testing.T) {
	const count = 11
	fields, frames := flowFrames(500_000, count, 15)
	var file bytes.Buffer
	if err := VectorFieldGIF(&file, fields, frames, FieldConfig{Range: Range{-4.5, 4.5, -4.5, 4.5}}); err != nil {
		t.Fatal(err)
	}
	size := float64(file.Len()) / count * 101 / 1e6
	t.Logf("%.2f MB for 101 frames", size)
	if size > 8 {
		t.Errorf("%.2f MB for 101 frames", size)
	}
}

func TestFieldFilmErrors(t *testing.T) {
	fields, frames := flowFrames(100, 3, 4)
	cfg := FieldConfig{Range: Range{-4, 4, -4, 4}, Grid: 4, Bins: 60}
	failure := errors.New("the solver diverged")
	failing := func(yield func(Frame, error) bool) {
		_ = yield(Frame{X: []float32{0, 0}}, nil) && yield(Frame{}, failure)
	}
	for _, c := range []struct {
		name   string
		fields []Field
		frames iter.Seq2[Frame, error]
		cfg    FieldConfig
		want   string
	}{
		{"more frames than fields", fields[:2], frames, cfg, "2 fields, but more frames"},
		{"fewer frames", fields, seq(Frame{}), cfg, "3 fields for 1 frames"},
		{"no frames", nil, seq(), cfg, "at least one frame"},
		{"fields of another grid", fields, frames, FieldConfig{Range: cfg.Range, Bins: 100, Grid: 5}, "not 50 for 5 x 5 arrows"},
		{"no range", fields, frames, FieldConfig{Grid: 4, Bins: 60}, "range is empty"},
		{"too many arrows", fields, frames, FieldConfig{Range: cfg.Range, Grid: 40, Bins: 60}, "cannot be drawn"},
		{"the iterator's", fields, failing, cfg, failure.Error()},
	} {
		err := VectorFieldGIF(&bytes.Buffer{}, c.fields, c.frames, c.cfg)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	if err := VectorFieldGIF(&brokenWriter{100}, fields, frames, cfg); err != errFull {
		t.Errorf("a full disc: %v", err)
	}
}

func TestCompareGIF(t *testing.T) {
	const bins, count = 64, 4
	fields, frames := flowFrames(5000, count, 4)
	slow := make([]Field, count)
	for k := range slow {
		slow[k] = Field{V: make([]float32, len(fields[k].V))}
		for i, v := range fields[k].V {
			slow[k].V[i] = v / 10
		}
	}
	pairs := func(yield func(PairFrame, error) bool) {
		for f, err := range frames {
			still := cluster(20, 2, 2, 0.5)
			if !yield(PairFrame{T: f.T, X: [2][]float32{f.X, still}}, err) {
				return
			}
		}
	}
	cfg := FieldConfig{Range: Range{-4, 4, -4, 4}, Grid: 4, Bins: bins}
	var file bytes.Buffer
	if err := CompareGIF(&file, [2]Side{{"flow matching", fields}, {"rectified", slow}}, pairs, cfg); err != nil {
		t.Fatal(err)
	}
	_, shown := replay(t, file.Bytes())
	if len(shown) != count {
		t.Fatalf("%d frames", len(shown))
	}
	size := shown[0].Rect.Size()
	if size.X != 2*bins+4*panelGap {
		t.Errorf("size %v", size)
	}
	// The still points are bright on the upper right, at (2,2) of [-4,4].
	top := size.Y - 2*panelGap - 2*bins
	cx, cy, n := bright(shown[3], image.Rect(size.X/2, top, size.X, top+bins))
	corner := float64(3*panelGap + bins)
	if n == 0 || abs(cx-corner-0.75*bins) > 1 || abs(cy-float64(top)-0.25*bins) > 1 {
		t.Errorf("%d bright pixels around %.1f, %.1f", n, cx-corner, cy-float64(top))
	}
	// Below, the arrows of the slow side are as long and as red as those of the other, at
	// all times: the headings tell how fast they are.
	below := image.Rect(panelGap, size.Y-panelGap-bins, panelGap+bins, size.Y-panelGap)
	for k, frame := range shown {
		for y := below.Min.Y; y < below.Max.Y; y++ {
			for x := below.Min.X; x < below.Max.X; x++ {
				if a, b := frame.RGBAAt(x, y), frame.RGBAAt(x+bins+2*panelGap, y); a != b {
					t.Fatalf("frame %d, pixel %d,%d: %v on the left, %v on the right", k, x, y, a, b)
				}
			}
		}
	}
	err := CompareGIF(&file, [2]Side{{"a", fields}, {"b", slow[:2]}}, pairs, cfg)
	if err == nil || !strings.Contains(err.Error(), "4 fields on one side and 2 on the other") {
		t.Errorf("sides that differ: %v", err)
	}
}

// BenchmarkVectorFieldGIF is the film of the reference system: 500,000 points, 101 frames.
// Moving the points is part of the time.
func BenchmarkVectorFieldGIF(b *testing.B) {
	fields, frames := flowFrames(500_000, 101, 15)
	for b.Loop() {
		var file bytes.Buffer
		if err := VectorFieldGIF(&file, fields, frames, FieldConfig{Range: Range{-4.5, 4.5, -4.5, 4.5}}); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(file.Len())/1e6, "MB")
	}
}
