package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wangkuiyi/gotorch/pth"

	"flowmatch/trainer"
)

// longRun starts a training of points and waits until it has done steps. wrap is a
// command line before the program's.
func longRun(t *testing.T, wrap []string, iterations string, out, errOut *os.File) (*exec.Cmd, string) {
	t.Helper()
	dir := t.TempDir()
	cmd := command(t, dir, "train", nil, "--dataset", "moons", "--device", "cpu", "--hidden-dim", "16", "--batch-size", "16",
		"--iterations", iterations, "--no-figures", "--output-dir", dir)
	if wrap != nil {
		cmd = wrapped(cmd, wrap...)
	}
	if out != nil { // else as a test's own, the null device
		cmd.Stdout = out
	}
	if errOut != nil {
		cmd.Stderr = errOut
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	run := filepath.Join(dir, "cfm/moons")
	untilSteps(t, cmd, run, 6)
	return cmd, run
}

// untilSteps waits until the log of a run has so many steps.
func untilSteps(t *testing.T, cmd *exec.Cmd, run string, n int) {
	t.Helper()
	for until := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if b, err := os.ReadFile(filepath.Join(run, "metrics.jsonl")); err == nil && bytes.Count(b, []byte("\n")) >= n {
			return
		}
		if time.Now().After(until) {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			t.Fatal("no step was done")
		}
	}
}

// wrapped is a command behind a command line of another program.
func wrapped(cmd *exec.Cmd, wrap ...string) *exec.Cmd {
	args := append(append([]string{}, wrap...), words(cmd)...)
	w := exec.Command(args[0], args[1:]...)
	w.Dir, w.Env = cmd.Dir, cmd.Env
	return w
}

func tempFile(t *testing.T) *os.File {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// A terminal that is closed sends SIGHUP, perhaps twice: it saves as SIGTERM does.
func TestHangup(t *testing.T) {
	errOut := tempFile(t)
	cmd, run := longRun(t, nil, "1000000", nil, errOut)
	for range 2 {
		if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Millisecond)
	}
	_ = cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != 129 {
		t.Errorf("status %d, want 129", got)
	}
	if text := string(read(t, errOut.Name())); !strings.Contains(text, "--resume goes on") {
		t.Errorf("%q does not say how to go on", text)
	}
	if _, err := pth.Read(filepath.Join(run, "state.pth")); err != nil {
		t.Error(err)
	}
}

// timeout sends its signal to the process and to its group: that is one stop, which saves.
func TestTwiceAtOnce(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		errOut := tempFile(t)
		cmd, run := longRun(t, nil, "1000000", nil, errOut)
		for range 3 {
			if err := cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond) // else they may arrive as one
		}
		_ = cmd.Wait()
		text := string(read(t, errOut.Name()))
		if got := cmd.ProcessState.ExitCode(); got != 128+int(signal) || !strings.Contains(text, "--resume goes on") {
			t.Errorf("%v: status %d, %q", signal, got, text)
		}
		if _, err := pth.Read(filepath.Join(run, "state.pth")); err != nil {
			t.Error(err)
		}
	}
}

// Under nohup it is ignored.
func TestNohup(t *testing.T) {
	cmd, _ := longRun(t, []string{"sh", "-c", `trap "" HUP; exec "$@"`, "sh"}, "600", nil, nil)
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the training did not go through: %v", err)
	}
}

// SIGQUIT leaves at once, without a trace of goroutines unless that is asked for, and never with the status of wrong use.
func TestQuit(t *testing.T) {
	for _, asked := range []string{"", "all"} {
		errOut := tempFile(t)
		cmd, _ := longRun(t, []string{"env", "GOTRACEBACK=" + asked}, "1000000", nil, errOut)
		if err := cmd.Process.Signal(syscall.SIGQUIT); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		if got := cmd.ProcessState.ExitCode(); got != 131 {
			t.Errorf("GOTRACEBACK=%s: status %d, want 131", asked, got)
		}
		if text := string(read(t, errOut.Name())); strings.Contains(text, "goroutine") != (asked != "") {
			t.Errorf("GOTRACEBACK=%s: %.300s", asked, text)
		}
	}
}

