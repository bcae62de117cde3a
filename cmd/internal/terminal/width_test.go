package terminal

import (
	"slices"
	"testing"
)

func TestFit(t *testing.T) {
	for _, c := range []struct {
		text    string
		columns int
		ascii   bool
		want    string
	}{
		{"training", 8, false, "training"},
		{"training", 7, false, "traini…"},
		{"training", 7, true, "traini."},
		{"a b", 2, false, "a…"},
		{"  b", 2, false, "…"},
		{"training", 1, false, "…"},
		{"training", 0, false, ""},
		{"数字数字", 8, false, "数字数字"},
		{"数字数字", 7, false, "数字数…"},
		{"数字数字", 6, false, "数字…"},
		{"数字数字", 8, true, "????"},
		{"e\u0301tage", 4, false, "e\u0301ta…"},
		{"\x1b[2J\rdog\u009b", 9, false, "[2Jdog"},
	} {
		if got := fit(c.text, c.columns, c.ascii); got != c.want || columnsOf(got) > max(1, c.columns) {
			t.Errorf("%q in %d: %q, want %q", c.text, c.columns, got, c.want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		text    string
		columns int
		want    []string
	}{
		{Listed("solvers (default euler:1,euler:2,dopri5) of 1,024"), 20, []string{"solvers (default", "  euler:1,euler:2,", "  dopri5) of 1,024"}},
		{Listed("euler:1,euler:2"), 17, []string{"euler:1,euler:2"}},
		{"", 5, []string{""}},
		{"one two", 7, []string{"one two"}},
		{"one two", 6, []string{"one", "  two"}},
		{"one outputs/cfm/digits two", 8, []string{"one", "  outputs/cfm/digits", "  two"}},
	} {
		if got := wrap(c.text, c.columns, 0, 2); !slices.Equal(got, c.want) {
			t.Errorf("%q in %d: %q, want %q", c.text, c.columns, got, c.want)
		}
	}
}

func TestLocale(t *testing.T) {
	for _, c := range []struct {
		all, ctype, lang string
		want             bool
	}{
		{"", "", "", false}, {"", "", "C", false}, {"", "", "C.UTF-8", true}, {"", "", "de_DE.utf8", true},
		{"C", "en_US.UTF-8", "en_US.UTF-8", false}, {"", "ja_JP.eucJP", "en_US.UTF-8", false}, {"", "en_US.UTF-8", "C", true},
	} {
		got := utf8Locale(func(name string) string {
			return map[string]string{"LC_ALL": c.all, "LC_CTYPE": c.ctype, "LANG": c.lang}[name]
		})
		if got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
