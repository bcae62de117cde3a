package cli

import (
	"context"
	"io"

	"flowmatch/cmd/internal/terminal"
	"flowmatch/datasets"
)

// Fetch downloads a set's public files into a folder, with a bar on w.
func Fetch(ctx context.Context, name, dataDir string, w io.Writer, quiet bool) error {
	bar := terminal.New(w, quiet, "fetching "+name, 100)
	defer bar.Done()
	return datasets.Download(ctx, name, dataDir, datasets.DownloadOptions{
		Progress: func(done, total int64) {
			if total > 0 {
				bar.Set(int(100*done/total), 100, terminal.Bytes(done)+" of "+terminal.Bytes(total))
			}
		},
		Note: bar.Note,
	})
}
