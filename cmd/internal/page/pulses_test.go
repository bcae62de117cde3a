package page

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"flowmatch/trainer"
)

// A run goes on while its metrics change, whatever the clocks say, and no longer.
func TestLive(t *testing.T) {
	path := filepath.Join(t.TempDir(), trainer.MetricsFile)
	now := time.Now()
	p := &pulses{now: func() time.Time { return now }}
	size := 0
	// A line is written when the file's clock is ahead of ours.
	line := func(ahead time.Duration) {
		size++
		check(t, os.WriteFile(path, make([]byte, size), 0o644))
		check(t, os.Chtimes(path, now.Add(ahead), now.Add(ahead)))
	}
	live := func(what, run string, want bool) {
		t.Helper()
		in, err := os.Stat(path)
		check(t, err)
		d := folder{id: run}
		d.files = map[string]os.FileInfo{trainer.MetricsFile: in}
		if got := p.live(d); got != want {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	line(0)
	live("a fresh line", "a", true)
	now = now.Add(liveFor)
	live("an old line", "a", false)
	line(0)
	now = now.Add(time.Hour)
	live("a line more, but long ago", "a", false)
	line(mostAhead / 2)
	live("at first a little ahead", "b", true)
	line(2 * time.Hour)
	live("at first far ahead", "c", false)
	now = now.Add(time.Second)
	live("far ahead, without a change", "c", false)
	line(2 * time.Hour)
	live("far ahead, with a line more", "c", true)
	now = now.Add(liveFor - time.Second)
	live("a moment after", "c", true)
	now = now.Add(time.Second)
	live("far ahead, and nothing more", "c", false)
	line(0)
	live("another one", "d", true)
	now = now.Add(-time.Hour)
	line(0)
	live("the clock has been set back", "d", true)
	line(-time.Minute)
	live("far behind, with a line more", "d", true)

	// A clock that is set while a run goes on: the line before is in its future.
	line(time.Second)
	live("set back by a second", "e", true)
	if (&pulses{}).live(folder{id: "f"}) {
		t.Error("a run without metrics")
	}
}
