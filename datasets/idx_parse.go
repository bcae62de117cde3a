package datasets

import (
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// What a gzipped file may unfold to: a fixed part, and so many times its own size.
// Pictures shrink to a fifth; blank ones, as tests make them, fit the fixed part.
// A header that claims more is taken for damage before anything is allocated.
const (
	unzipFixed = 48 << 20
	unzipTimes = 32
	idxLargest = 8 << 30 // bytes of one file, whatever it claims
)

// idxPart is what a file holds: the kind of its numbers and how they are arranged.
type idxPart struct {
	what string // "images"
	kind byte   // 0x08 for bytes, 0x0c for numbers of 32 bits
	rank int    // dimensions in the header: 3 for images, 1 for labels
}

var (
	idxImages = idxPart{"images", 0x08, 3}
	idxLabels = idxPart{"labels", 0x08, 1}
	idxRows   = idxPart{"labels", 0x0c, 2} // a row of numbers each, of which the first is the class
)

// partOf tells what a file of that name holds.
func partOf(name string) idxPart {
	switch {
	case strings.HasSuffix(name, "-idx2-int"):
		return idxRows
	case strings.HasSuffix(name, "-idx1-ubyte"):
		return idxLabels
	}
	return idxImages
}

func (p idxPart) magic() uint32 { return uint32(p.kind)<<8 | uint32(p.rank) }

// mostInRow is how many numbers a row of labels has at most; QMNIST's have 8.
const mostInRow = 64

// parseIDX reads one IDX file of size bytes, gzipped or not (told by its first
// bytes, since browsers unzip files and keep their names). Each of its items must
// have the given shape. The result is [N, item...], and SHA-256 of the unpacked file.
//
// The format: two zero bytes, the kind of numbers, the number of dimensions; each
// dimension as a big-endian 32-bit number; then the numbers, big-endian too.
func parseIDX(r io.Reader, size int64, part idxPart, item []int) (data []byte, sum [sha256.Size]byte, err error) {
	if size == 0 {
		return nil, sum, errors.New("0 bytes: empty")
	}
	var (
		in     = bufio.NewReaderSize(r, 64<<10)
		src    = io.Reader(in)
		zipped bool
	)
	if start, _ := in.Peek(2); len(start) == 2 && start[0] == 0x1f && start[1] == 0x8b {
		zr, err := gzip.NewReader(in)
		if err != nil {
			return nil, sum, fmt.Errorf("damaged gzip file: %w", err)
		}
		src, zipped = zr, true
	}

	hash := sha256.New()
	src = io.TeeReader(src, hash)
	header := make([]byte, 4+4*part.rank)
	n, err := io.ReadFull(src, header)
	if n < 4 && err != nil {
		return nil, sum, idxShort(n, 0, err)
	}
	if err := checkIDXMagic(header[:4], part); err != nil {
		return nil, sum, err
	}
	if err != nil {
		return nil, sum, idxShort(n, 0, err)
	}
	count := int64(binary.BigEndian.Uint32(header[4:]))
	each := int64(1)
	if part == idxRows {
		row := int64(binary.BigEndian.Uint32(header[8:]))
		if row < 1 || row > mostInRow {
			return nil, sum, fmt.Errorf("rows of %d numbers: QMNIST's have 8", row)
		}
		each = 4 * row
	}
	for i, want := range item {
		if got := binary.BigEndian.Uint32(header[8+4*i:]); int64(got) != int64(want) {
			return nil, sum, fmt.Errorf("%s of %dx%d, not %dx%d", part.what, binary.BigEndian.Uint32(header[8:]),
				binary.BigEndian.Uint32(header[12:]), item[0], item[1])
		}
		each *= int64(want)
	}
	if count == 0 {
		return nil, sum, fmt.Errorf("its header says that it holds no %s", part.what)
	}

	// Every length is checked before the one allocation below: a plain file
	// against the file's own size, a gzipped one against what it could hold.
	body, whole := count*each, count*each+int64(len(header))
	switch {
	case !zipped && size < whole:
		return nil, sum, fmt.Errorf("%d bytes of %d: truncated", size, whole)
	case !zipped && size > whole:
		return nil, sum, fmt.Errorf("%d bytes of %d: longer than its header says", size, whole)
	case whole > idxLargest || zipped && whole > unzipFixed+unzipTimes*size:
		return nil, sum, fmt.Errorf("its header claims %d bytes, which %d cannot hold: damaged", whole, size)
	}
	data = make([]byte, body)
	if n, err := io.ReadFull(src, data); err != nil {
		return nil, sum, idxShort(len(header)+n, whole, err)
	}
	// One byte more must be the end; reaching it makes gzip check its sum.
	switch n, err := io.ReadFull(src, header[:1]); {
	case n > 0:
		return nil, sum, fmt.Errorf("more than %d bytes: longer than its header says", whole)
	case err != io.EOF:
		return nil, sum, fmt.Errorf("damaged gzip file: %w", err)
	}
	if part == idxRows {
		if data, err = firstOfRows(data, int(each)); err != nil {
			return nil, sum, err
		}
	}
	return data, [sha256.Size]byte(hash.Sum(nil)), nil
}

// firstOfRows are the first numbers of rows of so many bytes, in place.
func firstOfRows(data []byte, row int) ([]byte, error) {
	n := len(data) / row
	for i := range n {
		v := binary.BigEndian.Uint32(data[i*row:])
		if v > 255 {
			return nil, fmt.Errorf("label %d of image %d: there are no such classes", int32(v), i)
		}
		data[i] = byte(v)
	}
	return data[:n:n], nil
}

// idxShort words a file that ended, or broke, after so many bytes. A whole of 0
// means that not even the header was there.
func idxShort(got int, whole int64, err error) error {
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		if whole == 0 {
			return fmt.Errorf("%d bytes: truncated within its header", got)
		}
		return fmt.Errorf("%d bytes of %d: truncated", got, whole)
	}
	return fmt.Errorf("damaged after %d bytes: %w", got, err)
}

func checkIDXMagic(start []byte, part idxPart) error {
	magic := binary.BigEndian.Uint32(start)
	switch {
	case magic == part.magic():
		return nil
	case magic == idxImages.magic():
		return fmt.Errorf("it holds images (magic 0x%08x), not %s (0x%08x)", magic, part.what, part.magic())
	case magic == idxLabels.magic():
		return fmt.Errorf("it holds labels (magic 0x%08x), not %s (0x%08x)", magic, part.what, part.magic())
	case start[0] == '<':
		return errors.New("not an IDX file: it looks like a web page")
	}
	return fmt.Errorf("not an IDX file of %s: magic 0x%08x, not 0x%08x", part.what, magic, part.magic())
}
