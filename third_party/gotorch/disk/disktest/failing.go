package disktest

import (
	"io"
	"io/fs"
	"iter"
	"os"
	"slices"
	"sync"
	"syscall"

	"github.com/wangkuiyi/gotorch/disk"
)

// Op is an operation on a path. Its name is the system call's: open, write, fsync, close, rename, link, remove, mkdir,
// stat, list, read, truncate; those on folders end in " folder".
type Op struct{ Name, Path string }

// Failing is another file system whose operation number At, counted from 1, fails with Err. With [io.ErrShortWrite] half
// of a write is done.
type Failing struct {
	FS      disk.FS
	At      int // 0: none
	Err     error
	ForGood bool // those after it fail too, but for remove: a temporary must not be there for that reason alone

	// Tell, where there is one, is told of each operation before it is done, and of writes once more in the midst of
	// them, when half is done: their name is "half" then. None is kept for Ops.
	Tell func(Op)

	mu  sync.Mutex
	ops []Op
}

// Faults are the errors that an operation is made to fail with.
var Faults = []error{syscall.ENOSPC, syscall.EIO, syscall.EDQUOT, syscall.EINTR, io.ErrShortWrite}

// EveryFault gives, for what is done between two turns of the loop, a file system without a fault, and then those that
// fail at each of the operations that this has seen: with each of [Faults], once and for good. Op is the operation that
// fails. What is done must begin anew each time.
func EveryFault(on disk.FS) iter.Seq2[*Failing, Op] {
	return func(yield func(*Failing, Op) bool) {
		good := &Failing{FS: on}
		if !yield(good, Op{}) {
			return
		}
		for i, op := range good.Ops() {
			for _, err := range Faults {
				for _, forGood := range []bool{false, true} {
					if !yield(&Failing{FS: on, At: i + 1, Err: err, ForGood: forGood}, op) {
						return
					}
				}
			}
		}
	}
}

// Ops are the operations up to now.
func (f *Failing) Ops() []Op {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.ops)
}

// Under is the other file system.
func (f *Failing) Under() disk.FS { return f.FS }

