package terminal

import (
	"fmt"
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

// Some joins words, printable, of which a screen has room for twenty.
func Some(words []string) string {
	const most = 20
	var shown []string
	for k, w := range words {
		if k == most {
			shown = append(shown, fmt.Sprintf("and %d more", len(words)-most))
			break
		}
		shown = append(shown, Printable(w))
	}
	return strings.Join(shown, ", ")
}
