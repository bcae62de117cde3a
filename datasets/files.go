package datasets

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/wangkuiyi/gotorch/regular"
)

// openRegular opens a file for reading and says how long it is. Pipes and devices,
// whose opening or reading could wait for ever, are refused.
func openRegular(path string) (*os.File, int64, error) { return regular.Open(path) }

// inHome is a path whose ~ stands for the user's own folder: a shell leaves it where it
// is not the first letter of a word, as in folder:~/pictures.
func inHome(path string) string {
	rest, ok := strings.CutPrefix(path, "~")
	home, err := os.UserHomeDir()
	if !ok || err != nil || rest != "" && rest[0] != '/' { // ~name is another user's
		return path
	}
	return filepath.Join(home, rest)
}

// absent tells "there is no such file" from other faults. A file in a folder's
// place on the way to it is absence too.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// exists tells whether anything has that name.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
