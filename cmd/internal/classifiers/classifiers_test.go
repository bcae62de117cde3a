package classifiers

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn"

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
	for says, change := range map[string]func(*record){
		"":             func(*record) {},
		"classifier":   func(r *record) { r.Kind = "unet" },
		"version 0":    func(r *record) { r.Version = 0 },
		"in 3 classes": func(r *record) { r.Classes = 3 },
		"[3 8 8]":      func(r *record) { r.Shape = []int{3, 8, 8} },
		"9 images":     func(r *record) { r.Images = 9 },
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
