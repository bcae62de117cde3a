package supervise

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

const enough = 8 << 20 // KiB

// supervised is this program with a limit, doing something else than its tests.
func supervised(t *testing.T, kib int, do string, env ...string) *exec.Cmd {
	t.Helper()
	if raceEnabled {
		t.Skip("the race detector needs all addresses")
	}
	cmd := exec.Command("sh", "-c", fmt.Sprintf(`ulimit -v %d && exec "$0"`, kib), os.Args[0])
	cmd.Env = append(os.Environ(), append(env, "SUPERVISE_TEST="+do)...)
	return cmd
}

type ended struct {
	status      int // minus the signal
	out, errOut string
}

func run(t *testing.T, cmd *exec.Cmd) (e ended) {
	t.Helper()
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	e.status = cmd.ProcessState.ExitCode()
	if ws := cmd.ProcessState.Sys().(syscall.WaitStatus); ws.Signaled() {
		e.status = -int(ws.Signal())
	}
	e.out, e.errOut = out.String(), errOut.String()
	return e
}

// An end is the program's own but for one by want of memory, which is a line.
func TestEnds(t *testing.T) {
	const (
		memory  = "a note\nsupervise.test: out of memory: the program broke off; allow more than 8192 MiB (ulimit -v)\n"
		threads = "a note\nsupervise.test: out of memory: no thread could be started; allow more than 8192 MiB (ulimit -v), or more threads (ulimit -u)\n"
	)
	for _, c := range []struct {
		text   string // on descriptor 2
		status int    // its end's
		want   int
		told   string // "": the text as it is
	}{
		{"", 0, 0, ""},
		{"a warning\n", 0, 0, ""},
		{"the GPU is out of memory\n", 3, 3, ""},
		{"", 2, 2, ""},
		{"panic: boom\n\ngoroutine 1 [running]:\n", 2, 2, ""},
		{"fatal error: all goroutines are asleep - deadlock!\n", 2, 2, ""},
		{"SIGQUIT: quit\nPC=0x47a1e1 m=0 sigcode=0\n", 2, 2, ""},
		{"SIGSEGV: segmentation violation\nPC=0x7f sigcode=1 addr=0x7f0012340000\n", 2, 2, ""},
		{"SIGSEGV: segmentation violation\nPC=0x7f sigcode=1 addr=0x18\n\ngoroutine 1\n", 2, 4, memory},
		{"fatal error: failed to reserve page summary memory\n\nruntime stack:\n", 2, 4, memory},
		{"runtime: may need to increase max user processes (ulimit -u)\nruntime: failed to create new OS thread (have 7 already; errno=11)\nfatal error: newosproc\n",
			2, 4, threads},
		{"runtime/cgo: pthread_create failed: Resource temporarily unavailable\nSIGABRT: abort\n", 2, 4, threads},
		{"\nlibgomp: Thread creation failed: Resource temporarily unavailable\n", 1, 4, threads},
	} {
		got := run(t, supervised(t, enough, "ends", "SUPERVISE_TEXT="+c.text, "SUPERVISE_STATUS="+strings.Repeat("i", c.status)))
		want := "a note\n" + c.text
		if c.told != "" {
			want = c.told
		}
		if got.status != c.want || got.errOut != want {
			t.Errorf("%q with %d: status %d, %q", c.text, c.status, got.status, got.errOut)
		}
	}
}

// Go's runtime finds too few addresses for its start, or for a slice.
func TestExhausted(t *testing.T) {
	for _, kib := range []int{100_000, 700_000, 4 << 20} {
		got := run(t, supervised(t, kib, "exhausts memory"))
		if got.status != ExhaustedStatus || strings.Count(got.errOut, "\n") != 1 || !strings.Contains(got.errOut, fmt.Sprintf("%d MiB", kib>>10)) {
			t.Errorf("%d KiB: status %d, %q", kib, got.status, got.errOut)
		}
	}
	traced := run(t, supervised(t, 4<<20, "exhausts memory", "GOTORCH_TRACE=1"))
	if traced.status != ExhaustedStatus || !strings.Contains(traced.errOut, "goroutine 1") {
		t.Errorf("with a trace: status %d, %.300q", traced.status, traced.errOut)
	}
	if got := run(t, supervised(t, enough, "dies")); got.status != -int(syscall.SIGKILL) {
		t.Errorf("killed: status %d, %q", got.status, got.errOut)
	}
}

// begin starts a program and gives its lines.
func begin(t *testing.T, cmd *exec.Cmd) *bufio.Reader {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return bufio.NewReader(out)
}

func wantLine(t *testing.T, r *bufio.Reader, want string) {
	t.Helper()
	if line, err := r.ReadString('\n'); err != nil || strings.TrimRight(line, "\r\n") != want {
		t.Fatalf("%q, %v; want %s", line, err, want)
	}
}

// A signal to the parent reaches the program, once.
func TestSignalsArePassedOn(t *testing.T) {
	cmd := supervised(t, enough, "counts signals")
	out := begin(t, cmd)
	wantLine(t, out, "ready")
	for range 2 {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		wantLine(t, out, "one")
	}
	if err := cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	wantLine(t, out, "2")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// Who kills the parent kills the program: its pipe ends.
func TestKilledTogether(t *testing.T) {
	cmd := supervised(t, enough, "counts signals")
	out := begin(t, cmd)
	wantLine(t, out, "ready")
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(out); err != nil || len(rest) > 0 {
		t.Errorf("%q, %v", rest, err)
	}
}

// The parent keeps no pipe from its end.
func TestPipesEnd(t *testing.T) {
	cmd := supervised(t, enough, "closes its output")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out := begin(t, cmd)
	if rest, err := io.ReadAll(out); err != nil || len(rest) > 0 { // while the program lives
		t.Errorf("%q, %v", rest, err)
	}
	in.Close()
	_ = cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != 5 {
		t.Errorf("status %d", got)
	}
}

// Who closes the standard output is not taken for who sends it to the null device, with a limit and without one.
func TestOutputClosed(t *testing.T) {
	for _, limit := range []string{"", fmt.Sprintf("ulimit -v %d; ", enough)} {
		if limit != "" && raceEnabled {
			continue // the race detector needs all addresses
		}
		for redirected, want := range map[string]string{">&-": "true\n", ">/dev/null": "false\n", "": "false\n"} {
			cmd := exec.Command("sh", "-c", limit+`exec "$0" `+redirected, os.Args[0])
			cmd.Env = append(os.Environ(), "SUPERVISE_TEST=tells whether it has an output")
			if got := run(t, cmd); got.status != 0 || got.errOut != want {
				t.Errorf("%s%s: status %d, %q", limit, redirected, got.status, got.errOut)
			}
		}
	}
}
