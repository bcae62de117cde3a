package atomicfile

import (
	"io"
	"os"
)

// FS has the operations that a write is made of.
type FS interface {
	// Create makes a new file and fails if there is one: O_WRONLY|O_CREATE|O_EXCL, mode 0666 less the umask.
	Create(path string) (File, error)
	// OpenDir opens a folder in order to Sync it.
	OpenDir(path string) (Dir, error)
	Rename(from, to string) error
	Remove(path string) error
}

// File is a file being written.
type File interface {
	io.Writer
	Sync() error
	Close() error
}

// Dir is an open folder.
type Dir interface {
	Sync() error
	Close() error
}

// OS is the system's file system.
var OS FS = osFS{}

type osFS struct{}

func (osFS) Create(path string) (File, error) {
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

func (osFS) OpenDir(path string) (Dir, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return folder{f}, nil
}

func (osFS) Rename(from, to string) error { return os.Rename(from, to) }
func (osFS) Remove(path string) error     { return os.Remove(path) }
