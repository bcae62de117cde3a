package datasets

import (
	"context"
	"path/filepath"
	"slices"

	"flowmatch/datasets/fetch"
	"flowmatch/datasets/internal/userfile"
)

// Altered compares the files of the published sets that are in the data folder with the
// SHA-256 that they are published with: how many are the published ones, and the paths of
// those that are not. That is no fault by itself, for the files are the user's. Files that
// come out of an archive have no published sum and are left out.
func Altered(ctx context.Context, dataDir string) (same int, other []string, err error) {
	for _, p := range publications {
		if p.unpack != nil {
			continue
		}
		dir := p.dir(dataDir)
		for _, f := range p.missing(filepath.Join(dir, "none such")) {
			path := filepath.Join(dir, f.name)
			file, size, err := userfile.Open(path)
			if err != nil {
				continue // not there, or what opening the set will tell
			}
			sum := ""
			if size == f.size {
				sum, err = fetch.SHA256(ctx, file)
			}
			file.Close()
			switch {
			case err != nil:
				return same, other, err
			case sum == f.sha256:
				same++
			default:
				other = append(other, path)
			}
		}
	}
	slices.Sort(other)
	return same, other, nil
}
