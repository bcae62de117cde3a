package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// Widths of help, in columns.
const (
	usualWidth = 80  // where there is no terminal
	mostWidth  = 110 // longer lines are hard to read
	narrow     = 64  // below, what a flag is for stands under its name
)

// columns is the width of the terminal that w is, or the usual one.
func columns(w io.Writer) int {
	if n, ok := TerminalWidth(w); ok {
		return n
	}
	return usualWidth
}

// TerminalWidth is how wide lines on the terminal may be that w is; false where it is none.
func TerminalWidth(w io.Writer) (columns int, ok bool) {
	if r, ok := w.(*results); ok {
		w = r.w
	}
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
		return min(n, mostWidth), true
	}
	return usualWidth, true
}

// List is names with what they are, in lines of a width.
func List(width int, rows [][2]string) string {
	longest := 0
	for _, r := range rows {
		longest = max(longest, len(r[0]))
	}
	var b strings.Builder
	for _, r := range rows {
		row(&b, width, longest, r[0], r[1])
	}
	return b.String()
}

// Help is what --help prints, in lines of a width.
func (c *Command) Help(width int) string {
	var b strings.Builder
	fold(&b, width, 0, 0, c.Name+": "+c.About)
	b.WriteString("\nUsage:\n")
	longest := 0
	for _, f := range c.Forms {
		if f.What != "" {
			longest = max(longest, len(f.Line))
		}
	}
	for _, f := range c.Forms {
		row(&b, width, longest, f.Line, f.What)
	}
	longest = 0
	groups := c.Groups()
	for _, g := range groups {
		for _, d := range g.Descriptions() {
			longest = max(longest, len(d.Head))
		}
	}
	for _, g := range groups {
		b.WriteByte('\n')
		fold(&b, width, 0, 0, g.Title+":")
		for _, d := range g.Descriptions() {
			row(&b, width, min(longest, 26), d.Head, d.About)
		}
	}
	b.WriteByte('\n')
	fold(&b, width, 0, 0, fmt.Sprintf("Underscores may stand for hyphens. `%[1]s completion bash` (zsh, fish) prints what a shell completes these flags by, `%[1]s man` the manual.", c.Name))
	return b.String()
}

// row writes a head of at most longest columns and the text beside it; or under it,
// where the lines are short or the head is long.
func row(b *strings.Builder, width, longest int, head, text string) {
	const left, gap = 2, 2
	at := left + longest + gap
	if text == "" {
		fold(b, width, left, left+4, head)
		return
	}
	if width < narrow || at > width/2 && at+len(text) > width {
		fold(b, width, left, left+4, head)
		fold(b, width, left+4, left+4, text)
		return
	}
	if len(head) > longest {
		fmt.Fprintf(b, "%*s%s\n", left, "", head)
		fold(b, width, at, at, text)
		return
	}
	fmt.Fprintf(b, "%*s%-*s", left, "", longest+gap, head)
	var lines strings.Builder
	fold(&lines, width, at, at, text)
	b.WriteString(strings.TrimLeft(lines.String(), " "))
}

// fold writes the words of a text in lines of a width, the first one indented by
// first, the others by rest. A word that is wider than that has a line of its own.
func fold(b *strings.Builder, width, first, rest int, text string) {
	at, indent := 0, first
	for _, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		if at > 0 && at+1+n > width {
			b.WriteByte('\n')
			at, indent = 0, rest
		}
		if at == 0 {
			b.WriteString(strings.Repeat(" ", indent))
			at = indent
		} else {
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
	}
	b.WriteByte('\n')
}
