package viz

import (
	"bytes"
	"image"
	"strings"
	"testing"
)

// TestCounted: points that were counted before, in parts, give the same figures as the
// points themselves.
func TestCounted(t *testing.T) {
	const bins = 60
	r := Range{-4, 4, -4, 4}
	fields, frames := flowFrames(3000, 4, 5)
	counted := func(bins int) func(func(Frame, error) bool) {
		return func(yield func(Frame, error) bool) {
			for f := range frames {
				h := NewHist2D(bins, r)
				h.Add(f.X[:1000])
				h.Add(f.X[1000:])
				if !yield(Frame{T: f.T, Hist: h}, nil) {
					return
				}
			}
		}
	}
	one, err := Evolution(frames, EvolutionConfig{Range: r, Bins: bins})
	if err != nil {
		t.Fatal(err)
	}
	two, err := Evolution(counted(bins), EvolutionConfig{Range: r, Bins: bins})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one.(*image.RGBA).Pix, two.(*image.RGBA).Pix) {
		t.Error("the evolution of counted points differs")
	}

	cfg := FieldConfig{Range: r, Grid: 5, Bins: bins, Scale: 2}
	film := func(write func(*bytes.Buffer) error) []byte {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	a := film(func(b *bytes.Buffer) error { return VectorFieldGIF(b, fields, frames, cfg) })
	b := film(func(b *bytes.Buffer) error { return VectorFieldGIF(b, fields, counted(bins), cfg) })
	if !bytes.Equal(a, b) {
		t.Error("the film of counted points differs")
	}
	pairs := func(of func(func(Frame, error) bool)) func(func(PairFrame, error) bool) {
		return func(yield func(PairFrame, error) bool) {
			of(func(f Frame, err error) bool {
				return yield(PairFrame{T: f.T, X: [2][]float32{f.X, f.X}, Hist: [2]*Hist2D{f.Hist, f.Hist}}, err)
			})
		}
	}
	sides := [2]Side{{"a", fields}, {"b", fields}}
	a = film(func(b *bytes.Buffer) error { return CompareGIF(b, sides, pairs(frames), cfg) })
	b = film(func(b *bytes.Buffer) error { return CompareGIF(b, sides, pairs(counted(bins)), cfg) })
	if !bytes.Equal(a, b) {
		t.Error("the film of two models' counted points differs")
	}

	for name, err := range map[string]error{
		"evolution": func() error {
			_, err := Evolution(counted(bins/2), EvolutionConfig{Range: r, Bins: bins})
			return err
		}(),
		"film":       VectorFieldGIF(&bytes.Buffer{}, fields, counted(bins/2), cfg),
		"comparison": CompareGIF(&bytes.Buffer{}, sides, pairs(counted(bins/2)), cfg),
	} {
		if err == nil || !strings.Contains(err.Error(), "30 bins") {
			t.Errorf("%s of counts that do not fit: %v", name, err)
		}
	}
}
