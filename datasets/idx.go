package datasets

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"flowmatch/datasets/internal/userfile"
	"flowmatch/datasets/set"
)

// MNIST reads MNIST's images and labels from dataDir/mnist.
func MNIST(dataDir string, split Split) (*Images, error) {
	return Open("mnist", Options{DataDir: dataDir, Split: split})
}

// idxSet is a set kept as IDX files: MNIST and those made after it.
type idxSet struct {
	places []idxPlace // where its files may lie, tried in this order
	first  uint8      // the label of its first class
	// lying says that the pictures are stored by columns: they lie on their sides,
	// mirrored.
	lying bool
	// standing says that the pictures are writing that stands upright: where it lies, they
	// are another set's.
	standing bool
	// fetched says that Download knows its files.
	fetched bool
}

// idxPlace is a folder below the data folder, and the files' names in it.
type idxPlace struct {
	folder string
	idxNames
	// borrowed: other sets keep their files there, so that they are this one's only if
	// their labels are its own.
	borrowed bool
}

// idxNames are the names of a set's files.
type idxNames struct{ train, test idxPair }

// idxPair are the files of one split.
type idxPair struct{ images, labels string }

func (n idxNames) of(split Split) idxPair {
	if split == Test {
		return n.test
	}
	return n.train
}

// mnistNames are those that most sets of this kind have.
var mnistNames = idxNames{
	idxPair{"train-images-idx3-ubyte", "train-labels-idx1-ubyte"},
	idxPair{"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"},
}

// spellings are the names under which a file is found in the world: with a dot as some
// archives unpack it, gzipped or not.
func spellings(name string) []string {
	dotted := strings.Replace(name, "-idx", ".idx", 1)
	return []string{name, name + ".gz", dotted, dotted + ".gz"}
}

// open reads the set from the first place that has its images.
func (s idxSet) open(info Info, opts Options) (*Images, error) {
	for _, place := range s.places {
		dir := filepath.Join(opts.dataDir(), place.folder)
		pair := place.of(opts.Split)
		path, err := present(dir, pair.images)
		if err != nil || path == "" || place.borrowed && !s.lendsItself(info, dir, pair) {
			continue
		}
		im, err := s.openPair(info, dir, pair, opts)
		if err == nil && place.borrowed {
			im.Warnings = append(im.Warnings, fmt.Sprintf("%s: read from %s, whose labels are its own", info.Name, dir))
		}
		return im, err
	}
	return nil, s.absent(info, opts)
}

// openPair reads the two files of a split.
func (s idxSet) openPair(info Info, dir string, pair idxPair, opts Options) (*Images, error) {
	files := &Inventory{}
	imagesPath, images, err := s.readPart(info.Name, dir, pair.images, info.Shape[1:], files)
	if err != nil {
		return nil, err
	}
	labelsPath, labels, err := s.readPart(info.Name, dir, pair.labels, nil, files)
	if err != nil {
		return nil, err
	}
	im := &Images{Info: info, Pixels: images, Labels: labels, Files: files}
	if im.Len() != len(labels) {
		return nil, &FileError{Set: info.Name, File: labelsPath,
			Fault:  fmt.Sprintf("%d labels for the %d images of %s", len(labels), im.Len(), filepath.Base(imagesPath)),
			Remedy: "take both files from the same source"}
	}
	if other := otherIDX(info, s.first, labels); other != "" {
		return nil, &FileError{Set: info.Name, File: labelsPath,
			Fault:  fmt.Sprintf("its labels run from %d to %d, those of %s from %d to %d", slices.Min(labels), slices.Max(labels), info.Name, s.first, int(s.first)+info.Classes()-1),
			Remedy: other}
	}
	for i := range labels {
		labels[i] -= s.first
	}
	switch {
	case s.lying && pair == mnistNames.of(opts.Split) && im.alreadyUpright():
		im.Warnings = append(im.Warnings, fmt.Sprintf("%s: the pictures in %s stand upright already, where its makers store them by columns: they are taken as they are", info.Name, dir))
	case s.lying:
		im.transpose()
	}
	if fault := im.check(); fault != "" {
		return nil, &FileError{Set: info.Name, File: labelsPath, Fault: fault, Remedy: s.again()}
	}
	im.warnOfBrightness()
	if s.standing {
		im.warnOfLying()
	}
	return im, nil
}

