package safetensors

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/wangkuiyi/gotorch/disk"
	"github.com/wangkuiyi/gotorch/weights"
)

// ErrNotSafetensors means another kind of file.
var ErrNotSafetensors = errors.New("not a .safetensors file")

// Reader reads files with limits. Each field's zero value means the default.
type Reader struct {
	MaxHeader  int64 // bytes of the header: 16 MiB
	MaxTensors int   // 100,000
}

// Read reads the file at path.
func Read(path string) (*weights.File, error) { return Reader{}.Read(path) }

// ReadFrom is [Read] from size bytes that r has.
func ReadFrom(r io.ReaderAt, size int64) (*weights.File, error) { return Reader{}.ReadFrom(r, size) }

// Read is the function [Read] with the reader's limits.
func (r Reader) Read(path string) (*weights.File, error) {
	f, size, err := disk.Open(path)
	if err != nil {
		return nil, err // names operation and path
	}
	defer func() { _ = f.Close() }() // it was only read
	file, err := r.ReadFrom(f, size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return file, nil
}

// ReadFrom is the function [ReadFrom] with the reader's limits.
func (r Reader) ReadFrom(f io.ReaderAt, size int64) (*weights.File, error) {
	if r.MaxHeader <= 0 {
		r.MaxHeader = 16 << 20
	}
	if r.MaxTensors <= 0 {
		r.MaxTensors = 100_000
	}
	header, err := readHeader(f, size, r.MaxHeader)
	if err != nil {
		return nil, err
	}
	start := 8 + int64(len(header))
	entries, metadata, err := parse(header, size-start, r.MaxTensors)
	if err != nil {
		return nil, err
	}
	own, err := openSeal(metadata, entries, header)
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	for _, e := range inFile(entries) {
		e.tensor.Data = make([]byte, e.end-e.begin)
		if err := full(f, e.tensor.Data, start+e.begin); err != nil {
			return nil, fmt.Errorf("%.80q: %w", e.name, err)
		}
		if err := e.tensor.Check(); err != nil {
			return nil, damaged("%.80q: %w", e.name, err)
		}
		if own != nil {
			_, _ = sum.Write(e.tensor.Data)
		}
	}
	file := &weights.File{Tensors: new(weights.Dict)}
	if own != nil {
		if got := sum.Sum(nil); !bytes.Equal(got, own.data) {
			return nil, damaged("SHA-256 of the data is %x, should be %x", got, own.data)
		}
		file.Record = own.record
	}
	for _, e := range entries {
		file.Tensors.Set(e.name, e.tensor)
	}
	return file, nil
}

func readHeader(f io.ReaderAt, size, limit int64) ([]byte, error) {
	var first [9]byte
	if size == 0 {
		return nil, damaged("the file is empty")
	}
	if err := full(f, first[:min(size, 9)], 0); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint64(first[:])
	switch {
	case bytes.HasPrefix(first[:], []byte("PK\x03\x04")):
		return nil, fmt.Errorf("%w: a ZIP file, perhaps PyTorch's; give it the ending .pth", ErrNotSafetensors)
	case size < 10:
		return nil, damaged("%d bytes are too few", size)
	case first[8] != '{':
		return nil, fmt.Errorf("%w: no header at byte 8", ErrNotSafetensors)
	case n > uint64(size-8):
		return nil, damaged("a header of %d bytes in a file of %d: cut off", n, size)
	case n > uint64(limit):
		return nil, fmt.Errorf("%w: a header of %d bytes, at most %d", weights.ErrLimit, n, limit)
	}
	header := make([]byte, n)
	return header, full(f, header, 8)
}

// full reads exactly len(b) bytes at offset.
func full(f io.ReaderAt, b []byte, offset int64) error {
	n, err := f.ReadAt(b, offset)
	switch {
	case n == len(b):
		return nil
	case err == nil || errors.Is(err, io.EOF):
		return damaged("the file ended at %d while it was read", offset+int64(n))
	}
	return fmt.Errorf("read %d bytes at %d: %w", len(b), offset, err)
}
