package kinds

import (
	"testing"

	"flowmatch/datasets"
)

func TestOf(t *testing.T) {
	for name, want := range map[string]*Kind{"moons": &Points, "points:a.csv": &Points, "image:cat.png": &Points, "digits": &Images, "cifar10": &Images} {
		in, err := datasets.Lookup(name)
		if err != nil || Of(in) != want {
			t.Errorf("%s is %s, %v", name, Of(in).What, err)
		}
	}
	if k := Of(datasets.Info{Name: "folder:a"}); k != &Images { // before its pictures are read
		t.Errorf("a folder is %s", k.What)
	}
	each := Each[int]{Points: 1, Images: 2}
	if a, b := each.Of(datasets.Info{Shape: []int{2}}), each.Of(datasets.Info{Shape: []int{1, 8, 8}}); a != 1 || b != 2 {
		t.Errorf("%d and %d", a, b)
	}
}

func TestWords(t *testing.T) {
	digits, err := datasets.Digits()
	if err != nil {
		t.Fatal(err)
	}
	if got := Images.About(digits); got != "1,797 images of 1x8x8" {
		t.Error(got)
	}
	for _, c := range []struct {
		in   datasets.Info
		want string
	}{
		{digits.Info, "--num-channels 32 --num-res-blocks 1 --attention-resolutions none --batch-size 64 --iterations 1700"},
		{datasets.Info{Name: "folder:a", Shape: []int{3, 64, 64}}, "--image-size 32 --num-res-blocks 1 --attention-resolutions none"},
		{datasets.Info{Name: "folder:a", Shape: []int{3, 32, 32}}, "--num-res-blocks 1 --attention-resolutions none --iterations 1000"},
	} {
		if got := Of(c.in).Smaller(c.in); got != c.want {
			t.Errorf("%+v: %s", c.in, got)
		}
	}
}

// The film of images is closest where they take shape; that of points is even.
func TestFilmTimes(t *testing.T) {
	even, late := Points.FilmTimes(11), Images.FilmTimes(11)
	if len(even) != 11 || len(late) != 11 || even[5] != 0.5 || late[5] <= 0.5 {
		t.Errorf("%v, %v", even, late)
	}
}
