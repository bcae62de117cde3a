package terminal

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Bar shows how far a task has come. It may be used from several goroutines.
type Bar struct {
	mu     sync.Mutex
	screen *screen
	quiet  bool
	what   string
	every  time.Duration // between plain lines
	last   time.Time
	shown  bool
	heads  string // over the columns, as they were printed last
}

// lineEvery is the time between plain lines.
const lineEvery = 5 * time.Second

// New starts a bar for total parts of what ("sampling").
func New(w io.Writer, quiet bool, what string, total int) *Bar {
	b := &Bar{screen: newScreen(w), quiet: quiet, what: what, every: lineEvery, last: time.Now()}
	b.Show(0, total)
	return b
}

// Live tells whether there is a line that changes.
func (b *Bar) Live() bool { return b.screen.live && !b.quiet }

// Interval is how often Set is worth calling.
func (b *Bar) Interval() time.Duration {
	if b.Live() {
		return 200 * time.Millisecond
	}
	return time.Second
}

// Set shows that done of total parts are done. details say more, the most telling first:
// those that do not fit are left out.
func (b *Bar) Set(done, total int, details ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.quiet:
	case b.screen.live:
		b.screen.show(meter(b.what, done, total, details, b.screen.room(), b.screen.ascii))
	case time.Since(b.last) >= b.every || done == total && b.shown:
		b.last, b.shown = time.Now(), true
		head := fmt.Sprintf("%s %d/%d (%d%%)", b.what, done, total, percent(done, total))
		b.screen.print(b.screen.lines(strings.TrimRight(strings.Join(append([]string{head}, details...), "  "), " "))...)
	}
}

// Show shows that done of total parts are done, on a terminal alone.
func (b *Bar) Show(done, total int, details ...string) {
	if b.Live() {
		b.Set(done, total, details...)
	}
}

// Note prints a line without disturbing the bar, unless the bar is quiet.
func (b *Bar) Note(s string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.quiet {
		b.print(s)
	}
}

// Warn is Note of what is told even where all is to be quiet.
func (b *Bar) Warn(s string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.print(s)
}

func (b *Bar) print(s string) { b.screen.print(b.screen.lines(s)...) }

// Done takes the bar away.
func (b *Bar) Done() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.screen.clear()
	if b.screen.live {
		b.quiet = true
	}
}

func percent(done, total int) int { return 100 * done / max(1, total) }

// A meter's bar has so many columns, where there is room.
const (
	fewestBlocks = 8
	mostBlocks   = 24
)

// meter is a task's line: its name, percent, a bar and details, in so many columns.
func meter(what string, done, total int, details []string, room int, ascii bool) string {
	part := fmt.Sprintf("%3d%%", percent(done, total))
	line := part
	if n := room - columnsOf(part) - 2; n > 3 {
		line = fit(what, n, ascii) + "  " + part
	}
	tail := ""
	for _, d := range details {
		if d == "" {
			continue
		}
		if columnsOf(line)+columnsOf(tail)+2+columnsOf(d) > room {
			break
		}
		tail += "  " + d
	}
	if n := min(mostBlocks, room-columnsOf(line)-1-columnsOf(tail)); n >= fewestBlocks {
		full, empty := "█", "░"
		if ascii {
			full, empty = "#", "."
		}
		k := n * done / max(1, total)
		line += " " + strings.Repeat(full, k) + strings.Repeat(empty, n-k)
	}
	return line + tail
}