// fails counts an operation and gives the error that it has.
func (f *Failing) fails(name, path string) error {
	if f.Tell != nil {
		f.Tell(Op{name, path})
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ops = append(f.ops, Op{name, path})
	if n := len(f.ops); n == f.At || f.ForGood && f.At > 0 && n > f.At && name != "remove" {
		return f.Err
	}
	return nil
}

// try does an operation on a path unless it fails.
func (f *Failing) try(name, path string, do func() error) error {
	if err := f.fails(name, path); err != nil {
		return &fs.PathError{Op: name, Path: path, Err: err}
	}
	return do()
}

func (f *Failing) Open(path string) (r disk.Reader, size int64, err error) {
	err = f.try("open", path, func() error { r, size, err = f.FS.Open(path); return err })
	if err != nil {
		return nil, 0, err
	}
	return failingReader{r, f, path}, size, nil
}

func (f *Failing) Create(path string) (w disk.File, err error) {
	return f.file("create", path, f.FS.Create)
}

func (f *Failing) Append(path string) (w disk.File, err error) {
	return f.file("open", path, f.FS.Append)
}

func (f *Failing) file(name, path string, open func(string) (disk.File, error)) (w disk.File, err error) {
	err = f.try(name, path, func() error { w, err = open(path); return err })
	if err != nil {
		return nil, err
	}
	return failingFile{w, f, path}, nil
}

func (f *Failing) Update(path string) (u disk.Updater, size int64, err error) {
	err = f.try("open", path, func() error { u, size, err = f.FS.Update(path); return err })
	if err != nil {
		return nil, 0, err
	}
	return failingUpdater{u, f, path}, size, nil
}

func (f *Failing) OpenDir(path string) (d disk.Dir, err error) {
	err = f.try("open folder", path, func() error { d, err = f.FS.OpenDir(path); return err })
	if err != nil {
		return nil, err
	}
	return failingDir{d, f, path}, nil
}

func (f *Failing) Rename(from, to string) error {
	if err := f.fails("rename", to); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return f.FS.Rename(from, to)
}

func (f *Failing) Link(from, to string) error {
	if err := f.fails("link", to); err != nil {
		return &os.LinkError{Op: "link", Old: from, New: to, Err: err}
	}
	return f.FS.Link(from, to)
}

func (f *Failing) Remove(path string) error {
	return f.try("remove", path, func() error { return f.FS.Remove(path) })
}

func (f *Failing) Mkdir(path string) error {
	return f.try("mkdir", path, func() error { return f.FS.Mkdir(path) })
}

func (f *Failing) Stat(path string) (info fs.FileInfo, err error) {
	err = f.try("stat", path, func() error { info, err = f.FS.Stat(path); return err })
	return info, err
}

func (f *Failing) Lstat(path string) (info fs.FileInfo, err error) {
	err = f.try("stat", path, func() error { info, err = f.FS.Lstat(path); return err })
	return info, err
}

func (f *Failing) ReadDir(path string) (entries []fs.DirEntry, err error) {
	err = f.try("list", path, func() error { entries, err = f.FS.ReadDir(path); return err })
	return entries, err
}

// write does a write of n bytes, or half of it.
func (f *Failing) write(path string, b []byte, do func([]byte) (int, error)) (int, error) {
	err := f.fails("write", path)
	switch err {
	case nil:
		if f.Tell == nil {
			return do(b)
		}
		n, err := do(b[:len(b)/2])
		if err != nil {
			return n, err
		}
		f.Tell(Op{"half", path})
		more, err := do(b[len(b)/2:])
		return n + more, err
	case io.ErrShortWrite:
		n, e := do(b[:len(b)/2])
		if e != nil {
			err = e
		}
		return n, err // as os.File does it, which has no path then
	}
	return 0, &fs.PathError{Op: "write", Path: path, Err: err}
}

// read does a read, or fails.
func (f *Failing) read(path string, do func() (int, error)) (int, error) {
	if err := f.fails("read", path); err != nil {
		return 0, &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return do()
}

type failingFile struct {
	disk.File
	f    *Failing
	path string
}

func (w failingFile) Write(b []byte) (int, error) { return w.f.write(w.path, b, w.File.Write) }
func (w failingFile) Sync() error                 { return w.f.try("fsync", w.path, w.File.Sync) }
func (w failingFile) Close() error                { return closed(w.f, "close", w.path, w.File.Close) }

// closed closes in any case: no operation after it is possible.
func closed(f *Failing, name, path string, do func() error) error {
	err := do()
	if e := f.fails(name, path); e != nil {
		return &fs.PathError{Op: name, Path: path, Err: e}
	}
	return err
}

type failingUpdater struct {
	disk.Updater
	f    *Failing
	path string
}

func (u failingUpdater) WriteAt(b []byte, off int64) (int, error) {
	return u.f.write(u.path, b, func(b []byte) (int, error) {
		n, err := u.Updater.WriteAt(b, off)
		off += int64(n)
		return n, err
	})
}

func (u failingUpdater) ReadAt(b []byte, off int64) (int, error) {
	return u.f.read(u.path, func() (int, error) { return u.Updater.ReadAt(b, off) })
}

func (u failingUpdater) Truncate(size int64) error {
	return u.f.try("truncate", u.path, func() error { return u.Updater.Truncate(size) })
}

func (u failingUpdater) Sync() error  { return u.f.try("fsync", u.path, u.Updater.Sync) }
func (u failingUpdater) Close() error { return closed(u.f, "close", u.path, u.Updater.Close) }

type failingReader struct {
	disk.Reader
	f    *Failing
	path string
}

func (r failingReader) Read(b []byte) (int, error) {
	return r.f.read(r.path, func() (int, error) { return r.Reader.Read(b) })
}

func (r failingReader) ReadAt(b []byte, off int64) (int, error) {
	return r.f.read(r.path, func() (int, error) { return r.Reader.ReadAt(b, off) })
}

type failingDir struct {
	disk.Dir
	f    *Failing
	path string
}

func (d failingDir) Sync() error { return d.f.try("fsync folder", d.path, d.Dir.Sync) }
