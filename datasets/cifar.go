package datasets

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"flowmatch/datasets/internal/userfile"
	"flowmatch/datasets/set"
)

// CIFAR10 reads CIFAR-10's binary batches from dataDir/cifar-10-batches-bin.
func CIFAR10(dataDir string, split Split) (*Images, error) {
	return Open("cifar10", Options{DataDir: dataDir, Split: split})
}

// cifarSet is a set kept as the binary files of CIFAR-10 or CIFAR-100.
type cifarSet struct {
	folder      string // as the makers' archive unpacks it
	archive     string
	pythons     string   // the folder of the version for Python
	train, test []string // files
	images      int      // of an official file for training
	meta        string   // the file with the classes' names
	cifarRecord
	// borrowed is a folder where another set keeps its files, which are this one's if
	// their records are.
	borrowed *cifarSet
}

// cifarRecord is an image in a file: the labels, then the pixels [3,32,32].
type cifarRecord struct {
	name          string // of the sets with such records
	labels, label int    // how many bytes, and which of them is the class
	classes       int
}

const cifarPixels = 3 * 32 * 32

func (r cifarRecord) size() int64 { return int64(r.labels + cifarPixels) }

// files are those of a split.
func (s *cifarSet) files(split Split) []string {
	if split == Test {
		return s.test
	}
	return s.train
}

// open reads the files that are there. Missing ones are a warning as long as one is
// left: a part of the set trains too.
func (s *cifarSet) open(info Info, opts Options) (*Images, error) {
	if b := s.borrowed; b != nil && !s.anyThere(filepath.Join(opts.dataDir(), s.folder), opts.Split) && s.lent(opts) {
		borrowed := *s
		borrowed.folder, borrowed.train, borrowed.test, borrowed.borrowed = b.folder, b.train, b.test, nil
		im, err := borrowed.open(info, opts)
		if err == nil {
			im.Warnings = []string{fmt.Sprintf("%s: read from %s, whose records are its own", info.Name, filepath.Join(opts.dataDir(), b.folder))}
		}
		return im, err
	}
	dir := filepath.Join(opts.dataDir(), s.folder)
	batches := s.files(opts.Split)
	im := &Images{Info: info, Files: &Inventory{}}
	s.reserve(im, dir, batches)
	var missing []string
	for _, name := range batches {
		path := filepath.Join(dir, name)
		err := s.readBatch(path, im)
		switch {
		case userfile.Absent(err):
			missing = append(missing, name)
		case err != nil:
			remedy := remedyFor(err, fetchIt)
			if kin := (*kinError)(nil); errors.As(err, &kin) {
				remedy = kin.remedy
			}
			return nil, &FileError{Set: info.Name, File: path, Fault: userfile.PlainCause(err), Remedy: remedy, Err: err}
		}
	}
	if im.Len() == 0 {
		return nil, &FileError{Set: info.Name, File: filepath.Join(dir, batches[0]), Fault: "not found",
			Remedy: s.remedy(opts, dir), Err: fs.ErrNotExist}
	}
	if len(missing) > 0 {
		im.Warnings = append(im.Warnings, fmt.Sprintf("%s: %s lacks %s: %d images of %d; a download fetches the rest",
			info.Name, dir, strings.Join(missing, ", "), im.Len(), s.images*len(batches)))
	}
	names, err := readCIFARNames(filepath.Join(dir, s.meta), s.classes)
	switch {
	case err == nil:
		im.ClassNames = names
	case !userfile.Absent(err):
		im.Warnings = append(im.Warnings, fmt.Sprintf("%s: %s: %s; the usual class names are taken",
			info.Name, filepath.Join(dir, s.meta), userfile.PlainCause(err)))
	}
	return im, nil
}

// metas are the files with names of classes in the archive.
func (s *cifarSet) metas() []string {
	if s.labels == 2 {
		return []string{"fine_label_names.txt", "coarse_label_names.txt"}
	}
	return []string{s.meta}
}

// anyThere tells whether a folder has one of the set's files.
func (s *cifarSet) anyThere(dir string, split Split) bool {
	return slices.ContainsFunc(s.files(split), func(name string) bool { return userfile.Exists(filepath.Join(dir, name)) })
}

// lent tells whether the files where another set keeps its own have this one's records,
// by their sizes.
func (s *cifarSet) lent(opts Options) bool {
	found := false
	for _, name := range s.borrowed.files(opts.Split) {
		stat, err := os.Stat(filepath.Join(opts.dataDir(), s.borrowed.folder, name))
		if err != nil {
			continue
		}
		if !s.fits(stat.Size()) || s.borrowed.fits(stat.Size()) {
			return false
		}
		found = true
	}
	return found
}

// fits tells whether so many bytes are whole records.
func (r cifarRecord) fits(size int64) bool { return size > 0 && size%r.size() == 0 }

