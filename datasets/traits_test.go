package datasets

import (
	"reflect"
	"slices"
	"testing"
)

func TestTraits(t *testing.T) {
	for name, want := range map[string]Traits{
		"digits":          {Few: true},
		"mnist":           {Reference: true},
		"kmnist":          {},
		"cifar10":         {Photographs: true, Reference: true},
		"cifar100-coarse": {Photographs: true},
		"celeba":          {Photographs: true, Attributes: true},
		"folder:a/b":      {Photographs: true, Sized: true},
		"moons":           {Reference: true},
		"rings":           {},
		"points:a.csv":    {},
		"nothing":         {},
		"folder-b":        {}, // a record's name: see Lost
	} {
		if got := TraitsOf(name); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	want := []string{"checkerboard", "moons", "mixture", "siggraph", "invertocat", "mnist", "fashion_mnist", "cifar10"}
	if got := WithTrait(func(t Traits) bool { return t.Reference }); !slices.Equal(got, want) {
		t.Errorf("in the reference system: %v, want %v", got, want)
	}
}

// Again asks for the set that a record tells of, and the set is that.
func TestAgain(t *testing.T) {
	dir := Options{DataDir: "here", ImageSize: 64, Channels: 3}
	for _, c := range []struct {
		in   Info
		want Options
	}{
		{Info{Name: "folder:a", Shape: []int{1, 28, 28}}, Options{DataDir: "here", ImageSize: 28, Channels: 1}},
		{Info{Name: "celeba", Shape: []int{3, 64, 64}}, dir},
		{Info{Name: "celeba", Shape: []int{3, 64, 64}, ClassNames: AttributeClasses("Smiling")}, Options{DataDir: "here", ImageSize: 64, Channels: 3, Attribute: "Smiling"}},
		{Info{Name: "folder:a", Shape: []int{3, 64, 64}, ClassNames: []string{"cat", "dog"}}, dir},
		{Info{Name: "moons", Shape: []int{2}}, dir},
	} {
		if got := dir.Again(c.in); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%+v: %+v, want %+v", c.in, got, c.want)
		}
	}
	smiling := Info{Name: "celeba", Shape: []int{3, 64, 64}, Levels: 256, ClassNames: AttributeClasses("Smiling")}
	if got, err := LookupWith("celeba", Options{}.Again(smiling)); err != nil || !reflect.DeepEqual(got, smiling) {
		t.Errorf("%+v, %v, want %+v", got, err, smiling)
	}
}

func TestLost(t *testing.T) {
	for name, want := range map[string]string{
		"folder-cats": "folder:DIR", "points-ring": "points:FILE", "image-cat": "image:FILE", "folder:cats": "", "points:a-b.csv": "", "mnist": "", "": "",
	} {
		if got := Lost(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
