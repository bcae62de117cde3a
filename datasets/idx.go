package datasets

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// MNIST reads MNIST's images and labels from dataDir/mnist.
func MNIST(dataDir string, split Split) (*Images, error) {
	return Open("mnist", Options{DataDir: dataDir, Split: split})
}

// idxPart is one of the two files that make up a split.
type idxPart struct {
	what string // "images"
	rank int    // dimensions in the header: 3 for images, 1 for labels
}

var (
	idxImages = idxPart{"images", 3}
	idxLabels = idxPart{"labels", 1}
)

// fileName is the name under which the set's makers publish the part.
func (p idxPart) fileName(split Split) string {
	prefix := "train"
	if split == Test {
		prefix = "t10k"
	}
	return fmt.Sprintf("%s-%s-idx%d-ubyte", prefix, p.what, p.rank)
}

// spellings are the names under which the part is found in the world: with a dot
// as some archives unpack it, gzipped or not.
func (p idxPart) spellings(split Split) []string {
	name := p.fileName(split)
	dotted := strings.Replace(name, "-idx", ".idx", 1)
	return []string{name, name + ".gz", dotted, dotted + ".gz"}
}

func (p idxPart) magic() uint32 { return 0x0800 | uint32(p.rank) }

// openIDX reads a set kept as IDX files in a folder of the set's name.
func openIDX(info Info, opts Options) (*Images, error) {
	h, w := info.Shape[1], info.Shape[2]
	files := &Inventory{}
	imagesPath, images, err := readIDXPart(info.Name, opts, idxImages, []int{h, w}, files)
	if err != nil {
		return nil, err
	}
	labelsPath, labels, err := readIDXPart(info.Name, opts, idxLabels, nil, files)
	if err != nil {
		return nil, err
	}
	im := &Images{Info: info, Pixels: images, Labels: labels, Files: files}
	if im.Len() != len(labels) {
		return nil, &FileError{Set: info.Name, File: labelsPath,
			Fault:  fmt.Sprintf("%d labels for the %d images of %s", len(labels), im.Len(), filepath.Base(imagesPath)),
			Remedy: "take both files from the same source"}
	}
	if fault := im.check(); fault != "" {
		return nil, &FileError{Set: info.Name, File: labelsPath, Fault: fault, Remedy: fetchAgain}
	}
	return im, nil
}

const (
	replaceIt  = "replace it with an intact copy"
	fetchAgain = "delete it and run again with --download, or " + replaceIt
)

// remedyFor is what to do about a file that cannot be used.
func remedyFor(err error) string {
	if errors.Is(err, fs.ErrPermission) {
		return "make it readable"
	}
	return fetchAgain
}

// readIDXPart finds and reads one part, and notes it among the files. Its items must
// have the shape given.
func readIDXPart(set string, opts Options, part idxPart, item []int, files *Inventory) (path string, data []byte, err error) {
	path, f, size, err := openIDXPart(set, opts, part)
	if err != nil {
		return path, nil, err
	}
	defer f.Close()
	data, sum, err := parseIDX(f, size, part, item)
	if err != nil {
		return path, nil, &FileError{Set: set, File: path, Fault: plainCause(err), Remedy: fetchAgain, Err: err}
	}
	files.add(part.fileName(opts.Split), sum)
	return path, data, nil
}

// openIDXPart opens the first spelling that is there.
func openIDXPart(set string, opts Options, part idxPart) (string, *os.File, int64, error) {
	dir := filepath.Join(opts.dataDir(), set)
	for _, name := range part.spellings(opts.Split) {
		path := filepath.Join(dir, name)
		f, size, err := openRegular(path)
		if err == nil {
			return path, f, size, nil
		}
		if !absent(err) {
			return path, nil, 0, &FileError{Set: set, File: path, Fault: plainCause(err), Remedy: remedyFor(err), Err: err}
		}
	}
	images, labels := idxImages.fileName(opts.Split), idxLabels.fileName(opts.Split)
	remedy := fmt.Sprintf("run again with --download, or put %s and %s (or the same with .gz) into %s, or point --data-dir at the folder that holds %s/",
		images, labels, dir, set)
	for _, name := range part.spellings(opts.Split) {
		if exists(filepath.Join(opts.dataDir(), name)) {
			remedy = fmt.Sprintf("the files lie in %s itself: move them into %s, or point --data-dir at a folder that holds them as %s/",
				opts.dataDir(), dir, set)
			break
		}
	}
	path := filepath.Join(dir, part.fileName(opts.Split))
	return path, nil, 0, &FileError{Set: set, File: path, Fault: "not found", Remedy: remedy, Err: fs.ErrNotExist}
}

// plainCause is the cause without the path, which the FileError already names.
func plainCause(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}
