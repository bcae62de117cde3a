package datasets

import (
	"bytes"
	"compress/gzip"
	"slices"
	"strings"
	"testing"
)

func TestDigits(t *testing.T) {
	im, err := Digits()
	if err != nil {
		t.Fatal(err)
	}
	if im.Len() != 1797 || !slices.Equal(im.Shape, []int{1, 8, 8}) || im.Levels != 17 || im.Classes() != 10 {
		t.Fatalf("%d images of %v, %d levels, %d classes", im.Len(), im.Shape, im.Levels, im.Classes())
	}
	// sklearn.datasets.load_digits(): numpy.bincount(target), images[0][0], target[:3].
	counts := make([]int, 10)
	for _, y := range im.Labels {
		counts[y]++
	}
	if want := []int{178, 182, 177, 183, 181, 182, 181, 179, 174, 180}; !slices.Equal(counts, want) {
		t.Errorf("images by class: %v, want %v", counts, want)
	}
	if got, want := im.Pixels[:8], []uint8{0, 0, 5, 13, 9, 1, 0, 0}; !slices.Equal(got, want) {
		t.Errorf("first row %v, want %v", got, want)
	}
	if !slices.Equal(im.Labels[:3], []uint8{0, 1, 2}) {
		t.Errorf("first labels %v", im.Labels[:3])
	}
}

func TestDigitsNormalised(t *testing.T) {
	im, err := Digits()
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float32, im.Dim())
	for i := range im.Len() {
		im.Floats(x, i)
		for j, v := range x {
			// Eighths are exact in float32, so this is an equality.
			if k := im.Pixels[i*64+j]; v != float32(k)/8-1 {
				t.Fatalf("image %d pixel %d: %d became %v", i, j, k, v)
			}
		}
	}
}

func TestDigitsHoldout(t *testing.T) {
	all, err := Digits()
	if err != nil {
		t.Fatal(err)
	}
	fit, test, err := DigitsHoldout()
	if err != nil {
		t.Fatal(err)
	}
	if fit.Len() != 1438 || test.Len() != 359 { // 1797 = 5*359 + 2
		t.Fatalf("%d and %d images", fit.Len(), test.Len())
	}
	if !slices.Equal(test.Pixels[:64], all.Pixels[4*64:5*64]) || test.Labels[0] != all.Labels[4] {
		t.Error("the first test image is not the fifth of all")
	}
	if !slices.Equal(fit.Pixels[4*64:5*64], all.Pixels[5*64:6*64]) {
		t.Error("the fifth fitting image is not the sixth of all")
	}
	split, err := Open("digits", Options{Split: Test})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(split.Pixels, test.Pixels) || !slices.Equal(split.Labels, test.Labels) {
		t.Error("Open's test split is another one")
	}
}

func TestDigitsDamaged(t *testing.T) {
	info, _ := Lookup("digits")
	pack := func(text string) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Write([]byte(text))
		z.Close()
		return b.Bytes()
	}
	row := strings.Repeat("0,", 64) + "1\n"
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"no gzip":   {[]byte("hello, world"), "gzip"},
		"cut":       {digitsFile[:len(digitsFile)/2], "EOF"},
		"few":       {pack(row), "1 images of 1797"},
		"short row": {pack("1,2,3\n"), "line 1 has 3 values of 65"},
		"no number": {pack(row + strings.Repeat("x,", 64) + "1\n"), `line 2: "x"`},
		"too dark":  {pack(strings.Repeat(strings.Repeat("17,", 64)+"1\n", 1797)), "the largest is 16"},
		"label":     {pack(strings.Repeat(strings.Repeat("0,", 64)+"10\n", 1797)), "label 10"},
	} {
		if _, err := parseDigits(info, c.file); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one on %q", name, err, c.want)
		}
	}
}
