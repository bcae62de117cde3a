package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// MkdirAll is [os.MkdirAll] with mode 0777 less the umask, after which the new folders' names are on the disk too.
func MkdirAll(path string) error {
	var parents []string
	for at := filepath.Clean(path); ; at = filepath.Dir(at) {
		if _, err := os.Stat(at); !errors.Is(err, fs.ErrNotExist) || at == filepath.Dir(at) {
			break
		}
		parents = append(parents, filepath.Dir(at))
	}
	if err := os.MkdirAll(path, 0o777); err != nil {
		return err
	}
	for i := len(parents) - 1; i >= 0; i-- {
		if err := SyncDir(parents[i]); err != nil {
			return err
		}
	}
	return nil
}

// OutputFolder is [MkdirAll] for a folder that files are going to be written to: what killed writers left there goes.
func OutputFolder(path string) error {
	if err := MkdirAll(path); err != nil {
		return err
	}
	_ = SweepFolder(path) // what cannot be removed does no harm
	return nil
}

// SyncDir brings a folder's names to the disk. Where the file system has no such operation it does nothing.
func SyncDir(path string) error {
	d, err := OS.OpenDir(path)
	if err != nil {
		return failed("open the folder", path, err)
	}
	defer func() { _ = d.Close() }() // it was only read
	if err := d.Sync(); err != nil {
		return failed("fsync the folder", path, err)
	}
	return nil
}

// CanSync tells whether the file system of a folder can bring its names to the disk.
func CanSync(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return true // something else is wrong
	}
	defer func() { _ = f.Close() }() // it was only read
	return !unsupported(f.Sync())
}

// unsupported is what network and overlay file systems say of an operation that they do not have.
func unsupported(err error) bool {
	return errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) || errors.Is(err, syscall.ENOSYS)
}

// folder is a Dir of the system.
type folder struct{ *os.File }

func (f folder) Sync() error {
	if err := f.File.Sync(); err != nil && !unsupported(err) {
		return err
	}
	return nil
}
