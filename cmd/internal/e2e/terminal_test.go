package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"flowmatch/cmd/internal/terminal/emulator"
)

// A training on real terminals: no line of progress is wider than it, rows stay, the line
// under them is gone at the end, and what was written is told with what comes next.
// FLOWMATCH_RECORD=DIR keeps what was seen.
func TestOnTerminals(t *testing.T) {
	rows := regexp.MustCompile(`(?m)^ *\d+ +\d\.\d{4}`)
	for name, width := range map[string]int{"80": 80, "40": 40, "20": 20} {
		p, err := emulator.Open(width)
		if err != nil {
			t.Skipf("no pseudo-terminals here: %v", err)
		}
		dir := t.TempDir()
		cmd := command(t, dir, "train", []string{"TERM=xterm", "LC_ALL=C.UTF-8"}, "--dataset", "moons", "--device", "cpu", "--hidden-dim", "64", "--batch-size", "256",
			"--iterations", "60", "--figure-samples", "2000", "--progress-every", "30")
		cmd.Stdin, cmd.Stdout, cmd.Stderr = p.File, p.File, p.File
		if err := cmd.Run(); err != nil {
			t.Error(err)
		}
		term := p.Close()
		screen := strings.Join(term.Screen(), "\n")
		if record := os.Getenv("FLOWMATCH_RECORD"); record != "" {
			write(t, filepath.Join(record, "train-"+name+".txt"), []byte(screen+"\n"))
		}
		for _, line := range term.Wrapped {
			if strings.Contains(line, "█") || strings.Contains(line, "░") || rows.MatchString(line) {
				t.Errorf("%s columns: this goes on in the next line: %q", name, line)
			}
		}
		if len(term.Complaints) > 0 || strings.ContainsAny(screen, "█░") {
			t.Errorf("%s columns: unknown sequences %q, or a line of progress that stays:\n%s", name, term.Complaints, screen)
		}
		seen := strings.Join(strings.Fields(screen), "") // wherever lines end
		for _, want := range []string{"step loss", "outputs/cfm/moons/", "ckpt.pth the weights", "progress.gif the film of them", "next:", "bin/sample --checkpoint"} {
			if !strings.Contains(seen, strings.ReplaceAll(want, " ", "")) {
				t.Errorf("%s columns: %q is not there:\n%s", name, want, screen)
			}
		}
		if n := len(rows.FindAllString(screen, -1)); n < 1 || n > 13 {
			t.Errorf("%s columns: %d rows:\n%s", name, n, screen)
		}
	}
}
