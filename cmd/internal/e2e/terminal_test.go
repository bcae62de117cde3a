package e2e

import (
	"fmt"
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
		seen := strings.Join(strings.Fields(strings.ReplaceAll(screen, " \\\n", "\n")), "") // wherever lines end
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

// Recordings of a refusal and of sample's end on terminals of 40 and 20 columns.
func TestRefusalAndEndOnTerminals(t *testing.T) {
	for _, c := range []struct {
		name, program string
		width, status int
		args          []string
	}{
		{"refusal", "sample", 40, 1, []string{"--dataset", "moons"}},
		{"refusal", "sample", 20, 1, []string{"--dataset", "moons"}},
		{"sample", "sample", 40, 0, []string{"--pretrained", "checkerboard", "--num-samples", "500", "--steps", "2", "--frames", "3", "--device", "cpu"}},
		{"sample", "sample", 20, 0, []string{"--pretrained", "checkerboard", "--num-samples", "500", "--steps", "2", "--frames", "3", "--device", "cpu"}},
	} {
		p, err := emulator.Open(c.width)
		if err != nil {
			t.Skipf("no pseudo-terminals here: %v", err)
		}
		dir := t.TempDir()
		cmd := command(t, dir, c.program, []string{"TERM=xterm", "LC_ALL=C.UTF-8", "COLUMNS="}, c.args...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = p.File, p.File, p.File
		_ = cmd.Run()
		if got := cmd.ProcessState.ExitCode(); got != c.status {
			t.Errorf("%s: status %d", c.name, got)
		}
		term := p.Close()
		screen := strings.Join(term.Screen(), "\n") + "\n"
		for _, line := range term.Wrapped {
			if strings.Contains(strings.TrimSpace(line), " ") { // else a path that nobody can break
				t.Errorf("%s, %d columns: this goes on in the next line: %q", c.name, c.width, line)
			}
		}
		if at := strings.Index(screen, "outputs/"); c.status == 0 && at > 0 { // how fast it was is another thing each time
			screen = screen[at:]
		}
		path := filepath.Join("testdata", fmt.Sprintf("%s-%d.txt", c.name, c.width))
		if record := os.Getenv("FLOWMATCH_RECORD"); record != "" {
			write(t, filepath.Join(record, filepath.Base(path)), []byte(screen))
		}
		if want := string(read(t, path)); screen != want {
			t.Errorf("%s, %d columns:\n%s\nwant (FLOWMATCH_RECORD=DIR writes it there)\n%s", c.name, c.width, screen, want)
		}
	}
}
