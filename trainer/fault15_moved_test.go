package trainer

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A run whose folder was moved away, or whose lock was taken from it, writes nothing
// over the run that is there now; a lock that is only gone is made again.
func TestFolderIsAnothers(t *testing.T) {
	for name, c := range map[string]struct {
		lose func(t *testing.T, dir string) *Folder // to another, or nobody
		held bool
	}{
		"moved": {func(t *testing.T, dir string) *Folder {
			if err := os.Rename(dir, dir+"2"); err != nil {
				t.Fatal(err)
			}
			return openFolder(t, dir)
		}, false},
		"moved, and the other ended": {func(t *testing.T, dir string) *Folder {
			if err := os.Rename(dir, dir+"2"); err != nil {
				t.Fatal(err)
			}
			openFolder(t, dir).Close()
			return nil
		}, false},
		"another's lock": {func(t *testing.T, dir string) *Folder {
			if err := os.Remove(filepath.Join(dir, ".lock")); err != nil {
				t.Fatal(err)
			}
			return openFolder(t, dir)
		}, false},
		"no lock": {func(t *testing.T, dir string) *Folder {
			if err := os.Remove(filepath.Join(dir, ".lock")); err != nil {
				t.Fatal(err)
			}
			return nil
		}, true},
		"nothing": {func(*testing.T, string) *Folder { return nil }, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			smallRun(t, dir)
			s, err := ReadState(filepath.Join(dir, StateFile))
			if err != nil {
				t.Fatal(err)
			}
			mine := openFolder(t, dir)
			defer mine.Close()
			if other := c.lose(t, dir); other != nil {
				defer other.Close()
			}
			before := contents(t, dir)
			err = mine.Save(s)
			if c.held {
				if err != nil {
					t.Fatal(err)
				}
				if _, err := OpenFolder(dir, 2); !errors.Is(err, ErrBusy) {
					t.Errorf("another process is let in: %v", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), dir+" is not the folder of this run any more") {
				t.Errorf("saving into another's folder: %v", err)
			}
			if _, err := mine.StepBack(); err == nil {
				t.Error("another's states are exchanged")
			}
			if after := contents(t, dir); !maps.Equal(after, before) {
				t.Error("another's files are changed")
			}
		})
	}
}

func openFolder(t *testing.T, dir string) *Folder {
	t.Helper()
	f, err := OpenFolder(dir, 2)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// contents are the files of a folder, but for its lock.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, e := range entries {
		if b, err := os.ReadFile(filepath.Join(dir, e.Name())); err == nil && e.Name() != ".lock" {
			all[e.Name()] = string(b)
		}
	}
	return all
}
