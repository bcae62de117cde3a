package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/wangkuiyi/gotorch/disk"
	"github.com/wangkuiyi/gotorch/regular"
)

// target is where a write to a path goes: to a regular file (or where one will be), which is replaced, or to something
// else, which is written to as it is.
type target struct {
	path    string // behind all links
	through bool   // no regular file: a pipe, a terminal, an open descriptor
	fd      int    // the process's own descriptor that path stands for, -1 where it is none
}

// Target is the regular file, or the place for one, that a path means: behind all links. What is there and no regular
// file is an error.
func Target(path string) (string, error) {
	t, err := resolve(path)
	if err == nil && t.through {
		err = &fs.PathError{Op: "write", Path: path, Err: regular.ErrNotRegular}
	}
	return t.path, err
}

// maxLinks is how many links may follow each other, as in the kernel.
const maxLinks = 40

// resolve follows the links at path. What a link names need not be there.
func resolve(path string) (target, error) {
	if disk.Simulated() {
		return target{path, false, -1}, nil // a simulated one has neither links nor pipes
	}
	shown := path
	for range maxLinks {
		dir, base := filepath.Split(path)
		if base == "" || base == "." || base == ".." {
			return target{}, fmt.Errorf("write %s: not the name of a file", shown)
		}
		real, err := filepath.EvalSymlinks(filepath.Clean(dir))
		if err != nil {
			return target{}, fmt.Errorf("write %s: %w", shown, failed("open the folder", dir, err))
		}
		if own, ok := descriptor(real, base); ok {
			return target{path, true, own}, nil
		}
		info, err := os.Lstat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return target{path, false, -1}, nil
		case err != nil:
			return target{}, failed("look at", path, err)
		}
		if info.Mode()&fs.ModeSymlink != 0 && !strings.HasPrefix(real, "/proc/") { // there links are only drawn as such
			to, err := os.Readlink(path)
			if err != nil {
				return target{}, failed("follow", path, err)
			}
			if !filepath.IsAbs(to) {
				to = filepath.Join(dir, to)
			}
			path = to
			continue
		}
		if info, err = os.Stat(path); err != nil {
			return target{}, failed("look at", path, err)
		}
		switch mode := info.Mode(); {
		case mode.IsDir():
			return target{}, fmt.Errorf("write %s: it is a folder; name a file", shown)
		case mode.IsRegular():
			return target{path, strings.HasPrefix(real, "/proc/"), -1}, nil
		case mode&fs.ModeNamedPipe != 0, mode&fs.ModeCharDevice != 0:
			return target{path, true, -1}, nil
		}
		return target{}, fmt.Errorf("write %s: neither a file nor a pipe nor a terminal: it is not written to", shown)
	}
	return target{}, fmt.Errorf("write %s: more than %d links after each other", shown, maxLinks)
}

// descriptor tells whether a name in a folder, whose links are resolved, is an open descriptor of this process, as
// /dev/stdout is.
func descriptor(dir, base string) (int, bool) {
	if dir != fmt.Sprintf("/proc/%d/fd", os.Getpid()) {
		return -1, false
	}
	fd, err := strconv.Atoi(base)
	return fd, err == nil && fd >= 0
}

// readerWait is how long a pipe's reader is waited for: the work is done by then, and would be lost.
var readerWait = 10 * time.Second

// open opens what is written through.
func (t target) open() (*os.File, error) {
	if t.fd < 0 {
		for until := time.Now().Add(readerWait); ; time.Sleep(20 * time.Millisecond) {
			f, err := os.OpenFile(t.path, os.O_WRONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
			if !errors.Is(err, syscall.ENXIO) {
				return f, err
			}
			if time.Now().After(until) {
				return nil, fmt.Errorf("nothing reads from this pipe after %v; start its reader first", readerWait)
			}
		}
	}
	// The same open file, so that what is written before and after stays in order.
	fd, err := syscall.Dup(t.fd)
	if err != nil {
		return nil, err
	}
	syscall.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), t.path), nil
}

// writeThrough writes to something that cannot be replaced. What was written before an error stays written.
func (t target) writeThrough(shown string, write func(w io.Writer) error) error {
	f, err := t.open()
	if err != nil {
		return failed("open", shown, err)
	}
	if err := fill(f, shown, write); err != nil {
		_ = f.Close() // there is an earlier error
		return err
	}
	if err := f.Close(); err != nil {
		return failed("close", shown, err)
	}
	return nil
}

// Check finds out before any work whether [Write] can write to path, and sweeps behind killed writers. Of a pipe or a device it only looks whether it is
// there: to open it would tell its reader of an end.
func Check(path string) error {
	t, err := resolve(path)
	if err != nil || t.through {
		return err
	}
	probe, err := os.CreateTemp(filepath.Dir(t.path), prefix(filepath.Base(t.path)))
	if err != nil {
		return failed("write to the folder of", path, err)
	}
	_ = probe.Close() // nothing was written
	if err := os.Remove(probe.Name()); err != nil {
		return err
	}
	return Sweep(path)
}
