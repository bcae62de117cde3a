package plane

import (
	"os"
	"strings"

	"flowmatch/datasets/internal/userfile"
	"flowmatch/datasets/set"
)

// ownFile is a file of the user's own that is a set: that of image:FILE or points:FILE.
type ownFile struct{ kind, path string }

func ownFileOf(info set.Info) ownFile {
	kind, path, _ := strings.Cut(info.Name, ":")
	return ownFile{kind, path}
}

// fault is what is wrong with it, and what is to be done.
func (f ownFile) fault(what string, remedy set.Remedy, cause error) error {
	return &set.FileError{Set: f.kind, File: f.path, Fault: what, Remedy: remedy, Err: cause}
}

func (f ownFile) open() (*os.File, int64, error) {
	file, size, err := userfile.Open(f.path)
	switch {
	case userfile.Absent(err):
		return nil, 0, f.fault("not found", "check the path", err)
	case err != nil:
		return nil, 0, f.fault(userfile.PlainCause(err), "make it a readable file", err)
	}
	return file, size, nil
}