// reserve makes room for all batches at once, by what their sizes say.
func (s *cifarSet) reserve(im *Images, dir string, batches []string) {
	var n int64
	for _, name := range batches {
		if stat, err := os.Stat(filepath.Join(dir, name)); err == nil && stat.Size() <= idxLargest {
			n += stat.Size() / s.size()
		}
	}
	im.Pixels = make([]uint8, 0, n*cifarPixels)
	im.Labels = make([]uint8, 0, n)
}

// remedy looks for the files where people put them by mistake.
func (s *cifarSet) remedy(opts Options, dir string) Remedy {
	if userfile.Exists(filepath.Join(opts.dataDir(), s.files(opts.Split)[0])) {
		return lieLoose(opts, dir, s.folder)
	}
	if python := s.pythons; userfile.Exists(filepath.Join(opts.dataDir(), python)) {
		return Remedy(python + " holds Python's version: the binary version is needed; " + set.Fetch)
	}
	return Remedy(fmt.Sprintf(set.Fetch+", or unpack %s into %s, or point "+set.DataDir+" at the folder that holds %s/",
		s.archive, opts.dataDir(), s.folder))
}

// readBatch appends a file's images to im.
func (s *cifarSet) readBatch(path string, im *Images) error {
	f, size, err := userfile.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	hash := sha256.New()
	if err := s.parse(io.TeeReader(f, hash), size, im); err != nil {
		return err
	}
	im.Files.Add(filepath.Base(path), [sha256.Size]byte(hash.Sum(nil)))
	return nil
}

// parse appends the images of one batch of size bytes to im. After an error
// im is as it was.
//
// The format: records of a byte for the class, or of CIFAR-100 two, for the coarse and
// the fine class, and 3072 for the pixels, the red plane first, then green and blue,
// each row by row.
func (c cifarRecord) parse(r io.Reader, size int64, im *Images) error {
	in := bufio.NewReaderSize(r, 64<<10)
	if !c.fits(size) || size > idxLargest {
		start, _ := in.Peek(2)
		return c.wrongSize(size, start)
	}
	n := int(size / c.size())
	im.Pixels = slices.Grow(im.Pixels, n*cifarPixels)
	im.Labels = slices.Grow(im.Labels, n)
	pixels, labels := im.Pixels, im.Labels
	for i := range n {
		var both [2]byte
		if _, err := io.ReadFull(in, both[:c.labels]); err != nil {
			return cifarShort(i, n, err)
		}
		label := both[c.label]
		if int(label) >= c.classes {
			return fmt.Errorf("record %d of %d: class %d: they are 0 to %d; not a %s file, or damaged", i+1, n, label, c.classes-1, c.name)
		}
		at := len(pixels)
		pixels = pixels[:at+cifarPixels]
		if _, err := io.ReadFull(in, pixels[at:]); err != nil {
			return cifarShort(i, n, err)
		}
		labels = append(labels, label)
	}
	im.Pixels, im.Labels = pixels, labels
	return nil
}

// wrongSize words a size that no batch has.
func (c cifarRecord) wrongSize(size int64, start []byte) error {
	switch {
	case size == 0:
		return errors.New("0 bytes: empty")
	case bytes.HasPrefix(start, []byte("<")):
		return fmt.Errorf("not a %s file: it looks like a web page", c.name)
	case bytes.HasPrefix(start, []byte{0x1f, 0x8b}):
		return fmt.Errorf("not a %s file: it is gzipped", c.name)
	case size > idxLargest:
		return fmt.Errorf("%d bytes: too large for a batch", size)
	}
	for _, other := range []cifarRecord{cifar10Record, cifar100Record} {
		if other.name != c.name && other.fits(size) {
			return &kinError{fmt.Sprintf("%d bytes: whole records of %s, of %d bytes, and not of %s", size, other.name, other.size(), c.name),
				Remedy(fmt.Sprintf("take the set %s, which reads it where it lies", strings.ToLower(strings.ReplaceAll(other.name, "-", ""))))}
		}
	}
	return fmt.Errorf("%d bytes: not a multiple of %d: truncated", size, c.size())
}

// kinError is of a file that is whole, and another set's.
type kinError struct {
	fault  string
	remedy Remedy
}

func (e *kinError) Error() string { return e.fault }

// cifarShort words a file that became shorter while it was read.
func cifarShort(i, n int, err error) error {
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("ended in record %d of %d: it was changed while it was read", i+1, n)
	}
	return fmt.Errorf("record %d of %d: %w", i+1, n, err)
}

// readCIFARNames reads the n names of the classes, one a line.
func readCIFARNames(path string, n int) ([]string, error) {
	f, _, err := userfile.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	const longest = 4 << 10
	text, err := io.ReadAll(io.LimitReader(f, longest))
	if err != nil {
		return nil, err
	}
	names := strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' || r == '\r' })
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	names = slices.DeleteFunc(names, func(s string) bool { return s == "" })
	if len(names) != n {
		return nil, fmt.Errorf("%d class names of %d", len(names), n)
	}
	return names, nil
}
