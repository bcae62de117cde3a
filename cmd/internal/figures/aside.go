package figures

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/wangkuiyi/gotorch/disk"
)

// Aside are pictures of an earlier command under names that the next one takes by
// default. They keep a second name, final_samples-001.png, so that the newest one
// has the plain name and none is lost.
type Aside struct {
	number int
	kept   [][2]string // the plain name, and the numbered one
}

// SetAside gives the pictures that are at paths already numbered names, all of one
// number. Links are left alone: the user has made them, and says by them where the
// new picture goes.
func SetAside(paths ...string) (*Aside, error) {
	a := &Aside{number: 1}
	for _, p := range paths {
		a.number = max(a.number, lastNumber(p)+1)
	}
	for _, p := range paths {
		info, err := disk.Lstat(p)
		if err != nil || !info.Mode().IsRegular() {
			continue // writing it will tell
		}
		name := numberedName(p, a.number)
		err = disk.Link(p, name)
		if disk.NoLinks(err) { // for a moment there is none by the plain name
			if _, there := disk.Lstat(name); errors.Is(there, fs.ErrNotExist) {
				err = disk.Rename(p, name)
			}
		}
		if err != nil {
			a.Settle()
			return nil, fmt.Errorf("%s was not kept as %s: %w", p, name, err)
		}
		a.kept = append(a.kept, [2]string{p, name})
	}
	return a, nil
}

// Settle takes the second names away from pictures in whose place none was
// written, and gives the names of the others. It comes after the writing, done or
// failed.
func (a *Aside) Settle() []string {
	var names []string
	for _, k := range a.kept {
		now, err := disk.Lstat(k[0])
		old, err2 := disk.Lstat(k[1])
		switch {
		case err2 != nil: // gone by another hand
		case errors.Is(err, fs.ErrNotExist):
			_ = disk.Rename(k[1], k[0]) // else it stays under the number, and nothing is lost
		case err == nil && os.SameFile(now, old):
			_ = disk.Remove(k[1]) // as well
		default:
			names = append(names, k[1])
		}
	}
	a.kept = nil
	return names
}

func numberedName(path string, n int) string {
	ext := filepath.Ext(path)
	return fmt.Sprintf("%s-%03d%s", strings.TrimSuffix(path, ext), n, ext)
}

// lastNumber is the highest that a picture of this name has, 0 for none.
func lastNumber(path string) int {
	dir, base := filepath.Split(path)
	ext := filepath.Ext(base)
	stem := strings.TrimSuffix(base, ext) + "-"
	entries, _ := disk.ReadDir(filepath.Clean(dir)) // a name that is taken is found by Link
	last := 0
	for _, e := range entries {
		digits, ok := strings.CutPrefix(e.Name(), stem)
		digits, ok2 := strings.CutSuffix(digits, ext)
		if n, err := strconv.Atoi(digits); ok && ok2 && err == nil && len(digits) >= 3 {
			last = max(last, n)
		}
	}
	return last
}

// KeptNote says where the pictures before are now; "" for none.
func KeptNote(names []string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return "note: the picture before is now " + names[0]
	}
	short := []string{names[0]}
	for _, n := range names[1:] {
		short = append(short, filepath.Base(n))
	}
	return "note: the pictures before are now " + strings.Join(short, " and ")
}
