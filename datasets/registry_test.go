package datasets

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"flowmatch/datasets/plane"
)

func TestLookupNeedsNoFiles(t *testing.T) {
	for _, c := range []struct {
		name, canonical string
		shape           []int
		levels          int
	}{
		{"digits", "digits", []int{1, 8, 8}, 17},
		{"MNIST", "mnist", []int{1, 28, 28}, 256},
		{"fashion-mnist", "fashion_mnist", []int{1, 28, 28}, 256},
		{"CIFAR10", "cifar10", []int{3, 32, 32}, 256},
	} {
		info, err := Lookup(c.name)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if info.Name != c.canonical || !slices.Equal(info.Shape, c.shape) || info.Levels != c.levels || info.Classes() != 10 {
			t.Errorf("%s: %+v", c.name, info)
		}
		if About(c.name) == "" {
			t.Errorf("%s: nothing to say about it", c.name)
		}
	}
	info, _ := Lookup("mnist")
	info.ClassNames[0] = "changed"
	if again, _ := Lookup("mnist"); again.ClassNames[0] != "0" {
		t.Error("a caller could change the table")
	}
}

func TestUnknown(t *testing.T) {
	_, err := Open("mnits", Options{})
	var unknown *UnknownError
	if !errors.As(err, &unknown) || unknown.Name != "mnits" {
		t.Fatalf("error %v", err)
	}
	if got, want := err.Error(), `unknown dataset "mnits": did you mean mnist or kmnist or qmnist?`; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	_, err = Lookup("zebra")
	if got, want := err.Error(), `unknown dataset "zebra": choose one of `+strings.Join(Names(), ", "); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestNearest(t *testing.T) {
	for _, c := range []struct {
		name string
		want []string
	}{
		{"fashio", []string{"fashion_mnist"}},
		{"mnit", []string{"mnist", "kmnist", "qmnist"}},
		{"digit", []string{"digits", "emnist_digits"}},
		{"emnist_leters", []string{"emnist_letters", "mnist"}},
		{"fashion", []string{"fashion_mnist"}},
		{"fashionmnist", []string{"fashion_mnist", "mnist"}},
		{"xyz", []string{}},
		{"", []string{}},
	} {
		if got := Nearest(c.name); !slices.Equal(got, c.want) {
			t.Errorf("Nearest(%q) = %v, want %v", c.name, got, c.want)
		}
	}
}

func TestEditDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0}, {"abc", "acb", 1},
		{"kitten", "sitting", 3}, {"abcd", "bacd", 1}, {"ab", "ba", 1},
	} {
		if got := editDistance(c.a, c.b); got != c.want {
			t.Errorf("%s to %s: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestSlug(t *testing.T) {
	for name, want := range map[string]string{
		"digits":                "digits",
		"fashion_mnist":         "fashion_mnist",
		"image:pets/Cat.png":    "image-cat",
		"points:ring.csv":       "points-ring",
		"folder:a/flowers":      "folder-flowers",
		"folder:a/flowers/":     "folder-flowers",
		"folder:my.best photos": "folder-my-best-photos",
		"image:.hidden":         "image-hidden",
		"image:../..":           "image-unnamed",
		"folder:a/b\x00c":       "folder-b-c",
	} {
		if got := Slug(name); got != want {
			t.Errorf("Slug(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestLookup2D(t *testing.T) {
	for _, name := range append([]string{"checkerboard", "moons", "mixture", "siggraph", "invertocat", "8gaussians", "pinwheel", "rings", "spirals", "swissroll"}, "image:a/b.png", "points:ring.csv") {
		info, err := Lookup(name)
		if err != nil || !info.Is2D() || info.Name != name || info.Dim() != 2 || info.Classes() != 0 {
			t.Errorf("%s: %+v, %v", name, info, err)
		}
		if About(name) == "" {
			t.Errorf("%s: nothing to say about it", name)
		}
		if _, err := Open(name, Options{}); err == nil {
			t.Errorf("%s opens as images", name)
		}
	}
	if info, _ := Lookup("mnist"); info.Is2D() {
		t.Error("mnist is in the plane")
	}
	if _, err := plane.Open("digits"); err == nil {
		t.Error("digits open as points")
	}
	dir := t.TempDir()
	for name, want := range map[string]string{
		"my/mine.CSV":  `unknown dataset "my/mine.CSV": did you mean points:my/mine.CSV?`,
		"p.npy":        `unknown dataset "p.npy": did you mean points:p.npy?`,
		"cat.jpeg":     `unknown dataset "cat.jpeg": did you mean image:cat.jpeg?`,
		"flowers/":     `unknown dataset "flowers/": did you mean folder:flowers/?`,
		dir:            `unknown dataset "` + dir + `": did you mean folder:` + dir + `?`,
		"imag:cat.png": `unknown dataset "imag:cat.png": did you mean image:cat.png?`,
		"image:":       `unknown dataset "image:": did you mean image:FILE?`,
		"moon":         `unknown dataset "moon": did you mean moons?`,
		"8-gaussian":   `unknown dataset "8-gaussian": did you mean 8gaussians?`,
	} {
		_, err := Lookup(name)
		var unknown *UnknownError
		if !errors.As(err, &unknown) || err.Error() != want {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
}
