package disk

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"sync/atomic"
	"syscall"
)

// FS has the operations on files. Their errors are those of package os: *[fs.PathError] or *[os.LinkError].
type FS interface {
	// Open opens a regular file for reading and says how long it is, as [regular.Open] does.
	Open(path string) (Reader, int64, error)
	// Create makes a new file and fails if there is one: O_WRONLY|O_CREATE|O_EXCL, mode 0666 less the umask.
	Create(path string) (File, error)
	// Append opens a file that is there for writing at its end.
	Append(path string) (File, error)
	// Update opens a regular file for reading and writing at any place, makes it if there is none, and says how long it is.
	// A link is none: what it means is not to be written over.
	Update(path string) (Updater, int64, error)
	// OpenDir opens a folder in order to Sync it. Where the system cannot do that, Sync does nothing.
	OpenDir(path string) (Dir, error)

	Rename(from, to string) error
	Link(from, to string) error
	Remove(path string) error
	Mkdir(path string) error // mode 0777 less the umask

	Stat(path string) (fs.FileInfo, error)
	Lstat(path string) (fs.FileInfo, error)
	ReadDir(path string) ([]fs.DirEntry, error) // sorted by name
}

// Reader is a file being read.
type Reader interface {
	io.Reader
	io.ReaderAt
	io.Closer
}

// File is a file being written from its begin, or from its end, on.
type File interface {
	io.Writer
	Sync() error
	Close() error
}

// Updater is a file being written in any place.
type Updater interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	Close() error
}

// Dir is an open folder.
type Dir interface {
	Sync() error
	Close() error
}

type inUse struct{ fsys FS }

var current atomic.Pointer[inUse]

// Now is the file system in use: [OS] unless a test has said otherwise.
func Now() FS {
	if u := current.Load(); u != nil {
		return u.fsys
	}
	return OS
}

// Use puts a file system in the place of the system's until restore is called. It is for tests, and for the whole
// process.
func Use(fsys FS) (restore func()) {
	before := current.Swap(&inUse{fsys})
	return func() { current.Store(before) }
}

// Simulated tells whether the file system in use is not the system's: neither [OS] nor one that only looks on at what is
// done to that, and says so by a method Under.
func Simulated() bool {
	fsys := Now()
	for {
		w, ok := fsys.(interface{ Under() FS })
		if !ok {
			return fsys != OS
		}
		fsys = w.Under()
	}
}

// Open is [FS].Open of the file system in use.
func Open(path string) (Reader, int64, error) { return Now().Open(path) }

// Holds tells whether a file is there and holds just that.
func Holds(path string, data []byte) bool {
	f, size, err := Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	if size != int64(len(data)) {
		return false
	}
	old, err := io.ReadAll(f)
	return err == nil && bytes.Equal(old, data)
}

// Create is [FS].Create of the file system in use.
func Create(path string) (File, error) { return Now().Create(path) }

// Append is [FS].Append of the file system in use.
func Append(path string) (File, error) { return Now().Append(path) }

// Update is [FS].Update of the file system in use.
func Update(path string) (Updater, int64, error) { return Now().Update(path) }

// OpenDir is [FS].OpenDir of the file system in use.
func OpenDir(path string) (Dir, error) { return Now().OpenDir(path) }

// Rename is [FS].Rename of the file system in use.
func Rename(from, to string) error { return Now().Rename(from, to) }

// Link is [FS].Link of the file system in use.
func Link(from, to string) error { return Now().Link(from, to) }

// Remove is [FS].Remove of the file system in use.
func Remove(path string) error { return Now().Remove(path) }

// Mkdir is [FS].Mkdir of the file system in use.
func Mkdir(path string) error { return Now().Mkdir(path) }

// Stat is [FS].Stat of the file system in use.
func Stat(path string) (fs.FileInfo, error) { return Now().Stat(path) }

// Lstat is [FS].Lstat of the file system in use.
func Lstat(path string) (fs.FileInfo, error) { return Now().Lstat(path) }

// ReadDir is [FS].ReadDir of the file system in use.
func ReadDir(path string) ([]fs.DirEntry, error) { return Now().ReadDir(path) }

// Unsupported tells an operation that a file system does not have, as network and overlay file systems say it, from one
// that failed.
func Unsupported(err error) bool {
	return errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) || errors.Is(err, syscall.ENOSYS)
}

// NoLinks tells whether an error of Link is that of a file system, or of a file, that takes no further names. After
// another one, of a full or broken disk, nothing may be tried in its place.
func NoLinks(err error) bool {
	return Unsupported(err) || errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EMLINK)
}
