package terminal

import (
	"strings"
)

// mostWidth is of lines that stay, in columns: longer ones are hard to read.
const mostWidth = 110

// keep stands for a blank where no line may end; no text and no path has it.
const keep = "\x00"

// Whole keeps the words of a text on one line: of a path, or of a flag with its value.
func Whole(s string) string { return strings.ReplaceAll(s, " ", keep) }

// wrap breaks a text between words into lines of so many columns, the first indented by
// first, the others by rest. A longer word has a line of its own, which nobody can break.
func wrap(s string, columns, first, rest int) []string {
	var lines []string
	line, indent, words := "", first, 0
	for _, word := range strings.Split(s, " ") {
		if words > 0 && columnsOf(line)+1+columnsOf(word) > columns {
			lines = append(lines, strings.TrimRight(line, " "))
			line, indent, words = "", rest, 0
		}
		switch {
		case words > 0:
			line += " " + word
		case word == "" && len(lines) > 0:
			continue // blanks where a line ended
		default:
			line = strings.Repeat(" ", indent) + word
		}
		words++
	}
	lines = append(lines, strings.TrimRight(line, " "))
	for k, l := range lines {
		lines[k] = strings.ReplaceAll(l, keep, " ")
	}
	return lines
}
