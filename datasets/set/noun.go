package set

import "strings"

// Noun is a word for so many things that are counted: "1 class", "2 classes".
func Noun[N ~int | ~int64](n N, one string) string {
	switch {
	case n == 1:
		return one
	case strings.HasSuffix(one, "s"), strings.HasSuffix(one, "x"), strings.HasSuffix(one, "ch"):
		return one + "es"
	case strings.HasSuffix(one, "ry"), strings.HasSuffix(one, "ty"):
		return strings.TrimSuffix(one, "y") + "ies"
	}
	return one + "s"
}