// Pipes whose readers have gone stop nothing.
func TestClosedPipes(t *testing.T) {
	var writers []*os.File
	for range 2 {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		writers = append(writers, w)
		defer w.Close()
	}
	cmd, run := longRun(t, nil, "600", writers[0], writers[1])
	if err := cmd.Wait(); err != nil {
		t.Errorf("the training ended with %v", err)
	}
	if b := read(t, filepath.Join(run, "metrics.jsonl")); !strings.Contains(string(b), `{"step":600,`) {
		t.Error("the training did not go through")
	}
}

// printing are commands that print something, with flags that make them short.
func printing(t *testing.T, dir string) map[string][]string {
	ckpt := moonsModel(t)
	return map[string][]string{
		"sample":   {"--checkpoint", ckpt, "--num-samples", "10", "--steps", "1", "--no-figures", "--npz", filepath.Join(dir, "x.npz"), "--quiet"},
		"evaluate": {"--checkpoint", ckpt, "--measures", "sw2", "--solvers", "euler:1", "--num-samples", "20", "--quiet"},
		"convert":  {ckpt, filepath.Join(dir, "x.safetensors")},
		"train":    {"--dataset", "help"},
		"doctor":   {"--version"},
		"reflow":   {"--help"},
	}
}

// A standard output without room, or none at all, is a failure in every command, once what it does is done.
func TestResultsAreLost(t *testing.T) {
	dir := t.TempDir()
	for name, args := range printing(t, dir) {
		lost(t, "is closed", wrapped(command(t, dir, name, nil, args...), "sh", "-c", `exec "$@" >&-`, "sh"))
	}
	training := []string{"--dataset", "moons", "--device", "cpu", "--hidden-dim", "16", "--batch-size", "16", "--iterations", "6", "--no-figures", "--quiet", "--output-dir", dir}
	lost(t, "is closed", wrapped(command(t, dir, "train", nil, training...), "sh", "-c", `exec "$@" >&-`, "sh"))
	if s, err := trainer.ReadState(filepath.Join(dir, "cfm/moons/state.pth")); err != nil || s.Step() != 6 {
		t.Errorf("a training without an output: %v", err)
	}

	path := filepath.Join(dir, "full")
	if err := syscall.Mknod(path, syscall.S_IFCHR|0o666, 1<<8|7); err != nil { // a device of the test's own, as full is
		t.Skipf("devices can be made by root alone: %v", err)
	}
	full, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Skipf("devices are not opened here: %v", err)
	}
	defer full.Close()
	for name, args := range printing(t, dir) {
		cmd := command(t, dir, name, nil, args...)
		cmd.Stdout = full
		lost(t, "no space left", cmd)
	}
}

// lost wants a command to end with status 1 and a line that says what became of its results.
func lost(t *testing.T, why string, cmd *exec.Cmd) {
	t.Helper()
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	_ = cmd.Run()
	text := errOut.String()
	if got := cmd.ProcessState.ExitCode(); got != 1 || !strings.Contains(text, "the results were not written: ") || !strings.Contains(text, why) || strings.Count(text, "\n") != 1 {
		t.Errorf("%v: status %d, %q", cmd.Args, got, text)
	}
}

// A training whose loss explodes says so, whether it comes down again or not.
func TestExplosion(t *testing.T) {
	dir := t.TempDir()
	r := program(t, "train", nil, "--dataset", "moons", "--device", "cpu", "--hidden-dim", "16", "--batch-size", "64", "--iterations", "300", "--learning-rate", "5",
		"--warmup", "0", "--no-figures", "--progress-every", "0", "--output-dir", dir)
	if r.status != 0 && r.status != 3 || !strings.Contains(r.errOut, "lower --learning-rate or --grad-clip 1") {
		t.Errorf("status %d: %s", r.status, r.errOut)
	}
}
