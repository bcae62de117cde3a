// Package emulator is a small terminal in memory, for tests: what a person sees of what a
// program writes.
//
// It knows letters, \r, \n, \b, and of control sequences those that erase a line (K), erase
// the rest of the screen (J) and set colours (m), which it leaves out; any other is a
// complaint. A letter that has no room goes to the next line, as on a real one, and is
// noted: programs that cut their lines never let that happen.
package emulator

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// Terminal shows what is written to it. Its lines scroll up without end.
type Terminal struct {
	// Wrapped are the lines that went on in the next one.
	Wrapped []string
	// Complaints are what it did not understand.
	Complaints []string

	width  int
	lines  [][]string // of cells: a letter, or "" for the second half of a wide one
	row    int        // the cursor's
	column int
	rest   []byte // of a letter or a sequence that has not ended
}

// New is a terminal of so many columns.
func New(width int) *Terminal { return &Terminal{width: width, lines: [][]string{nil}} }

// Resize makes it so many columns wide. What is there is cut, as by a terminal that does
// not fold lines anew.
func (t *Terminal) Resize(width int) {
	t.width = width
	for i, l := range t.lines {
		t.lines[i] = l[:min(len(l), width)]
	}
	t.column = min(t.column, width)
}

// Screen is what is seen: the lines, without blanks at their ends.
func (t *Terminal) Screen() []string {
	var all []string
	for _, cells := range t.lines {
		all = append(all, strings.TrimRight(strings.Join(cells, ""), " "))
	}
	for len(all) > 0 && all[len(all)-1] == "" {
		all = all[:len(all)-1]
	}
	return all
}

func (t *Terminal) Write(p []byte) (int, error) {
	b := append(t.rest, p...)
	for len(b) > 0 {
		n := t.take(b)
		if n == 0 {
			break
		}
		b = b[n:]
	}
	t.rest = append([]byte(nil), b...)
	return len(p), nil
}

// take does the first thing that b says, and gives its length; 0 where it has not ended.
func (t *Terminal) take(b []byte) int {
	switch b[0] {
	case '\r':
		t.column = 0
		return 1
	case '\n':
		t.down()
		return 1
	case '\b':
		t.column = max(0, t.column-1)
		return 1
	case 0x1b:
		return t.sequence(b)
	}
	if !utf8.FullRune(b) {
		return 0
	}
	letter, _, width, _ := uniseg.FirstGraphemeCluster(b, -1)
	if b[0] < ' ' {
		t.Complaints = append(t.Complaints, fmt.Sprintf("%q", b[:1]))
		return 1
	}
	t.put(string(letter), width)
	return len(letter)
}

func (t *Terminal) sequence(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	if b[1] != '[' {
		t.Complaints = append(t.Complaints, fmt.Sprintf("%q", b[:2]))
		return 2
	}
	for i := 2; i < len(b); i++ {
		if b[i] < 0x40 || b[i] > 0x7e {
			continue
		}
		switch s := string(b[2 : i+1]); {
		case s == "K" || s == "0K":
			t.cut()
		case s == "2K":
			t.lines[t.row] = nil
		case s == "J" || s == "0J":
			t.cut()
			t.lines = t.lines[:t.row+1]
		case strings.HasSuffix(s, "m"):
		default:
			t.Complaints = append(t.Complaints, fmt.Sprintf("%q", b[:i+1]))
		}
		return i + 1
	}
	return 0
}

// cut erases from the cursor to the end of the line.
func (t *Terminal) cut() { t.lines[t.row] = t.lines[t.row][:min(t.column, len(t.lines[t.row]))] }

// down goes to the begin of the next line: the terminal's driver makes \r\n of \n.
func (t *Terminal) down() {
	t.row, t.column = t.row+1, 0
	if t.row == len(t.lines) {
		t.lines = append(t.lines, nil)
	}
}

func (t *Terminal) put(letter string, width int) {
	if width == 0 {
		return
	}
	if t.column+width > t.width {
		t.Wrapped = append(t.Wrapped, strings.Join(t.lines[t.row], ""))
		t.down()
	}
	line := t.lines[t.row]
	for len(line) < t.column+width {
		line = append(line, " ")
	}
	line[t.column] = letter
	for i := 1; i < width; i++ {
		line[t.column+i] = ""
	}
	t.lines[t.row] = line
	t.column += width
}
