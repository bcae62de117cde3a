package strictjson

import "fmt"

// AppendQuote appends s as a JSON string, always in the same way: only quotes, backslashes and control characters are
// escaped. s must be UTF-8.
func AppendQuote(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20:
			b = fmt.Appendf(b, `\u%04x`, c)
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
