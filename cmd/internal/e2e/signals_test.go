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
)

// longRun starts a training of points and waits until it has done steps. wrap is a
// command line before the program's.
func longRun(t *testing.T, wrap []string, iterations string, out, errOut *os.File) (*exec.Cmd, string) {
	t.Helper()
	dir := t.TempDir()
	cmd := command(t, dir, "train", nil, "--dataset", "moons", "--device", "cpu", "--hidden-dim", "16", "--batch-size", "16",
		"--iterations", iterations, "--no-figures", "--output-dir", dir)
	if wrap != nil {
		args := append(append([]string{}, wrap...), cmd.Args...)
		wrapped := exec.Command(args[0], args[1:]...)
		wrapped.Dir, wrapped.Env = cmd.Dir, cmd.Env
		cmd = wrapped
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
	for until := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if b, err := os.ReadFile(filepath.Join(run, "metrics.jsonl")); err == nil && bytes.Count(b, []byte("\n")) > 5 {
			return cmd, run
		}
		if time.Now().After(until) {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			t.Fatal("no step was done")
		}
	}
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

// SIGQUIT leaves at once, without a trace of goroutines.
func TestQuit(t *testing.T) {
	errOut := tempFile(t)
	cmd, _ := longRun(t, nil, "1000000", nil, errOut)
	if err := cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != 131 {
		t.Errorf("status %d, want 131", got)
	}
	if text := string(read(t, errOut.Name())); strings.Contains(text, "goroutine") {
		t.Errorf("a trace: %.300s", text)
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

// A standard output without room is a failure, in every command.
func TestFullOutput(t *testing.T) {
	ckpt, dir := moonsModel(t), t.TempDir()
	path := filepath.Join(dir, "full")
	if err := syscall.Mknod(path, syscall.S_IFCHR|0o666, 1<<8|7); err != nil { // a device of the test's own, as full is
		t.Skipf("devices can be made by root alone: %v", err)
	}
	full, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Skipf("devices are not opened here: %v", err)
	}
	defer full.Close()
	for name, args := range map[string][]string{
		"sample":   {"--checkpoint", ckpt, "--num-samples", "10", "--steps", "1", "--no-figures", "--npz", filepath.Join(dir, "x.npz"), "--quiet"},
		"evaluate": {"--checkpoint", ckpt, "--measures", "sw2", "--solvers", "euler:1", "--num-samples", "20", "--quiet"},
		"convert":  {ckpt, filepath.Join(dir, "x.safetensors")},
		"train":    {"--dataset", "help"},
		"doctor":   {"--version"},
		"reflow":   {"--help"},
	} {
		cmd := command(t, dir, name, nil, args...)
		var errOut bytes.Buffer
		cmd.Stdout, cmd.Stderr = full, &errOut
		_ = cmd.Run()
		if got := cmd.ProcessState.ExitCode(); got != 1 || !strings.Contains(errOut.String(), "no space left") || strings.Count(errOut.String(), "\n") != 1 {
			t.Errorf("%s: status %d, %q", name, got, errOut.String())
		}
	}
}