// lendsItself tells whether labels that lie where another set keeps its own are this
// one's.
func (s idxSet) lendsItself(info Info, dir string, pair idxPair) bool {
	_, labels, err := s.readPart(info.Name, dir, pair.labels, nil, &Inventory{})
	return err == nil && setOfLabels(labels) == info.Name
}

const fetchIt = "move it away and " + set.Fetch + ", or " + userfile.ReplaceIt

// again is what to do about a file that is damaged.
func (s idxSet) again() Remedy {
	if s.fetched {
		return fetchIt
	}
	return userfile.ReplaceIt
}

// remedyFor is what to do about a file that cannot be used.
func remedyFor(err error, remedy Remedy) Remedy {
	if errors.Is(err, fs.ErrPermission) {
		return "make it readable"
	}
	return remedy
}

// readPart finds and reads one file, and notes it among the files. Its items must have
// the shape given; nil: it holds labels.
func (s idxSet) readPart(set, dir, name string, item []int, files *Inventory) (path string, data []byte, err error) {
	path, err = present(dir, name)
	if err == nil && path == "" {
		err = fs.ErrNotExist
		return path, nil, &FileError{Set: set, File: filepath.Join(dir, name), Fault: "not found", Remedy: "it belongs beside the images", Err: err}
	}
	var f *os.File
	var size int64
	if err == nil {
		f, size, err = userfile.Open(path)
	}
	if err != nil {
		return path, nil, &FileError{Set: set, File: path, Fault: userfile.PlainCause(err), Remedy: remedyFor(err, s.again()), Err: err}
	}
	defer f.Close()
	var sum [sha256.Size]byte
	if data, sum, err = parseIDX(f, size, partOf(name), item); err != nil {
		return path, nil, &FileError{Set: set, File: path, Fault: userfile.PlainCause(err), Remedy: s.again(), Err: err}
	}
	files.Add(name, sum)
	return path, data, nil
}

// present is the first spelling of a file that is there, "" if none is.
func present(dir, name string) (string, error) {
	for _, n := range spellings(name) {
		path := filepath.Join(dir, n)
		if _, err := os.Stat(path); !userfile.Absent(err) {
			return path, err
		}
	}
	return "", nil
}

// absent says where the files should be.
func (s idxSet) absent(info Info, opts Options) error {
	place := s.places[0]
	dir, pair := filepath.Join(opts.dataDir(), place.folder), place.of(opts.Split)
	remedy := Remedy(fmt.Sprintf("put %s and %s (or the same with .gz) into %s, or point "+set.DataDir+" at the folder that holds %s/", pair.images, pair.labels, dir, place.folder))
	if s.fetched {
		remedy = set.Fetch + ", or " + remedy
	}
	if loose, err := present(opts.dataDir(), pair.images); err == nil && loose != "" {
		remedy = lieLoose(opts, dir, place.folder)
	}
	return &FileError{Set: info.Name, File: filepath.Join(dir, pair.images), Fault: "not found", Remedy: remedy, Err: fs.ErrNotExist}
}

// lieLoose is what to do about a set's files that lie in the data folder itself.
func lieLoose(opts Options, dir, folder string) Remedy {
	return Remedy(fmt.Sprintf("the files lie in %s itself: move them into %s, or point "+set.DataDir+" at a folder that holds them as %s/", opts.dataDir(), dir, folder))
}

// transpose exchanges rows and columns of every plane, in place.
func (im *Images) transpose() {
	n := im.Shape[1] // height and width are the same
	for plane := range slices.Chunk(im.Pixels, n*n) {
		for y := range n {
			for x := range y {
				plane[y*n+x], plane[x*n+y] = plane[x*n+y], plane[y*n+x]
			}
		}
	}
}
