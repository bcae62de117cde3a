package terminal

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Printable quotes a name that would move the cursor: that of a class, from a folder or
// a checkpoint, may be anything.
func Printable(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(name)
	}
	return name
}

// plain is a text without what would move the cursor, or turn the letters after it: whatever
// is said goes through it, wherever its parts come from.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if string(r) != keep && string(r) != mayEnd && r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			return '?'
		}
		return r
	}, s)
}

// Copied tells whether a command of such parts can be copied as it is shown.
func Copied(parts []string) bool {
	return !slices.ContainsFunc(parts, func(p string) bool {
		return strings.ContainsFunc(p, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) })
	})
}

// longestWord is of a name among others, in columns.
const longestWord = 60

// Some joins words, printable and cut where they are long, of which a screen has room for
// twenty.
func Some(words []string) string {
	const most = 20
	var shown []string
	for k, w := range words {
		if k == most {
			shown = append(shown, fmt.Sprintf("and %d more", len(words)-most))
			break
		}
		shown = append(shown, fit(Printable(w), longestWord, false))
	}
	return strings.Join(shown, ", ")
}
