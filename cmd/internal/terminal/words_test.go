package terminal

import (
	"slices"
	"testing"
)

func TestSome(t *testing.T) {
	many := slices.Repeat([]string{"a"}, 22)
	for _, c := range []struct {
		words []string
		want  string
	}{
		{nil, ""},
		{[]string{"0 is cat", "1 is \x1b[2Jdog"}, `0 is cat, "1 is \x1b[2Jdog"`},
		{many, "a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, and 2 more"},
	} {
		if got := Some(c.words); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
