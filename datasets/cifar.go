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
)

// CIFAR10 reads CIFAR-10's binary batches from dataDir/cifar-10-batches-bin.
func CIFAR10(dataDir string, split Split) (*Images, error) {
	return Open("cifar10", Options{DataDir: dataDir, Split: split})
}

const (
	cifarFolder   = "cifar-10-batches-bin" // as the makers' archive unpacks it
	cifarMeta     = "batches.meta.txt"
	cifarPixels   = 3 * 32 * 32
	cifarRecord   = 1 + cifarPixels // the label, then the pixels [3,32,32]
	cifarPerBatch = 10000           // images of an official batch
)

var cifarClasses = []string{"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}

// cifarBatches are the files of a split.
func cifarBatches(split Split) []string {
	if split == Test {
		return []string{"test_batch.bin"}
	}
	return []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"}
}

// openCIFAR reads the batches that are there. Missing ones are a warning as long
// as one is left: a part of the set trains too.
func openCIFAR(info Info, opts Options) (*Images, error) {
	dir := filepath.Join(opts.dataDir(), cifarFolder)
	batches := cifarBatches(opts.Split)
	im := &Images{Info: info, Files: &Inventory{}}
	im.reserveCIFAR(dir, batches)
	var missing []string
	for _, name := range batches {
		path := filepath.Join(dir, name)
		err := readCIFARBatch(path, im)
		switch {
		case absent(err):
			missing = append(missing, name)
		case err != nil:
			return nil, &FileError{Set: info.Name, File: path, Fault: plainCause(err), Remedy: remedyFor(err, fetchIt), Err: err}
		}
	}
	if im.Len() == 0 {
		return nil, &FileError{Set: info.Name, File: filepath.Join(dir, batches[0]), Fault: "not found",
			Remedy: cifarRemedy(opts, dir), Err: fs.ErrNotExist}
	}
	if len(missing) > 0 {
		im.Warnings = append(im.Warnings, fmt.Sprintf("%s: %s lacks %s: %d images of %d; --download fetches the rest",
			info.Name, dir, strings.Join(missing, ", "), im.Len(), cifarPerBatch*len(batches)))
	}
	names, err := readCIFARNames(filepath.Join(dir, cifarMeta))
	switch {
	case err == nil:
		im.ClassNames = names
	case !absent(err):
		im.Warnings = append(im.Warnings, fmt.Sprintf("%s: %s: %s; the usual class names are taken",
			info.Name, filepath.Join(dir, cifarMeta), plainCause(err)))
	}
	return im, nil
}

// reserveCIFAR makes room for all batches at once, by what their sizes say.
func (im *Images) reserveCIFAR(dir string, batches []string) {
	var n int64
	for _, name := range batches {
		if stat, err := os.Stat(filepath.Join(dir, name)); err == nil && stat.Size() <= idxLargest {
			n += stat.Size() / cifarRecord
		}
	}
	im.Pixels = make([]uint8, 0, n*cifarPixels)
	im.Labels = make([]uint8, 0, n)
}

// cifarRemedy looks for the files where people put them by mistake.
func cifarRemedy(opts Options, dir string) string {
	switch {
	case exists(filepath.Join(opts.dataDir(), cifarBatches(opts.Split)[0])):
		return fmt.Sprintf("the files lie in %s itself: move them into %s, or point --data-dir at a folder that holds them as %s/",
			opts.dataDir(), dir, cifarFolder)
	case exists(filepath.Join(opts.dataDir(), "cifar-10-batches-py")):
		return "cifar-10-batches-py holds Python's version: the binary version is needed; run again with --download"
	}
	return fmt.Sprintf("run again with --download, or unpack %s into %s, or point --data-dir at the folder that holds %s/",
		cifarArchive, opts.dataDir(), cifarFolder)
}

// readCIFARBatch appends a file's images to im.
func readCIFARBatch(path string, im *Images) error {
	f, size, err := openRegular(path)
	if err != nil {
		return err
	}
	defer f.Close()
	hash := sha256.New()
	if err := parseCIFAR(io.TeeReader(f, hash), size, im); err != nil {
		return err
	}
	im.Files.add(filepath.Base(path), [sha256.Size]byte(hash.Sum(nil)))
	return nil
}

// parseCIFAR appends the images of one batch of size bytes to im. After an error
// im is as it was.
//
// The format: records of one byte for the class, 0..9, and 3072 for the pixels,
// the red plane first, then green and blue, each row by row.
func parseCIFAR(r io.Reader, size int64, im *Images) error {
	in := bufio.NewReaderSize(r, 64<<10)
	if size%cifarRecord != 0 || size <= 0 || size > idxLargest {
		start, _ := in.Peek(2)
		return cifarSize(size, start)
	}
	n := int(size / cifarRecord)
	im.Pixels = slices.Grow(im.Pixels, n*cifarPixels)
	im.Labels = slices.Grow(im.Labels, n)
	pixels, labels := im.Pixels, im.Labels
	for i := range n {
		label, err := in.ReadByte()
		if err != nil {
			return cifarShort(i, n, err)
		}
		if int(label) >= len(cifarClasses) {
			return fmt.Errorf("record %d of %d: class %d: they are 0 to %d; not a CIFAR-10 file, or damaged",
				i+1, n, label, len(cifarClasses)-1)
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

// cifarSize words a size that no batch has.
func cifarSize(size int64, start []byte) error {
	switch {
	case size == 0:
		return errors.New("0 bytes: empty")
	case bytes.HasPrefix(start, []byte("<")):
		return errors.New("not a CIFAR-10 file: it looks like a web page")
	case bytes.HasPrefix(start, []byte{0x1f, 0x8b}):
		return errors.New("not a CIFAR-10 file: it is gzipped")
	case size > idxLargest:
		return fmt.Errorf("%d bytes: too large for a batch", size)
	}
	return fmt.Errorf("%d bytes: not a multiple of %d: truncated", size, cifarRecord)
}

// cifarShort words a file that became shorter while it was read.
func cifarShort(i, n int, err error) error {
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("ended in record %d of %d: it was changed while it was read", i+1, n)
	}
	return fmt.Errorf("record %d of %d: %w", i+1, n, err)
}

// readCIFARNames reads the ten names of the classes, one a line.
func readCIFARNames(path string) ([]string, error) {
	f, _, err := openRegular(path)
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
	if len(names) != len(cifarClasses) {
		return nil, fmt.Errorf("%d class names of %d", len(names), len(cifarClasses))
	}
	return names, nil
}
