package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"

	"github.com/wangkuiyi/gotorch/disk"
)

// prefix starts the temporaries' names; with the random part it stays below the usual limit of 255 bytes.
func prefix(base string) string { return "." + base[:min(len(base), 200)] + ".tmp-" }

// temporaryName is what the names of temporaries look like, those of probes too.
var temporaryName = regexp.MustCompile(`(?s)^\..+\.tmp-[0-9A-Z]+$`)

// live are the temporaries of this process.
var live = temporaries{at: map[string]disk.FS{}}

type temporaries struct {
	sync.Mutex
	at map[string]disk.FS
}

func (t *temporaries) add(fsys disk.FS, path string) {
	t.Lock()
	defer t.Unlock()
	t.at[path] = fsys
}

func (t *temporaries) remove(path string) {
	t.Lock()
	defer t.Unlock()
	delete(t.at, path)
}

// Abandon removes the temporaries that this process is writing, which then cannot get their names: for a process that
// exits next, in the midst of a write.
func Abandon() {
	live.Lock()
	defer live.Unlock()
	for path, fsys := range live.at {
		_ = fsys.Remove(path) // what stays is swept another time
	}
}

// Sweep removes the temporaries that killed processes left of the file at path.
func Sweep(path string) error {
	t, err := resolve(path)
	if err != nil || t.through {
		return err
	}
	dir, base := filepath.Split(t.path)
	return sweep(filepath.Clean(dir), func(name string) bool { return strings.HasPrefix(name, prefix(base)) })
}

// SweepFolder removes the temporaries that killed processes left in a folder, of whatever files. A folder that is not
// there has none.
func SweepFolder(dir string) error {
	err := sweep(dir, func(string) bool { return true })
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func sweep(dir string, among func(name string) bool) error {
	entries, err := disk.ReadDir(dir)
	if err != nil {
		return failed("list", dir, err)
	}
	var first error
	for _, e := range entries {
		if !e.Type().IsRegular() || !temporaryName.MatchString(e.Name()) || !among(e.Name()) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		if err := removeUnclaimed(path); err != nil && !errors.Is(err, fs.ErrNotExist) && first == nil {
			first = failed("remove", path, err)
		}
	}
	return first
}

// removeUnclaimed removes a temporary that nobody writes any more.
func removeUnclaimed(path string) error {
	if disk.Simulated() {
		return disk.Remove(path) // a simulated one has neither locks nor other processes
	}
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if errors.Is(err, fs.ErrPermission) {
		return nil // another user's
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // nothing was written
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil // somebody writes it, or there are no locks here
	}
	return os.Remove(path)
}
