package cli

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wangkuiyi/gotorch/atomicfile"
)

// A command that cannot be broken off ends all the same, at the first signal or, if it
// saves, at the second one, and leaves no half-written file.
func TestLeavesInTheMidst(t *testing.T) {
	if dir := os.Getenv("CLI_TEST_DIR"); dir != "" {
		patience = 50 * time.Millisecond
		c := &Command{Name: "stuck", Saves: os.Getenv("CLI_TEST_SAVES") == "1"}
		c.Run = func(context.Context, Env) error {
			return atomicfile.Write(filepath.Join(dir, "out"), func(io.Writer) error {
				os.Stdout.WriteString("writing\n")
				select {}
			})
		}
		os.Args = os.Args[:1] // those of the test program
		Main(c)
	}
	for _, c := range []struct {
		saves, line string
		signals     []syscall.Signal
		status      int
	}{
		{"0", "stuck: interrupt\n", []syscall.Signal{syscall.SIGINT}, 130},
		{"0", "stuck: terminated\n", []syscall.Signal{syscall.SIGTERM}, 143},
		{"1", "", []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}, 143},
	} {
		dir := t.TempDir()
		cmd := exec.Command(os.Args[0], "-test.run=^TestLeavesInTheMidst$")
		cmd.Env = append(os.Environ(), "CLI_TEST_DIR="+dir, "CLI_TEST_SAVES="+c.saves)
		var errOut bytes.Buffer
		cmd.Stderr = &errOut
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(out, make([]byte, len("writing\n"))); err != nil {
			t.Fatal(err)
		}
		if left, err := filepath.Glob(filepath.Join(dir, ".out.tmp-*")); err != nil || len(left) != 1 {
			t.Fatalf("temporaries %v, %v", left, err)
		}
		for _, s := range c.signals {
			if err := cmd.Process.Signal(s); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond) // two at once may arrive in the other order
		}
		_ = cmd.Wait()
		if got := cmd.ProcessState.ExitCode(); got != c.status || errOut.String() != c.line {
			t.Errorf("saves %s, %v: status %d, %q", c.saves, c.signals, got, errOut.String())
		}
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) > 0 {
			t.Errorf("saves %s, %v: left %v, %v", c.saves, c.signals, entries, err)
		}
	}
}

// A shell's variable that is not set gives an empty value, which is no wish.
func TestEmptyValues(t *testing.T) {
	for _, args := range [][]string{{"--output-dir", ""}, {"--output_dir="}, {"--device", ""}} {
		c := &Command{Name: "x"}
		c.AddCommon("", "")
		err := c.Execute(t.Context(), Env{Args: args, Stdout: io.Discard, Stderr: io.Discard})
		if Status(err) != WrongUse || !strings.Contains(err.Error(), "is empty") {
			t.Errorf("%q: %v", args, err)
		}
	}
}
