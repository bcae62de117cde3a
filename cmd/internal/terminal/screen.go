package terminal

import (
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/term"
)

// screen is where lines go: a terminal, where the last line may change, or a log, whose
// lines stay as they are. A write that fails, as when the reader has gone, is no reason to
// stop a training.
type screen struct {
	w     io.Writer
	tty   bool       // it is a terminal
	live  bool       // a line can be written over
	ascii bool       // the user's locale has no other letters
	width func() int // of the terminal, now
	line  string     // that is shown last and may change; "" for none
}

// usualWidth is that of a terminal that does not say.
const usualWidth = 80

func newScreen(w io.Writer) *screen {
	s := &screen{w: w, ascii: !utf8Locale(os.Getenv), width: func() int { return usualWidth }}
	fd, ok := terminalOf(w)
	if !ok {
		return s
	}
	s.tty, s.live = true, os.Getenv("TERM") != "" && os.Getenv("TERM") != "dumb"
	s.width = func() int { return widthOf(fd) }
	return s
}

// terminalOf is the terminal that w is, or that is under it.
func terminalOf(w io.Writer) (fd int, ok bool) {
	for {
		under, ok := w.(interface{ Unwrap() io.Writer })
		if !ok {
			break
		}
		w = under.Unwrap()
	}
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	return int(f.Fd()), true
}

// widthOf is a terminal's width now, or what COLUMNS says, which may be less: more would
// not fit.
func widthOf(fd int) int {
	width := usualWidth
	n, _, err := term.GetSize(fd)
	known := err == nil && n > 0
	if known {
		width = n
	}
	if asked, ok := askedWidth(); ok && (asked < width || !known) {
		width = asked
	}
	return width
}

// askedWidth is what COLUMNS says.
func askedWidth() (columns int, ok bool) {
	n, err := strconv.Atoi(os.Getenv("COLUMNS"))
	return n, err == nil && n > 0
}

// Width is how wide lines that stay are, of text that is written to w: on a terminal, on
// which its last column stays free, and elsewhere as COLUMNS says or usual.
func Width(w io.Writer) int {
	if fd, ok := terminalOf(w); ok {
		return min(mostWidth, max(1, widthOf(fd)-1))
	}
	if asked, ok := askedWidth(); ok {
		return min(mostWidth, asked)
	}
	return usualWidth
}

// Is tells whether w is a terminal.
func Is(w io.Writer) bool {
	_, ok := terminalOf(w)
	return ok
}

// utf8Locale tells whether the variables of the environment say that text is UTF-8.
func utf8Locale(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := getenv(name); v != "" {
			v = strings.ToLower(v)
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return false
}

// Control sequences of ECMA-48: they go to terminals alone.
const (
	toStart = "\r"
	erase   = "\x1b[K" // to the end of the line
)

// room is how many columns a line may have. The last one stays free: what is written
// there makes some terminals begin a new line at once.
func (s *screen) room() int { return max(1, s.width()-1) }

// show puts a text in the place of the line that may change.
func (s *screen) show(text string) {
	if !s.live {
		return
	}
	s.line = text
	_, _ = io.WriteString(s.w, toStart+fit(text, s.room(), s.ascii)+erase)
}

// print adds lines that stay, above the one that may change.
func (s *screen) print(lines ...string) {
	var b strings.Builder
	if s.line != "" {
		b.WriteString(toStart + erase)
	}
	for _, l := range lines {
		b.WriteString(l + "\n")
	}
	if s.line != "" {
		b.WriteString(fit(s.line, s.room(), s.ascii) + erase)
	}
	_, _ = io.WriteString(s.w, b.String())
}

// clear takes away the line that may change.
func (s *screen) clear() {
	if s.line != "" {
		_, _ = io.WriteString(s.w, toStart+erase)
		s.line = ""
	}
}

// lines are a text as it is shown: on a terminal broken between words, elsewhere whole.
func (s *screen) lines(text string) []string {
	var all []string
	text = plain(text)
	for _, line := range strings.Split(text, "\n") {
		if s.tty {
			all = append(all, wrap(line, min(mostWidth, s.room()), 0, 2)...)
		} else {
			all = append(all, strings.ReplaceAll(line, keep, " "))
		}
	}
	return all
}

// Say prints a line that stays. On a terminal it is broken between words.
func Say(w io.Writer, line string) {
	s := newScreen(w)
	s.print(s.lines(line)...)
}

// SayCommand prints a command that is there to be copied, after a word that says what it is
// for. Its parts are a word, or a flag with its value. Where it is wider than a terminal it
// is broken between parts as a shell takes it.
// One with letters that a terminal does not show cannot be copied, and is left out.
func SayCommand(w io.Writer, what string, parts []string) {
	if !Copied(parts) {
		return
	}
	width := 0
	if Is(w) {
		width = Width(w)
	}
	newScreen(w).print(command(what, parts, width)...)
}

// narrower takes a flag from its value where both are wider than a line.
func narrower(parts []string, width int) []string {
	var all []string
	for _, part := range parts {
		if flag, value, two := strings.Cut(part, " "); two && columnsOf(part) > width {
			all = append(all, flag, value)
		} else {
			all = append(all, part)
		}
	}
	return all
}

// command breaks a command so that a shell still takes it as one; 0 is any width.
func command(what string, parts []string, width int) []string {
	line := what + strings.Join(parts, " ")
	if width == 0 || columnsOf(line) <= width {
		return []string{line}
	}
	const goesOn, indent = " \\", "    "
	var lines []string
	line = what + parts[0]
	for _, part := range narrower(parts[1:], width-len(indent)-len(goesOn)) {
		if columnsOf(line)+1+columnsOf(part)+len(goesOn) > width {
			lines = append(lines, line+goesOn)
			line = indent + part
		} else {
			line += " " + part
		}
	}
	return append(lines, line)
}
