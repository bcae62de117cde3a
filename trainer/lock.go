package trainer

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// openLock opens the file by which a process keeps others out of a folder, or makes it. What it holds is written over: so it
// must be such a file, no link to one of other use, and nothing else by that name.
func openLock(path string) (*os.File, error) {
	notOurs := fmt.Errorf("%s is no lock of a training: rename it or remove it; nothing was changed", path)
	switch info, err := os.Lstat(path); {
	case err == nil && !info.Mode().IsRegular(): // to open it may do something
		return nil, notOurs
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("the output folder cannot be written to: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0o666)
	if err != nil {
		return nil, fmt.Errorf("the output folder cannot be written to: %w", err)
	}
	if !isLock(f) {
		_ = f.Close() // nothing was written
		return nil, notOurs
	}
	return f, nil
}

// isLock tells whether an open file holds what one such file does: a process's number, or nothing, or, after a power cut,
// zeros.
func isLock(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	var text [64]byte
	n, _ := f.ReadAt(text[:], 0)
	return info.Size() < int64(len(text)) && len(bytes.Trim(text[:n], "0123456789\n\x00")) == 0
}

// Held tells whether Dir is still the folder that was opened and nobody else was let in:
// it may have been moved away, with its lock, and another run begun in its place, or the
// lock removed. A lock that is only missing is made again.
func (f *Folder) Held() error {
	if f.lock == nil {
		return nil
	}
	dir, err := os.Stat(f.Dir)
	if err != nil {
		return nil // writing will tell
	}
	mine, err := f.lock.Stat()
	if err != nil {
		return fmt.Errorf("%s: lock: %w", f.Dir, err)
	}
	there, err := os.Lstat(f.path(lockFile))
	switch {
	case !os.SameFile(f.dir, dir):
	case err == nil && os.SameFile(mine, there):
		return nil
	case errors.Is(err, fs.ErrNotExist):
		again, err := lockFolder(f.Dir, f.Keep)
		if err != nil {
			return err
		}
		f.lock.Close()
		f.lock = again.lock
		return nil
	case err != nil:
		return fmt.Errorf("%s: lock: %w", f.Dir, err)
	}
	return fmt.Errorf("%s is not the folder of this run any more: it was moved, or another run was begun there; nothing is written into it", f.Dir)
}
