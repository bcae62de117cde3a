package sample

import (
	"slices"
	"strings"
	"testing"

	"flowmatch/cmd/internal/cli"
	"flowmatch/datasets"
)

func TestClassList(t *testing.T) {
	numbered := strings.Fields("1 2 3 4 5 6 7 8 9 10 11")
	digits := strings.Fields("0 1 2 3 4 5 6 7 8 9")
	pets := []string{"cat", "Dog", "a, b", "dog"}
	for _, c := range []struct {
		names   []string
		classes string
		want    []int
		says    string
	}{
		{digits, "all", []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, ""},
		{digits, "3, 0,9", []int{3, 0, 9}, ""},
		{digits, "10", nil, "classes 0 to 9"},
		{digits, "3,3", nil, "3 twice"},
		{numbered, "3,11", []int{2, 10}, ""},
		{numbered, "0", nil, "are called 1, 2, 3"},
		{numbered, "12", nil, "are called 1, 2, 3"},
		{pets, "Dog,cat", []int{1, 0}, ""},
		{pets, "CAT,2", []int{0, 2}, ""},
		{pets, "DOG", nil, "no such class"}, // one of two
		{pets, "a, b", []int{2}, ""},
		{pets, "cot", nil, "did you mean cat?"},
		{pets, "elephant", nil, "all, or of cat, Dog"},
		{pets, "cat,0", nil, "0 twice"},
		{pets, "-1", nil, "classes 0 to 3"},
		{pets, "", nil, "all, or of"},
		{append(slices.Clone(digits), "A", "B"), "10,B,3", []int{10, 11, 3}, ""},
	} {
		f := newFlags()
		f.classes = c.classes
		got, err := f.classList(datasets.Info{Name: "set", ClassNames: c.names})
		if !slices.Equal(got, c.want) || (err == nil) != (c.says == "") {
			t.Errorf("%s of %q: %v, error %v", c.classes, c.names, got, err)
		}
		if err != nil && (cli.Status(err) != cli.WrongUse || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s of %q: error %v, want one on %q", c.classes, c.names, err, c.says)
		}
	}
}

func TestMapping(t *testing.T) {
	for _, c := range []struct {
		classes []int
		names   []string
		want    string
	}{
		{[]int{0, 1}, []string{"0", "1"}, ""},
		{[]int{1}, []string{"cat", "dog"}, "1 is dog"},
		{[]int{2, 0}, []string{"1", "2", "3"}, "2 is 3, 0 is 1"},
		{[]int{0}, nil, ""},
		{[]int{0}, []string{"\x1b[2J"}, `"0 is \x1b[2J"`},
	} {
		if got := mapping(c.classes, c.names); got != c.want {
			t.Errorf("%v of %q: %q, want %q", c.classes, c.names, got, c.want)
		}
	}
}
