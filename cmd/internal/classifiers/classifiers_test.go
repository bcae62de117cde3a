package classifiers

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn"
	"github.com/wangkuiyi/gotorch/safetensors"
	"github.com/wangkuiyi/gotorch/weights"

	"flowmatch/datasets"
	"flowmatch/flow/metrics"
)

// shades are n 8x8 images of two classes, dark and bright.
func shades(n int, bright uint8) *datasets.Images {
	im := &datasets.Images{Info: datasets.Info{Name: "shades", Shape: []int{1, 8, 8}, Levels: 256, ClassNames: []string{"dark", "bright"}}}
	for i := range n {
		for k := range 64 {
			im.Pixels = append(im.Pixels, uint8(i*7+k)%50+bright*uint8(i%2))
		}
		im.Labels = append(im.Labels, uint8(i%2))
	}
	return im
}

// A file is used while it fits, and trained anew when it does not, with the reason.
func TestStore(t *testing.T) {
	var notes []string
	trained := 0
	s := Store{Dir: filepath.Join(t.TempDir(), "new"), Note: func(n string) { notes = append(notes, n) },
		Progress: func(done, of int) {
			if done == of {
				trained++
			}
		}}
	get := func(im *datasets.Images) *metrics.Classifier {
		t.Helper()
		notes = nil
		m, err := s.Get(t.Context(), im)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	im := shades(40, 200)
	first, again := get(im), get(im)
	if trained != 1 || len(notes) != 0 {
		t.Fatalf("trained %d times, notes %q", trained, notes)
	}
	for i, n := range nn.Tensors(first) {
		if !torch.Equal(n.Tensor, nn.Tensors(again)[i].Tensor) {
			t.Errorf("%s is not as it was kept", n.Name)
		}
	}
	x, y := All(im)
	j, err := again.Judge(t.Context(), x)
	if err != nil || !slices.Equal(j.Labels, y) {
		t.Errorf("it does not tell dark from bright: %v, %v", j.Labels, err)
	}

	path := s.Path(im.Info)
	flip := func(at int) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)*at/100] ^= 4
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name string
		do   func()
		im   *datasets.Images
		says string
	}{
		{"more images", func() {}, shades(44, 200), "40 images, now there are 44"},
		{"other images", func() {}, shades(44, 150), "other images"},
		{"a flipped bit of the data", func() { flip(70) }, shades(44, 150), "damaged"},
		{"a flipped bit of the header", func() { flip(0) }, shades(44, 150), path},
		{"rubbish", func() { _ = os.WriteFile(path, []byte("rubbish"), 0o666) }, shades(44, 150), path},
	} {
		before := trained
		c.do()
		get(c.im)
		if trained != before+1 || len(notes) != 1 || !strings.Contains(notes[0], c.says) {
			t.Errorf("%s: trained %d times, notes %q", c.name, trained-before, notes)
		}
		if get(c.im); trained != before+1 || len(notes) != 0 {
			t.Errorf("%s: not kept after that: %q", c.name, notes)
		}
	}
}

// Where nothing can be written the classifier is used all the same.
func TestStoreThatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	var notes []string
	s := Store{Dir: filepath.Join(file, "below"), Note: func(n string) { notes = append(notes, n) }}
	if m, err := s.Get(t.Context(), shades(10, 200)); err != nil || m == nil {
		t.Fatal(err)
	}
	if !strings.Contains(notes[len(notes)-1], "not kept") {
		t.Errorf("%q", notes)
	}
}

func TestRecordDiffers(t *testing.T) {
	want := recordOf(shades(10, 200))
	want.Right = 9
	for says, change := range map[string]func(*record){
		"":             func(*record) {},
		"classifier":   func(r *record) { r.Kind = "unet" },
		"version 0":    func(r *record) { r.Version = 0 },
		"in 3 classes": func(r *record) { r.Classes = 3 },
		"[3 8 8]":      func(r *record) { r.Shape = []int{3, 8, 8} },
		"9 images":     func(r *record) { r.Images = 9 },
		"rightly":      func(r *record) { r.Right = 0 },
		"other images": func(r *record) { r.Data = "00" },
	} {
		have := want
		change(&have)
		got := have.differs(want)
		if (says == "") != (got == "") || !strings.Contains(got, says) {
			t.Errorf("want %q: %q", says, got)
		}
	}
}

