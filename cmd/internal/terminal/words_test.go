package terminal

import (
	"slices"
	"strings"
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
		{[]string{strings.Repeat("a", 70), "b"}, strings.Repeat("a", 59) + "…, b"},
		{many, "a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, and 2 more"},
	} {
		if got := Some(c.words); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// Whatever is said has nothing that a terminal obeys.
func TestPlain(t *testing.T) {
	const evil = "a \x1b]0;owned\a\u009b2J\u202eb"
	const want = "a ?]0;owned??2J?b"
	var said strings.Builder
	Say(&said, evil+Whole("c d"))
	SayCommand(&said, "next: ", []string{"bin/sample", evil})
	if got := said.String(); got != want+"c d\n" {
		t.Errorf("said %q", got)
	}
	p := PageOf(80)
	p.Linef("%s", evil)
	p.Path(evil)
	p.List(List{Rows: [][]string{{evil, evil}}})
	if got := p.String(); got != want+"\n"+want+"\n"+want+"  "+want+"\n" {
		t.Errorf("a page of %q", got)
	}
	SayCommand(&said, "next: ", []string{"bin/sample", "--dataset pets"})
	if !strings.HasSuffix(said.String(), "next: bin/sample --dataset pets\n") {
		t.Errorf("%q", said.String())
	}
}
