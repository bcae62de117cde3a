// Package userfile opens what users put in a place, and words what is wrong with it.
package userfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/wangkuiyi/gotorch/regular"
)

// ReplaceIt is what to do about a file that is damaged.
const ReplaceIt = "replace it with an intact copy"

// Open opens a file for reading and says how long it is. Pipes and devices, whose opening
// or reading could wait for ever, are refused.
func Open(path string) (*os.File, int64, error) { return regular.Open(path) }

// InHome is a path whose ~ stands for the user's own folder: a shell leaves it where it
// is not the first letter of a word, as in folder:~/pictures.
func InHome(path string) string {
	rest, ok := strings.CutPrefix(path, "~")
	home, err := os.UserHomeDir()
	if !ok || err != nil || rest != "" && rest[0] != '/' { // ~name is another user's
		return path
	}
	return filepath.Join(home, rest)
}

// Absent tells "there is no such file" from other faults. A file in a folder's
// place on the way to it is absence too.
func Absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// Exists tells whether anything has that name.
func Exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// IsFolder tells whether a path is that of a folder.
func IsFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// PlainCause is the cause without the path, for errors that name the file themselves.
func PlainCause(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}
