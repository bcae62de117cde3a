package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/wangkuiyi/gotorch/disk"
)

// MkdirAll is [os.MkdirAll] with mode 0777 less the umask, after which the new folders' names are on the disk too.
func MkdirAll(path string) error {
	var missing []string // the innermost first
	for at := filepath.Clean(path); ; at = filepath.Dir(at) {
		info, err := disk.Stat(at)
		if err == nil && !info.IsDir() {
			err = syscall.ENOTDIR
		}
		if err == nil || at == filepath.Dir(at) {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return failed("mkdir", path, err)
		}
		missing = append(missing, at)
	}
	for i := len(missing) - 1; i >= 0; i-- {
		if err := disk.Mkdir(missing[i]); err != nil && !errors.Is(err, fs.ErrExist) { // another process may be as far
			return err
		}
	}
	for i := len(missing) - 1; i >= 0; i-- {
		if err := SyncDir(filepath.Dir(missing[i])); err != nil {
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
	d, err := disk.OpenDir(path)
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
	return !disk.Unsupported(f.Sync())
}
