package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wangkuiyi/gotorch/pth"
)

// Wherever a limit on addresses meets a program - the start of Go's runtime, of a thread, the opening of libtorch, a step -
// it ends in one line and with status 4, or does its work; what was saved before stays.
func TestLimitedMemory(t *testing.T) {
	dir := t.TempDir()
	must(t, program(t, "train", nil, tiny(dir, "--max-steps", "2", "--no-figures", "--quiet")...))
	state := filepath.Join(dir, "cfm/digits/state.pth")
	for _, c := range []struct {
		mib  int
		name string
		args []string
	}{
		{90, "train", []string{"--help"}},
		{700, "train", tiny(dir, "--no-figures", "--quiet", "--resume", "--max-steps", "4")},
		{880, "evaluate", []string{"--pretrained", "checkerboard", "--solvers", "euler:1", "--measures", "sw2", "--quiet", "--output-dir", dir}},
		{1200, "sample", []string{"--pretrained", "digits", "--quiet", "--output-dir", dir}},
		{1800, "train", tiny(dir, "--no-figures", "--quiet", "--resume", "--max-steps", "4")},
		{2050, "train", tiny(dir, "--no-figures", "--quiet", "--resume", "--max-steps", "6")},
		{2150, "train", tiny(dir, "--no-figures", "--quiet", "--resume", "--max-steps", "8")},
	} {
		cmd := command(t, dir, c.name, nil, c.args...)
		limited := exec.Command("sh", append([]string{"-c", fmt.Sprintf(`ulimit -v %d && exec "$@"`, c.mib<<10), "sh"}, words(cmd)...)...)
		limited.Dir, limited.Env = cmd.Dir, cmd.Env
		r := finish(t, limited)
		switch {
		case r.status == 0 && c.mib > 90:
			t.Logf("%d MiB are enough for %s", c.mib, c.name)
		default:
			r.out = "" // what was printed before is no matter here
			refused(t, r, 4, fmt.Sprint(c.name, ": out of memory: "), fmt.Sprintf("%d MiB (ulimit -v)", c.mib))
			t.Log(strings.TrimSpace(r.errOut))
		}
		if _, err := pth.Read(state); err != nil {
			t.Fatal(err)
		}
	}
}
