package trainer

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/wangkuiyi/gotorch/atomicfile"
	"github.com/wangkuiyi/gotorch/disk"
)

// SetAside gives a file that is not what its name says another name, so that nothing takes its
// place: <name>.damaged, or the first <name>.damaged-N that is free. A link is renamed itself:
// what it leads to may be of other use. It gives the new name, without the folder.
func SetAside(path string) (string, error) {
	dir, name := filepath.Split(path)
	to := name + ".damaged"
	for n := 2; ; n++ {
		err := disk.Link(path, dir+to) // not over another
		if errors.Is(err, fs.ErrExist) {
			to = fmt.Sprintf("%s.damaged-%d", name, n)
			continue
		}
		if disk.NoLinks(err) {
			if _, there := disk.Lstat(dir + to); !errors.Is(there, fs.ErrNotExist) {
				to = fmt.Sprintf("%s.damaged-%d", name, n)
				continue
			}
			err = disk.Rename(path, dir+to)
		} else if err == nil {
			err = disk.Remove(path)
		}
		if err != nil {
			return "", fmt.Errorf("a damaged file was not kept: %w", err)
		}
		return to, atomicfile.SyncDir(filepath.Dir(path))
	}
}
