package terminal

import (
	"regexp"
	"strings"
)

// mostWidth is of lines that stay, in columns: longer ones are hard to read.
const mostWidth = 110

// keep stands for a blank where no line may end; no text and no path has it.
const keep = "\x00"

// Whole keeps the words of a text on one line: of a path, or of a flag with its value.
func Whole(s string) string { return strings.ReplaceAll(s, " ", keep) }

// mayEnd stands where a line may end though there is no blank; no text has it.
const mayEnd = "\x01"

// lists are words with commas between, as in euler:1,euler:2; numbers as 1,024 are none.
var lists = regexp.MustCompile(`,([A-Za-z])`)

// Listed lets lines end after the commas of a text's lists.
func Listed(s string) string { return lists.ReplaceAllString(s, ","+mayEnd+"$1") }

// inParts takes a word that is wider than a line apart where it may end.
func inParts(word string, columns int) []string {
	if columnsOf(word) <= columns {
		return []string{word}
	}
	var all []string
	for _, part := range strings.Split(word, mayEnd) {
		if last := len(all) - 1; last >= 0 && columnsOf(all[last])+columnsOf(part) <= columns {
			all[last] += part
		} else {
			all = append(all, part)
		}
	}
	return all
}

// wrap breaks a text between words into lines of so many columns, the first indented by
// first, the others by rest. A longer word has a line of its own, which nobody can break.
func wrap(s string, columns, first, rest int) []string {
	var lines []string
	line, indent, words := "", first, 0
	var all []string
	for _, word := range strings.Split(s, " ") {
		all = append(all, inParts(word, columns-max(first, rest))...)
	}
	for _, word := range all {
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
		lines[k] = strings.ReplaceAll(strings.ReplaceAll(l, keep, " "), mayEnd, "")
	}
	return lines
}
