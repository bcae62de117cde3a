package emulator

import (
	"slices"
	"testing"
)

// What a person sees on a real terminal after the same bytes.
func TestTerminal(t *testing.T) {
	for _, c := range []struct {
		name, written string
		want          []string
		wrapped       int
		complaints    int
	}{
		{"lines", "one\ntwo\n", []string{"one", "two"}, 0, 0},
		{"written over", "one two\rONE", []string{"ONE two"}, 0, 0},
		{"erased", "one two\rONE\x1b[K", []string{"ONE"}, 0, 0},
		{"a whole line erased", "one\n two\x1b[2K", []string{"one"}, 0, 0},
		{"the rest of the screen", "one\ntwo\r\x1b[J", []string{"one"}, 0, 0},
		{"the last column", "1234567890\n1", []string{"1234567890", "1"}, 0, 0},
		{"beyond it", "12345678901", []string{"1234567890", "1"}, 1, 0},
		{"wide letters", "数字数字数", []string{"数字数字数"}, 0, 0},
		{"a wide letter beyond it", "123456789数", []string{"123456789", "数"}, 1, 0},
		{"back", "abc\b\bX", []string{"aXc"}, 0, 0},
		{"colours", "\x1b[1;32mgreen\x1b[0m", []string{"green"}, 0, 0},
		{"what it does not know", "\x1b[2Ax\x07\x1bM", []string{"x"}, 0, 3},
		{"a combining mark", "e\u0301toile", []string{"e\u0301toile"}, 0, 0},
	} {
		for _, size := range []int{100, 1} { // at once, and byte after byte
			term := New(10)
			for part := range slices.Chunk([]byte(c.written), size) {
				term.Write(part)
			}
			if got := term.Screen(); size == 100 && !slices.Equal(got, c.want) || len(term.Wrapped) != c.wrapped || len(term.Complaints) != c.complaints {
				t.Errorf("%s: %q, wrapped %q, complaints %q", c.name, got, term.Wrapped, term.Complaints)
			}
		}
	}
	term := New(10)
	term.Write([]byte("1234567890\nabc"))
	term.Resize(5)
	term.Write([]byte("de\rX"))
	if got, want := term.Screen(), []string{"12345", "Xbcde"}; !slices.Equal(got, want) || len(term.Wrapped) > 0 {
		t.Errorf("%q, want %q", got, want)
	}
}
