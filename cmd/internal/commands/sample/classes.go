package sample

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/terminal"
	"flowmatch/datasets"
)

// classList is what --classes asks for: all, or names and numbers of classes.
func (f *flags) classList(in datasets.Info) ([]int, error) {
	if f.classes == "all" {
		all := make([]int, in.Classes())
		for c := range all {
			all[c] = c
		}
		return all, nil
	}
	words := strings.Split(f.classes, ",")
	if slices.Contains(in.ClassNames, f.classes) { // a name with a comma in it
		words = []string{f.classes}
	}
	var list []int
	for _, w := range words {
		c, err := classNumber(strings.TrimSpace(w), in)
		if err != nil {
			return nil, err
		}
		if slices.Contains(list, c) {
			return nil, cli.Usagef("--classes names %s twice", w)
		}
		list = append(list, c)
	}
	return list, nil
}

// classNumber is the number of the class that a word means. A name is meant before a
// number; where the names are numbers of their own, as in folders called 1 to 11, a
// number is a name.
func classNumber(word string, in datasets.Info) (int, error) {
	if c := slices.Index(in.ClassNames, word); c >= 0 {
		return c, nil
	}
	c, err := strconv.Atoi(word)
	switch {
	case err != nil:
		folded := func(name string) bool { return strings.EqualFold(name, word) }
		if c := slices.IndexFunc(in.ClassNames, folded); c >= 0 && !slices.ContainsFunc(in.ClassNames[c+1:], folded) {
			return c, nil
		}
		if near := datasets.Closest(word, in.ClassNames); near != "" {
			return 0, cli.Usagef("--classes %q: %s has no such class; did you mean %s?", word, in.Name, near)
		}
		return 0, cli.Usagef("--classes %q: all, or of %s with commas between", word, terminal.Some(in.ClassNames))
	case ownNumbers(in.ClassNames):
		return 0, cli.Usagef("--classes %s: the classes of %s are called %s", word, in.Name, terminal.Some(in.ClassNames))
	case c < 0 || c >= in.Classes():
		return 0, cli.Usagef("--classes %d: %s has the classes 0 to %d (%s)", c, in.Name, in.Classes()-1, terminal.Some(in.ClassNames))
	}
	return c, nil
}

// ownNumbers tells whether a class's name is a number other than its own.
func ownNumbers(names []string) bool {
	for c, name := range names {
		if n, err := strconv.Atoi(name); err == nil && n != c {
			return true
		}
	}
	return false
}

// mapping says which classes are drawn, by number and name, where a name is not the
// number: "2 is 3, 10 is 11"; else it is empty.
func mapping(classes []int, names []string) string {
	var parts []string
	plain := true
	for _, c := range classes {
		if c >= len(names) {
			return ""
		}
		plain = plain && names[c] == strconv.Itoa(c)
		parts = append(parts, fmt.Sprintf("%d is %s", c, names[c]))
	}
	if plain {
		return ""
	}
	return terminal.Some(parts)
}
