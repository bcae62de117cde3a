package page

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"flowmatch/cmd/internal/snapshots"
)

// families are the folders of the output folder that hold runs, one a set, in the order
// in which they are shown.
var families = []string{"cfm", "reflow", "distill"}

// outputs is the output folder, of which only files inside are opened. A link that
// leads out of it is refused, whoever made it.
type outputs struct{ dir string }

// errOutside is what a path or a link out of the folder gives.
var errOutside = &refusal{http.StatusForbidden, "that is not inside the output folder"}

// within calls f with the folder open. One that is not there yet has no files.
func (o outputs) within(f func(*os.Root) error) error {
	root, err := os.OpenRoot(o.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return f(root)
}

// open opens a regular file by its path in the folder, with slashes.
func (o outputs) open(path string) (file *os.File, info fs.FileInfo, err error) {
	if !fs.ValidPath(path) || strings.ContainsAny(path, "\\\x00") {
		return nil, nil, errOutside
	}
	err = o.within(func(root *os.Root) error {
		// Looked at first: opening a pipe would wait for a writer.
		if info, err = root.Stat(path); err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return &refusal{http.StatusNotFound, "that is no file"}
		}
		file, err = root.Open(path)
		return err
	})
	if err != nil {
		return nil, nil, outsideOr(path, err)
	}
	return file, info, nil
}

// outsideOr tells a file that is not there from one that lies outside.
func outsideOr(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &refusal{http.StatusNotFound, path + " is not there"}
	case err != nil && strings.Contains(err.Error(), "escapes"):
		return errOutside
	}
	return err
}

// real is the path of a file of the folder for readers that take paths. It is checked
// as open does.
func (o outputs) real(path string) (string, error) {
	f, _, err := o.open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return filepath.Join(o.dir, filepath.FromSlash(path)), nil
}

// stamp changes when a file does.
type stamp struct {
	size, time int64
}

func stampOf(in fs.FileInfo) stamp { return stamp{in.Size(), in.ModTime().UnixNano()} }

// folder is what is known of a run by looking at its folder.
type folder struct {
	id, family, set string // cfm/digits
	files           map[string]fs.FileInfo
	progress        []string // names in progress/
}

// setAside are the names that trainer.MoveAside gives.
var setAside = regexp.MustCompile(`\.old-\d+$`)

// aside tells whether a fresh run has moved the folder out of its way.
func (d folder) aside() bool { return setAside.MatchString(d.set) }

// mostFolders bounds how many runs are listed.
const mostFolders = 500

// folders lists the runs' folders, by family and name.
func (o outputs) folders() ([]folder, error) {
	var all []folder
	err := o.within(func(root *os.Root) error {
		for _, family := range families {
			entries, err := fs.ReadDir(root.FS(), family)
			if err != nil {
				continue // there are no such runs
			}
			for _, e := range entries {
				if len(all) == mostFolders {
					return nil
				}
				d := folder{id: family + "/" + e.Name(), family: family, set: e.Name(), files: map[string]fs.FileInfo{}}
				in, err := root.Stat(d.id)
				if err != nil || !in.IsDir() {
					continue
				}
				names, err := fs.ReadDir(root.FS(), d.id)
				if err != nil {
					continue
				}
				for _, n := range names {
					if in, err := root.Stat(d.id + "/" + n.Name()); err == nil && in.Mode().IsRegular() {
						d.files[n.Name()] = in
					}
				}
				progress, _ := fs.ReadDir(root.FS(), d.id+"/"+snapshots.Dir)
				for _, n := range progress {
					if n.Type().IsRegular() {
						d.progress = append(d.progress, n.Name())
					}
				}
				slices.Sort(d.progress)
				all = append(all, d)
			}
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return nil, fmt.Errorf("the output folder cannot be read: %w", err)
	}
	return all, nil
}
