package datasets

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestNaturalOrder(t *testing.T) {
	for _, want := range []string{
		"0 1 2 3 9 10 11 100",
		"1 01 001 2 02",
		"class1 class2 class10",
		"a a1 a1b a2 a10 b",
		"Cat dog",
		"-1 -2 1", // no numbers below 0: the sign is a letter
		"99999999999999999999 100000000000000000000",
		"1.5 1.10", // as versions are
	} {
		names := strings.Fields(want)
		got := slices.Clone(names)
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
		slices.SortFunc(got, compareNatural)
		if !slices.Equal(got, names) {
			t.Errorf("%v, want %v", got, names)
		}
	}
	if compareNatural("a10", "a10") != 0 {
		t.Error("a name is not equal to itself")
	}
}

// TestFolderNumbered: classes 1 to 11 are in the order of their numbers.
func TestFolderNumbered(t *testing.T) {
	files := map[string][]byte{}
	names := strings.Fields("1 2 3 4 5 6 7 8 9 10 11")
	for i, n := range names {
		files[n+"/x.png"] = shade(uint8(10 * i))
	}
	im, err := openTestFolder(layFiles(t, files), 4)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(im.ClassNames, names) || im.Labels[10] != 10 || im.Pixels[10*im.Dim()] != 100 {
		t.Errorf("classes %v, labels %v", im.ClassNames, im.Labels)
	}
}

func TestReclass(t *testing.T) {
	im := &Images{Info: Info{ClassNames: []string{"1", "2", "10"}}, Labels: []uint8{0, 0, 1, 2}}
	if im.Reclass([]string{"1", "2", "11"}) || im.Reclass([]string{"1", "2"}) || im.Reclass([]string{"1", "1", "2"}) || im.Reclass(nil) {
		t.Error("other classes were taken for the same")
	}
	if !slices.Equal(im.Labels, []uint8{0, 0, 1, 2}) {
		t.Errorf("labels %v", im.Labels)
	}
	if !im.Reclass([]string{"1", "10", "2"}) || !slices.Equal(im.Labels, []uint8{0, 0, 2, 1}) || im.ClassNames[1] != "10" {
		t.Errorf("classes %v, labels %v", im.ClassNames, im.Labels)
	}
}
