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
		return nil, 0, f.absent(err)
	case err != nil && userfile.IsFolder(f.path):
		return nil, 0, f.folder()
	case err != nil:
		return nil, 0, f.fault(userfile.PlainCause(err), "make it a readable file", err)
	}
	return file, size, nil
}

func (f ownFile) absent(err error) error { return f.fault("not found", "check the path", err) }

// folder says that it is one: pictures in folders are a set of images, and another kind.
func (f ownFile) folder() error {
	return f.fault("a folder", set.Remedy("name a file in it; pictures in a folder are the set folder:"+f.path), nil)
}
