package terminal

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Bar shows how far a task has come. It may be used from several goroutines.
type Bar struct {
	mu    sync.Mutex
	w     io.Writer
	quiet bool
	bar   *progressbar.ProgressBar // nil where there is no terminal
	what  string
	every time.Duration
	last  time.Time
	shown bool
}

// lineEvery is the time between plain lines.
const lineEvery = 5 * time.Second

// New starts a bar for total parts of what ("training").
func New(w io.Writer, quiet bool, what string, total int) *Bar {
	b := &Bar{w: w, quiet: quiet, what: what, every: lineEvery, last: time.Now()}
	if f, ok := w.(*os.File); ok && !quiet && term.IsTerminal(int(f.Fd())) {
		b.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(w),
			progressbar.OptionSetDescription(what),
			progressbar.OptionSetWidth(24),
			progressbar.OptionSetPredictTime(false),
			progressbar.OptionSetElapsedTime(false),
			progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: "░", BarStart: "", BarEnd: ""}),
			progressbar.OptionShowCount(),
			progressbar.OptionFullWidth(),
			progressbar.OptionClearOnFinish(),
		)
	}
	return b
}

// Interval is how often Set is worth calling.
func (b *Bar) Interval() time.Duration {
	if b.bar != nil {
		return 200 * time.Millisecond
	}
	return time.Second
}

// Set shows that done of total parts are done; detail says more.
func (b *Bar) Set(done, total int, detail string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.quiet:
	case b.bar != nil:
		b.bar.Describe(b.what + "  " + detail + " ")
		_ = b.bar.Set(done)
	case time.Since(b.last) >= b.every || done == total && b.shown:
		b.last, b.shown = time.Now(), true
		fmt.Fprintf(b.w, "%s %d/%d (%d%%)  %s\n", b.what, done, total, 100*done/max(1, total), detail)
	}
}

// Note prints a line without disturbing the bar.
func (b *Bar) Note(s string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.quiet {
		return
	}
	if b.bar != nil {
		_ = b.bar.Clear()
	}
	fmt.Fprintln(b.w, s)
	if b.bar != nil {
		_ = b.bar.RenderBlank()
	}
}

// Done takes the bar away.
func (b *Bar) Done() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bar != nil {
		_ = b.bar.Clear()
		b.bar = nil
		b.quiet = true
	}
}

// Duration is d for people: "3 min 20 s".
func Duration(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	switch {
	case d < 10*time.Second:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	}
	return fmt.Sprintf("%d h %d min", s/3600, s%3600/60)
}

// Count is n with commas between thousands.
func Count(n int64) string {
	s := strconv.FormatInt(n, 10)
	var parts []string
	for len(s) > 3 {
		parts = append([]string{s[len(s)-3:]}, parts...)
		s = s[:len(s)-3]
	}
	return strings.Join(append([]string{s}, parts...), ",")
}

// Bytes is a size for people: "63 MB".
func Bytes(n int64) string {
	switch {
	case n >= 10e9:
		return fmt.Sprintf("%.0f GB", float64(n)/1e9)
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.0f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.0f kB", float64(n)/1e3)
}
