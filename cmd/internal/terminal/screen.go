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
	live  bool       // a line can be written over
	ascii bool       // the user's locale has no other letters
	width func() int // of the terminal, now
	line  string     // that is shown last and may change; "" for none
}

// usualWidth is that of a terminal that does not say.
const usualWidth = 80

func newScreen(w io.Writer) *screen {
	s := &screen{w: w, ascii: !utf8Locale(os.Getenv), width: func() int { return usualWidth }}
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return s
	}
	s.live = os.Getenv("TERM") != "" && os.Getenv("TERM") != "dumb"
	s.width = func() int {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
			return n
		}
		if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
			return n
		}
		return usualWidth
	}
	return s
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

// Say prints a line that stays. On a terminal it is broken between words.
func Say(w io.Writer, line string) {
	s := newScreen(w)
	if s.live {
		s.print(fold(line, s.room())...)
		return
	}
	s.print(line)
}
