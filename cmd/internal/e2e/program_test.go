package e2e

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// root is the project's folder.
var root = func() string {
	wd, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	return filepath.Join(wd, "..", "..", "..")
}()

type result struct {
	status      int
	out, errOut string
	took        time.Duration
}

// program runs bin/<name> in a folder of its own, with variables set.
func program(t *testing.T, name string, env []string, args ...string) result {
	t.Helper()
	return programIn(t, t.TempDir(), name, env, args...)
}

func programIn(t *testing.T, dir, name string, env []string, args ...string) result {
	t.Helper()
	return finish(t, command(t, dir, name, env, args...))
}

// runAt runs an executable that lies elsewhere.
func runAt(t *testing.T, dir, exe string, args ...string) result {
	t.Helper()
	cmd := exec.Command(exe, args...)
	cmd.Dir = dir
	return finish(t, cmd)
}

func finish(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	start := time.Now()
	err := cmd.Run()
	r := result{out: out.String(), errOut: errOut.String(), took: time.Since(start)}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		r.status = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	return r
}

func command(t *testing.T, dir, name string, env []string, args ...string) *exec.Cmd {
	t.Helper()
	path := filepath.Join(root, "bin", name)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("bin/%s is not built: run scripts/build", name)
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	cmd.Env = os.Environ()
	if os.Getenv("FLOWMATCH_DEVICE") == "" {
		// What is tested is the same on every machine; on a GPU equal runs do not
		// give equal files.
		cmd.Env = append(cmd.Env, "FLOWMATCH_DEVICE=cpu")
	}
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// must fails the test unless the program ended with status 0.
func must(t *testing.T, r result) result {
	t.Helper()
	if r.status != 0 {
		t.Fatalf("status %d\n%s%s", r.status, r.out, r.errOut)
	}
	return r
}

// refused fails the test unless the program ended with the status and one
// line that contains the words.
func refused(t *testing.T, r result, status int, words ...string) {
	t.Helper()
	if r.status != status {
		t.Errorf("status %d, want %d: %s", r.status, status, r.errOut)
	}
	line := strings.TrimSuffix(r.errOut, "\n")
	if line == "" || strings.Contains(line, "\n") {
		t.Errorf("want one line, got %q", r.errOut)
	}
	for _, w := range words {
		if !strings.Contains(line, w) {
			t.Errorf("%q does not say %q", line, w)
		}
	}
	for _, bad := range []string{"goroutine", "panic", ".cpp", "frame #"} {
		if strings.Contains(line, bad) {
			t.Errorf("%q shows a trace", line)
		}
	}
	if r.out != "" {
		t.Errorf("standard output: %q", r.out)
	}
}

// tiny are flags that make a training take a second.
func tiny(dir string, more ...string) []string {
	return append([]string{"--dataset", "digits", "--device", "cpu", "--precision", "fp32", "--num-res-blocks", "1",
		"--channel-mult", "1,1", "--attention-resolutions", "none", "--batch-size", "16", "--iterations", "40",
		"--output-dir", dir}, more...)
}
