package training

import "testing"

// Classes are told by names that a terminal only shows, and not by all of very many.
func TestClassesChanged(t *testing.T) {
	for _, c := range []struct {
		was, now []string
		want     string
	}{
		{[]string{"cat"}, []string{"cat", "dog\nnote: all is well"}, `it has the classes "dog\nnote: all is well" too`},
		{[]string{"cat", "\x1b[2J"}, []string{"cat"}, `it lacks the classes "\x1b[2J"`},
		{[]string{"cat"}, []string{"dog"}, "it has the classes dog instead of cat"},
	} {
		if got := classesChanged(c.was, c.now); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}
