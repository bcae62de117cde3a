package atomicfile_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wangkuiyi/gotorch/atomicfile"
)

// names lists a folder in order.
func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}

func TestSweep(t *testing.T) {
	for what, c := range map[string]struct {
		sweep func(dir string) error
		want  string
	}{
		"one file's": {func(dir string) error { return atomicfile.Sweep(filepath.Join(dir, "state.pth")) }, ".ckpt.pth.tmp-ABC .tmp-ABC .x.tmp-a notes state.pth x.tmp-ABC"},
		"by Check":   {func(dir string) error { return atomicfile.Check(filepath.Join(dir, "state.pth")) }, ".ckpt.pth.tmp-ABC .tmp-ABC .x.tmp-a notes state.pth x.tmp-ABC"},
		"all":        {atomicfile.SweepFolder, ".tmp-ABC .x.tmp-a notes state.pth x.tmp-ABC"},
	} {
		dir := t.TempDir()
		for _, name := range []string{"state.pth", ".state.pth.tmp-ABC", ".state.pth.tmp-123", ".ckpt.pth.tmp-ABC", "x.tmp-ABC", ".tmp-ABC", ".x.tmp-a", "notes"} {
			if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.sweep(dir); err != nil {
			t.Fatal(err)
		}
		if got := names(t, dir); got != c.want {
			t.Errorf("%s: left %s, want %s", what, got, c.want)
		}
	}
	if err := atomicfile.SweepFolder("none"); err != nil {
		t.Error(err)
	}
	if err := atomicfile.SweepFolder("doc.go"); err == nil {
		t.Error("a file was swept as a folder")
	}
}

// What somebody writes is left alone, and gets its name; what a killed process wrote goes.
func TestSweepLeavesWriters(t *testing.T) {
	if dir := os.Getenv("ATOMICFILE_TEST_DIR"); dir != "" {
		_ = atomicfile.Write(filepath.Join(dir, "x"), func(w io.Writer) error {
			fmt.Println("writing")
			select {}
		})
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestSweepLeavesWriters$")
	cmd.Env = append(os.Environ(), "ATOMICFILE_TEST_DIR="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, len("writing"))); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		err := atomicfile.Write(filepath.Join(dir, "x"), func(w io.Writer) error {
			if err := atomicfile.SweepFolder(dir); err != nil {
				return err
			}
			if got := strings.Count(names(t, dir), ".x.tmp-"); got != 2 {
				t.Errorf("%d temporaries are left of 2 that are written", got)
			}
			return errors.New("enough")
		})
		if err == nil || !strings.Contains(err.Error(), "enough") {
			t.Fatal(err)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	if err := atomicfile.SweepFolder(dir); err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); got != "" {
		t.Errorf("left %s", got)
	}
}

func TestAbandon(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	if err := atomicfile.WriteFile(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	err := atomicfile.Write(path, func(w io.Writer) error {
		atomicfile.Abandon()
		if got := names(t, dir); got != "x" {
			t.Errorf("in the midst of a write: %s", got)
		}
		_, err := w.Write([]byte("new"))
		return err
	})
	if err == nil {
		t.Error("an abandoned write was a success")
	}
	if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, []byte("old")) {
		t.Errorf("%q, %v", b, err)
	}
	atomicfile.Abandon() // of nothing
	if got := names(t, dir); got != "x" {
		t.Errorf("%s", got)
	}
}
