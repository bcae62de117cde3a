package faults

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/wangkuiyi/gotorch/faulttest"

	"flowmatch/trainer"
)

// While a process trains in a folder no other gets in, whichever way it asks: to go on with the
// run, to start anew, or from one of its states. The first one notices nothing.
func TestSecondProcess(t *testing.T) {
	dir := t.TempDir()
	train := func(more ...string) *process {
		return started(t, "train", "", nil, append([]string{"--dataset", "moons", "--hidden-dim", "8", "--batch-size", "8", "--iterations", "1000000", "--no-figures",
			"--quiet", "--checkpoint-every", "50", "--output-dir", dir}, more...)...)
	}
	first := train()
	first.until(2, tooLong)
	tries := 4
	if faulttest.Long() {
		tries = 10
	}
	state := filepath.Join(dir, "cfm/moons", trainer.StateFile)
	for i := range tries {
		flags := [][]string{{"--resume"}, {"--fresh"}, {"--resume-from", state}}[i%3]
		second := train(flags...)
		status := second.end(t)
		if text := second.errOut.String(); status != 1 || !strings.Contains(text, trainer.ErrBusy.Error()) || !strings.Contains(text, fmt.Sprintf("(process %d)", first.Process.Pid)) {
			t.Errorf("%v: status %d, %s", flags, status, text)
		}
	}
	saves := first.saved()
	first.until(saves+2, tooLong)
	if first.saved() < saves+2 {
		t.Errorf("the first one has ended: %s", first.errOut.String())
	}
	_ = first.Process.Signal(syscall.SIGTERM) // its status tells whether it arrived
	if status := first.end(t); status != 128+int(syscall.SIGTERM) {
		t.Errorf("the first one: status %d, %s", status, first.errOut.String())
	}
	if _, _, _, err := trainer.Newest(filepath.Dir(state)); err != nil {
		t.Error(err)
	}
	faulttest.Report(t, "15 second", tries)
}
