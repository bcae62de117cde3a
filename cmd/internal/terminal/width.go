package terminal

import (
	"strings"

	"github.com/rivo/uniseg"
)

// columnsOf is how many columns of a terminal a text takes: letters of East Asian
// scripts take two, combining marks none.
func columnsOf(s string) int {
	return uniseg.StringWidth(strings.ReplaceAll(strings.ReplaceAll(s, keep, " "), mayEnd, ""))
}

// fit cuts a text to so many columns. What would move the cursor is left out; where the
// locale is not UTF-8, other letters than ASCII's become question marks.
func fit(s string, columns int, ascii bool) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0:
			return -1
		case ascii && r > 0x7f:
			return '?'
		}
		return r
	}, s)
	if columnsOf(s) <= columns {
		return s
	}
	end := "…"
	if ascii {
		end = "."
	}
	if columns <= columnsOf(end) {
		return end[:len(end)*min(1, max(0, columns))]
	}
	var b strings.Builder
	for used, state := columnsOf(end), -1; s != ""; {
		var letter string
		var width int
		letter, s, width, state = uniseg.FirstGraphemeClusterInString(s, state)
		if used += width; used > columns {
			break
		}
		b.WriteString(letter)
	}
	return strings.TrimRight(b.String(), " ") + end
}

// right sets a text at the right of so many columns.
func right(s string, columns int) string {
	return strings.Repeat(" ", max(0, columns-columnsOf(s))) + s
}
