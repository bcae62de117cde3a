package datasets

import (
	"context"
	"fmt"
	"slices"
	"testing"
)

// TestFolderParts: of 100 pictures 80 are to fit on and 20 to test with, ten of each
// class, whichever way the test part is asked for; the two have none in common.
func TestFolderParts(t *testing.T) {
	files := map[string][]byte{}
	for i := range 50 {
		files[fmt.Sprintf("blue/%02d.png", i)] = shade(uint8(i))
		files[fmt.Sprintf("red/%02d.png", i)] = shade(uint8(100 + i))
	}
	name := "folder:" + layFiles(t, files)
	fit, test, err := OpenParts(context.Background(), name, Options{ImageSize: 4})
	if err != nil {
		t.Fatal(err)
	}
	var want []uint8
	for i := 4; i < 50; i += 5 {
		want = append(want, uint8(i))
	}
	for i := 4; i < 50; i += 5 {
		want = append(want, uint8(100+i))
	}
	if fit.Len() != 80 || !slices.Equal(shades(test), want) {
		t.Errorf("%d images to fit on, to test with %v, want 80 and %v", fit.Len(), shades(test), want)
	}
	for _, s := range shades(fit) {
		if slices.Contains(want, s) {
			t.Errorf("picture %d is in both parts", s)
		}
	}
	alone, err := Open(name, Options{ImageSize: 4, Split: Test})
	if err != nil || !slices.Equal(shades(alone), want) {
		t.Errorf("the test part alone is %v, error %v", shades(alone), err)
	}
	if all, err := Open(name, Options{ImageSize: 4}); err != nil || all.Len() != 100 {
		t.Errorf("a flow trains on %d images, error %v", all.Len(), err)
	}
}

// TestPartsWithTestFiles: sets that have test files keep all of the others to fit on.
func TestPartsWithTestFiles(t *testing.T) {
	dir := layFiles(t, map[string][]byte{cifarDir + "data_batch_1.bin": cifarFile(0, 1, 2, 3, 4, 5, 6), cifarDir + "test_batch.bin": cifarFile(9, 8)})
	fit, test, err := OpenParts(context.Background(), "cifar10", Options{DataDir: dir})
	if err != nil || fit.Len() != 7 || !slices.Equal(test.Labels, []uint8{9, 8}) || fit.Undivided || test.Undivided {
		t.Errorf("%v, %v, error %v", fit, test, err)
	}
}

// TestHoldOutKeepsClasses: the only image of a class is never kept back.
func TestHoldOutKeepsClasses(t *testing.T) {
	im := &Images{Info: Info{Shape: []int{1, 1, 1}, Levels: 256, ClassNames: []string{"a", "b", "c"}},
		Pixels: []uint8{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, Labels: []uint8{0, 0, 0, 0, 1, 2, 2, 2, 2, 2}}
	fit, test := im.holdOut()
	if !slices.Equal(test.Pixels, []uint8{9}) || fit.Len() != 9 {
		t.Errorf("held out %v, left %v", test.Pixels, fit.Pixels)
	}
	im.Labels, im.ClassNames = nil, nil
	if _, test := im.holdOut(); !slices.Equal(test.Pixels, []uint8{4, 9}) {
		t.Errorf("without classes %v are held out", test.Pixels)
	}
}
