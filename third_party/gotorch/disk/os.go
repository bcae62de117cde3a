package disk

import (
	"io/fs"
	"os"
	"syscall"

	"github.com/wangkuiyi/gotorch/regular"
)

// OS is the system's file system.
var OS FS = system{}

type system struct{}

func (system) Open(path string) (Reader, int64, error) {
	f, size, err := regular.Open(path)
	if err != nil {
		return nil, 0, err // not a Reader that holds a nil *os.File
	}
	return f, size, nil
}

func (system) Create(path string) (File, error) {
	for {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err != nil {
			return nil, err // not a File that holds a nil *os.File
		}
		if claim(f) {
			return f, nil
		}
		_ = f.Close() // nothing was written
	}
}

// claim lets those who sweep behind killed writers see that somebody writes the file (package atomicfile). It is false
// where one of them was faster and has removed it. Where there are no locks nothing can be seen, and nothing is swept.
func claim(f *os.File) bool {
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil { // a sweeper holds it for a moment
		return true
	}
	info, err := f.Stat()
	return err != nil || info.Sys().(*syscall.Stat_t).Nlink > 0
}

func (system) Append(path string) (File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0) // a pipe's would wait for a reader
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: regular.ErrNotRegular}
	}
	if err != nil {
		_ = f.Close() // nothing was written
		return nil, err
	}
	return f, nil
}

func (system) Update(path string) (Updater, int64, error) {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() { // to open another thing may do something
		return nil, 0, &fs.PathError{Op: "open", Path: path, Err: regular.ErrNotRegular}
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o666)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close() // nothing was written
		return nil, 0, err
	}
	return f, info.Size(), nil
}

func (system) OpenDir(path string) (Dir, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return folder{f}, nil
}

// folder is a Dir of the system.
type folder struct{ *os.File }

func (f folder) Sync() error {
	if err := f.File.Sync(); err != nil && !Unsupported(err) {
		return err
	}
	return nil
}

func (system) Rename(from, to string) error               { return os.Rename(from, to) }
func (system) Link(from, to string) error                 { return os.Link(from, to) }
func (system) Remove(path string) error                   { return os.Remove(path) }
func (system) Mkdir(path string) error                    { return os.Mkdir(path, 0o777) }
func (system) Stat(path string) (fs.FileInfo, error)      { return os.Stat(path) }
func (system) Lstat(path string) (fs.FileInfo, error)     { return os.Lstat(path) }
func (system) ReadDir(path string) ([]fs.DirEntry, error) { return os.ReadDir(path) }
