package e2e

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/commands"
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

// program runs a command in a folder of its own: in this process, where libtorch is open
// already, or where variables are to be set as bin/<name>.
func program(t *testing.T, name string, env []string, args ...string) result {
	t.Helper()
	return programIn(t, t.TempDir(), name, env, args...)
}

func programIn(t *testing.T, dir, name string, env []string, args ...string) result {
	t.Helper()
	if env == nil {
		return inProcess(t, dir, name, args...)
	}
	return built(t, dir, name, env, args...)
}

// built runs bin/<name>: where what is tested is the program's start, its variables, its
// threads or its end.
func built(t *testing.T, dir, name string, env []string, args ...string) result {
	t.Helper()
	return finish(t, command(t, dir, name, env, args...))
}

// inProcess runs a command as its program would, but for what a process has once: the
// number of threads (the first command's), signals, and the build's version. Random numbers
// are a function of the command's seed, whatever ran before.
func inProcess(t *testing.T, dir, name string, args ...string) result {
	t.Helper()
	all := commands.All() // anew: a command has the values of its flags
	at := slices.IndexFunc(all, func(c *cli.Command) bool { return c.Name == name })
	if at < 0 {
		t.Fatalf("there is no command %s", name)
	}
	back, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chdir(dir); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := os.Chdir(back); err != nil {
			t.Fatal(err)
		}
	}()
	var out, errOut bytes.Buffer
	start := time.Now()
	status := all[at].Status(t.Context(), cli.Env{Args: args, Stdout: &out, Stderr: &errOut})
	return result{status, out.String(), errOut.String(), time.Since(start)}
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
	cmd.Args[0] = "bin/" + name // as in a clone: commands that are shown begin so, too
	cmd.Dir = dir
	cmd.Env = os.Environ()
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// words are cmd's for a shell in another folder: Args[0] is what the program is told.
func words(cmd *exec.Cmd) []string { return append([]string{cmd.Path}, cmd.Args[1:]...) }

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
