package terminal

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// Page is text that stays, such as results: on a terminal laid out for its width, elsewhere
// a line for each thing that is said. Nothing is written before Flush.
type Page struct {
	w     io.Writer
	width int // 0: lines are as long as they are
	ascii bool
	b     strings.Builder
}

// NewPage is a page for w.
func NewPage(w io.Writer) *Page {
	p := &Page{w: w, ascii: !utf8Locale(os.Getenv)}
	if Is(w) {
		p.width = Width(w)
	}
	return p
}

// PageOf is a page of so many columns, for String.
func PageOf(width int) *Page { return &Page{w: io.Discard, width: width} }

// String is what stands on it.
func (p *Page) String() string { return p.b.String() }

// Flush writes it.
func (p *Page) Flush() error {
	_, err := io.WriteString(p.w, p.b.String())
	p.b.Reset()
	return err
}

// Linef adds a line, which is broken between words.
func (p *Page) Linef(format string, args ...any) { p.wrapped(0, 2, fmt.Sprintf(format, args...)) }

// Paragraphf adds lines that all begin at the left.
func (p *Page) Paragraphf(format string, args ...any) { p.wrapped(0, 0, fmt.Sprintf(format, args...)) }

// Blank adds a line with nothing on it.
func (p *Page) Blank() { p.b.WriteByte('\n') }

// Path adds a line that is not broken: it is there to be copied. Programs get it as it is.
func (p *Page) Path(path string) {
	if p.width > 0 {
		path = plain(path)
	}
	p.b.WriteString(path + "\n")
}

// Command adds a command that is there to be copied, as SayCommand prints it.
func (p *Page) Command(indent int, parts []string) {
	for _, line := range command(strings.Repeat(" ", indent), parts, p.width) {
		p.Path(line)
	}
}

// asciiSigns are signs of ours for those who have ASCII alone.
var asciiSigns = strings.NewReplacer("±", "+-", "…", "...")

func (p *Page) wrapped(first, rest int, text string) {
	text = plain(text)
	if p.ascii {
		text = asciiSigns.Replace(text)
	}
	if p.width == 0 {
		p.b.WriteString(strings.Repeat(" ", first) + strings.ReplaceAll(text, keep, " ") + "\n")
		return
	}
	for _, line := range wrap(text, p.width, first, rest) {
		p.b.WriteString(line + "\n")
	}
}

// narrow is the width below which what is said of a thing stands under its name.
const narrow = 64

// List is names with what is said of them beside, or where a page is narrow under them.
type List struct {
	Indent int
	Column int        // of the names; 0: as the longest needs
	Rows   [][]string // a name, then what is said of it, each from a line of its own on
}

// List adds a list.
func (p *Page) List(l List) {
	if l.Column == 0 {
		for _, r := range l.Rows {
			l.Column = max(l.Column, columnsOf(plain(r[0])))
		}
	}
	for _, r := range l.Rows {
		p.row(l.Indent, l.Column, r[0], r[1:])
	}
}

func (p *Page) row(left, column int, head string, texts []string) {
	head = plain(head)
	const gap, under = 2, 4
	at := left + column + gap
	beside := p.width == 0 || p.width >= narrow && at <= p.width/2
	if !beside && p.width >= narrow { // a wide column, and little to say
		beside = true
		for _, t := range texts {
			beside = beside && at+columnsOf(t) <= p.width
		}
	}
	var said []string
	for _, t := range texts {
		if t != "" {
			said = append(said, t)
		}
	}
	switch {
	case len(said) == 0:
		p.wrapped(left, left+under, head)
		return
	case !beside:
		p.wrapped(left, left+under, head)
		at = left + under
	case columnsOf(head) > column:
		p.Path(strings.Repeat(" ", left) + strings.ReplaceAll(head, keep, " "))
	default:
		before := strings.Repeat(" ", left) + strings.ReplaceAll(head, keep, " ")
		var rest Page
		rest.width, rest.ascii = p.width, p.ascii
		rest.wrapped(at, at, said[0])
		p.b.WriteString(before + rest.String()[columnsOf(before):])
		said = said[1:]
	}
	for _, t := range said {
		p.wrapped(at, at, t)
	}
}
