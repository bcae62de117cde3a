package sample

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"github.com/wangkuiyi/gotorch/atomicfile"
	"github.com/wangkuiyi/gotorch/disk"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/figures"
	"flowmatch/cmd/internal/terminal"
	"flowmatch/datasets"
	"flowmatch/viz"
)

// ours are the names of the pictures in samples/, and of such that a killed command
// left half written.
var ours = regexp.MustCompile(`^(\d{5,}(-class-\d+)?\.png|\.\d{5,}(-class-\d+)?\.png\.tmp-[0-9A-Z]+)$`)

// checkFolder refuses a folder of pictures that is not empty: older samples among the
// new ones would make every measure of them wrong.
func (f *flags) checkFolder(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case len(entries) > 0 && !f.force:
		return cli.Usagef("%s is not empty, and older samples among new ones make every measure of them wrong: --force removes those that sample wrote, --output-dir writes elsewhere", dir)
	}
	return nil
}

// emptyFolder removes what sample wrote before, and tells how many other files stay.
func emptyFolder(dir string) (others int, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !ours.MatchString(e.Name()) {
			others++
		} else if err := disk.Remove(filepath.Join(dir, e.Name())); err != nil {
			return others, err // it names the path
		}
	}
	return others, err
}

// writeFolder writes one PNG a sample, 00012-class-3.png.
func writeFolder(ctx context.Context, dir string, x []float32, labels []int64, in datasets.Info) error {
	if err := atomicfile.OutputFolder(dir); err != nil {
		return err
	}
	dim := in.Dim()
	for i := range len(x) / dim {
		if ctx.Err() != nil {
			return fmt.Errorf("stopped: %s holds %d of %s: %w", dir, i, terminal.Counted(len(x)/dim, "sample"), context.Cause(ctx))
		}
		one := viz.Pictures{Shape: [3]int(in.Shape), X: x[i*dim : (i+1)*dim]}
		img, err := viz.Picture(one, 0)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("%05d.png", i)
		if labels != nil {
			name = fmt.Sprintf("%05d-class-%d.png", i, labels[i])
		}
		if err := figures.WritePNG(filepath.Join(dir, name), img); err != nil {
			return err
		}
	}
	return nil
}
