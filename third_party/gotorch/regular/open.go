// Package regular opens files that are to be read by position: regular files, and what links to them. A pipe, whose
// opening waits for a writer, a device, a folder or a socket in such a file's place is refused at once.
package regular

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// ErrNotRegular means that something other than a regular file has the name.
var ErrNotRegular = errors.New("not a regular file")

// ErrDangling means that a link has the name, to something that is not there: on a disk that is not mounted, perhaps. It
// is not [fs.ErrNotExist], for nothing may be put in the place of what the link stands for.
var ErrDangling = errors.New("a link to what is not there")

// Open opens the file at path for reading and says how long it is. Its errors are *[fs.PathError].
func Open(path string) (*os.File, int64, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	if errors.Is(err, syscall.ENXIO) { // a socket
		return nil, 0, &fs.PathError{Op: "open", Path: path, Err: ErrNotRegular}
	}
	if errors.Is(err, fs.ErrNotExist) && isLink(path) {
		return nil, 0, &fs.PathError{Op: "open", Path: path, Err: ErrDangling}
	}
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: ErrNotRegular}
	}
	if err != nil {
		_ = f.Close() // it was only read
		return nil, 0, err
	}
	return f, info.Size(), nil
}

func isLink(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode()&fs.ModeSymlink != 0
}

// Check tells whether what has a name is a regular file, links followed, or nothing yet.
func Check(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return &fs.PathError{Op: "open", Path: path, Err: ErrNotRegular}
	}
	return nil
}