func TestOpenDigits(t *testing.T) {
	s, err := Open(t.Context(), "digits", datasets.Options{}, true)
	if err != nil || s.Test.Len() != 359 || s.Fit.Len() != 1438 {
		t.Fatalf("%v", err)
	}
	all, _ := datasets.Digits()
	// Image 4 of all is the first that is kept back, image 5 comes fifth to the fit.
	if !slices.Equal(s.Test.Pixels[:64], all.Pixels[4*64:5*64]) || !slices.Equal(s.Fit.Pixels[4*64:5*64], all.Pixels[5*64:6*64]) {
		t.Error("the parts are not every fifth image and the others")
	}
}

// A classifier whose weights are a file's, but whose answers are none, is not one; what lies in its place is kept.
func TestStoreOfNoUse(t *testing.T) {
	im := shades(40, 200)
	for name, c := range map[string]struct {
		spoil func(values []float32)
		says  string
	}{
		"huge":     {func(v []float32) { scale(v, 1e30) }, "not finite"},
		"reversed": {func(v []float32) { scale(v, -1) }, "trained anew"},
		"nothing":  {func(v []float32) { scale(v, 0) }, "rightly"},
	} {
		t.Run(name, func(t *testing.T) {
			var notes []string
			s := Store{Dir: t.TempDir(), Note: func(n string) { notes = append(notes, n) }}
			if _, err := s.Get(t.Context(), im); err != nil {
				t.Fatal(err)
			}
			path := s.Path(im.Info)
			file, err := safetensors.Read(path)
			if err != nil {
				t.Fatal(err)
			}
			spoilt := &weights.Dict{}
			for name, w := range file.Tensors.All() {
				if w.DType == weights.Float {
					v, err := w.Float32s()
					if err != nil {
						t.Fatal(err)
					}
					c.spoil(v)
					w = weights.FromFloat32(v, w.Shape...)
				}
				spoilt.Set(name, w)
			}
			if err := safetensors.WriteFile(path, &weights.File{Tensors: spoilt, Record: file.Record}); err != nil {
				t.Fatal(err)
			}
			bad, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			m, err := s.Get(t.Context(), im)
			if err != nil || len(notes) != 1 || !strings.Contains(notes[0], c.says) || !strings.Contains(notes[0], "kept as shades.safetensors.damaged") {
				t.Fatalf("%v, notes %q", err, notes)
			}
			x, y := All(im)
			if j, err := m.Judge(t.Context(), x); err != nil || !slices.Equal(j.Labels, y) {
				t.Errorf("it does not tell dark from bright: %v", err)
			}
			if kept, err := os.ReadFile(path + ".damaged"); err != nil || !slices.Equal(kept, bad) {
				t.Errorf("%d bytes were kept, %v", len(kept), err)
			}
		})
	}
}

func scale(v []float32, by float32) {
	for i := range v {
		v[i] *= by
	}
}

// One that cannot be read may be whole, and what a link in its place leads to is of other use.
func TestStoreBehindLinks(t *testing.T) {
	s := Store{Dir: t.TempDir(), Note: func(string) {}}
	im := shades(10, 200)
	path := s.Path(im.Info)
	if err := os.Symlink(filepath.Base(path), path); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), im); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("%v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	precious := filepath.Join(s.Dir, "precious.txt")
	if err := os.WriteFile(precious, []byte("precious"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("precious.txt", path); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), im); err != nil {
		t.Error(err)
	}
	if b, err := os.ReadFile(precious); err != nil || string(b) != "precious" {
		t.Errorf("what the link led to was written: %v", err)
	}
}
