package terminal

import (
	"cmp"
	"fmt"
	"strings"
)

// Field is a value with its name.
type Field struct {
	Name  string // over its column on a terminal, before it in a log
	Value string
	Width int    // of its column, as wide as values may become
	Log   string // the value in a log, where there is room for more; "": as Value
}

// Row adds a line that stays: on a terminal a row of a table, of as many fields as there
// is room for; in a log all of them, each with its name. The most important come first.
func (b *Bar) Row(fields ...Field) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.quiet {
		return
	}
	if !b.screen.live {
		var words []string
		for _, f := range fields {
			words = append(words, f.Name+" "+cmp.Or(f.Log, f.Value))
		}
		b.screen.print(b.screen.lines(fmt.Sprintf("%s: %s", b.what, strings.Join(words, "  ")))...)
		return
	}
	var heads, values []string
	used := -2
	for _, f := range fields {
		width := max(f.Width, columnsOf(f.Name), columnsOf(f.Value))
		if used += 2 + width; used > b.screen.room() && heads != nil {
			break
		}
		heads, values = append(heads, right(f.Name, width)), append(values, right(f.Value, width))
	}
	lines := []string{fit(strings.Join(heads, "  "), b.screen.room(), b.screen.ascii), fit(strings.Join(values, "  "), b.screen.room(), b.screen.ascii)}
	if b.heads == lines[0] {
		lines = lines[1:]
	} else {
		b.heads = lines[0]
	}
	b.screen.print(lines...)
}
