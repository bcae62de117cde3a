package trainer

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// What lies where the lock is to be and is none stays as it is, and so does what it links to.
func TestLockThatIsNone(t *testing.T) {
	const precious = "the only copy\n"
	for name, put := range map[string]func(lock, file string) error{
		"a link":                  func(lock, file string) error { return os.Symlink(file, lock) },
		"a link to what is none":  func(lock, file string) error { return os.Symlink(file+".none", lock) },
		"a second name of a file": func(lock, file string) error { return os.Link(file, lock) },
		"a file of other use":     func(lock, _ string) error { return os.WriteFile(lock, []byte(precious), 0o666) },
		"a long file":             func(lock, _ string) error { return os.WriteFile(lock, []byte(strings.Repeat("1", 64)), 0o666) },
		"a pipe":                  func(lock, _ string) error { return syscall.Mkfifo(lock, 0o666) },
		"a folder":                func(lock, _ string) error { return os.Mkdir(lock, 0o777) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			run, file := filepath.Join(dir, "run"), filepath.Join(dir, "file")
			lock := filepath.Join(run, ".lock")
			if err := os.WriteFile(file, []byte(precious), 0o666); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(run, 0o777); err != nil {
				t.Fatal(err)
			}
			if err := put(lock, file); err != nil {
				t.Fatal(err)
			}
			held := func() string {
				if info, err := os.Stat(lock); err != nil || !info.Mode().IsRegular() {
					return ""
				}
				text, err := os.ReadFile(lock)
				if err != nil {
					t.Fatal(err)
				}
				return string(text)
			}
			before := held()
			for what, f := range map[string]func() error{
				"open":       func() error { _, err := OpenFolder(run, 2); return err },
				"move aside": func() error { _, err := MoveAside(run); return err },
			} {
				err := f()
				if err == nil || !strings.Contains(err.Error(), lock+" is no lock of a training") || !strings.Contains(err.Error(), "nothing was changed") || strings.Contains(err.Error(), "\n") {
					t.Errorf("%s: %v", what, err)
				}
			}
			if got, err := os.ReadFile(file); err != nil || string(got) != precious {
				t.Errorf("the other file holds %q, %v", got, err)
			}
			if after := held(); after != before {
				t.Errorf("it held %q and holds %q", before, after)
			}
			if _, err := os.Lstat(file + ".none"); err == nil {
				t.Error("what the link means was made")
			}
		})
	}
}

// A lock that another process left is taken over, also one of which a power cut left zeros.
func TestLockThatIsLeft(t *testing.T) {
	for _, text := range []string{"", "123\n", "\x00\x00\x00\x00"} {
		dir := t.TempDir()
		lock := filepath.Join(dir, ".lock")
		if err := os.WriteFile(lock, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		f, err := OpenFolder(dir, 2)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got, err := os.ReadFile(lock); err != nil || string(got) != fmt.Sprintln(os.Getpid()) {
			t.Errorf("%q: it holds %q, %v", text, got, err)
		}
		f.Close()
	}
}
