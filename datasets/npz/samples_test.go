package npz

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestSamplesRoundTrip(t *testing.T) {
	for name, s := range map[string]*Samples{
		"pictures":      {Shape: []int{1, 1, 2}, X: []float32{1, 2, 3, 4}, Y: []int64{3, 9}, X0: []float32{5, 6, 7, 8}},
		"points":        {Shape: []int{2}, X: []float32{1, 2, 3, 4, 5, 6}, X0: []float32{1, 1, 1, 1, 1, 1}},
		"noise alone":   {Shape: []int{2}, X0: []float32{1, 2}},
		"samples alone": {Shape: []int{2}, X: []float32{1, float32(math.Inf(1))}},
	} {
		var b bytes.Buffer
		if err := WriteSamples(&b, s); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		path := filepath.Join(t.TempDir(), "samples.npz")
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := OpenSamples(path)
		if err != nil || !reflect.DeepEqual(got, s) {
			t.Errorf("%s: %+v, error %v", name, got, err)
		}
	}
}

func TestSamplesWrongUse(t *testing.T) {
	for _, s := range []*Samples{
		{Shape: []int{2}, X: []float32{1, 2, 3}},
		{Shape: []int{2}, X: []float32{1, 2, 3, 4}, X0: []float32{1, 2}},
		{Shape: []int{2}, X: []float32{1, 2}, Y: []int64{1, 2}},
	} {
		if err := WriteSamples(&bytes.Buffer{}, s); err == nil {
			t.Errorf("%+v was written", s)
		}
	}
}

func TestReadSamplesFaults(t *testing.T) {
	points := Array{Name: "x0", Shape: []int{2, 2}, Floats: []float32{1, 2, 3, 4}}
	nan := float32(math.NaN())
	for _, c := range []struct {
		name   string
		arrays []Array
		want   string
	}{
		{"nothing", []Array{{Name: "z", Shape: []int{1}, Floats: []float32{1}}}, "neither x nor x0"},
		{"y alone", []Array{{Name: "y", Shape: []int{1}, Ints: []int64{1}}}, "neither x nor x0"},
		{"whole numbers", []Array{{Name: "x0", Shape: []int{1, 2}, Ints: []int64{1, 2}}}, "array x0 holds whole numbers"},
		{"flat", []Array{{Name: "x0", Shape: []int{2}, Floats: []float32{1, 2}}}, "has shape [2]"},
		{"none", []Array{{Name: "x0", Shape: []int{0, 2}, Floats: []float32{}}}, "has shape [0 2]"},
		{"differ", []Array{points, {Name: "x", Shape: []int{1, 4}, Floats: []float32{1, 2, 3, 4}}}, "differ in shape"},
		{"few classes", []Array{points, {Name: "y", Shape: []int{1}, Ints: []int64{1}}}, "array y must hold 2 whole numbers"},
		{"float classes", []Array{points, {Name: "y", Shape: []int{2}, Floats: []float32{1, 2}}}, "array y must hold 2 whole numbers"},
		{"not finite", []Array{{Name: "x0", Shape: []int{2, 2}, Floats: []float32{1, 2, nan, 4}}}, "not finite, in sample 1"},
	} {
		var b bytes.Buffer
		if err := Write(&b, c.arrays...); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadSamples(bytes.NewReader(b.Bytes()), int64(b.Len())); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one on %s", c.name, err, c.want)
		}
	}
	if _, err := OpenSamples("no/such.npz"); err == nil || !strings.Contains(err.Error(), "no/such.npz") {
		t.Errorf("error %v", err)
	}
	if _, err := OpenSamples(t.TempDir()); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("error %v", err)
	}
	if _, err := OpenSamples("testdata/make.py"); err == nil || !strings.Contains(err.Error(), "make.py: not an .npz file") {
		t.Errorf("error %v", err)
	}
}
