package pth

import (
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
)

const chunk = 256 << 10

// source reads parts of a file whose bounds were checked against its size before.
type source struct{ r io.ReaderAt }

// full reads exactly len(b) bytes at offset.
func (s source) full(b []byte, offset int64) error {
	if len(b) == 0 {
		return nil
	}
	n, err := s.r.ReadAt(b, offset)
	switch {
	case n == len(b):
		return nil
	case err == nil || errors.Is(err, io.EOF):
		return damaged("the file ended at %d while it was read", offset+int64(n))
	}
	return fmt.Errorf("read %d bytes at %d: %w", len(b), offset, err)
}

// bytes reads length bytes at offset into new memory. Callers have compared length with the file's size.
func (s source) bytes(offset, length int64) ([]byte, error) {
	b := make([]byte, length)
	return b, s.full(b, offset)
}

// load reads a record into new memory and checks its CRC.
func (a *archive) load(r *record) ([]byte, error) {
	b, err := a.src.bytes(r.data, r.size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", show(r.name), err)
	}
	return b, r.checkCRC(crcOf(b))
}

func (r *record) checkCRC(got uint32) error {
	if got != r.crc {
		return damaged("%s: CRC-32 %08x, should be %08x", show(r.name), got, r.crc)
	}
	return nil
}

// pass goes over a record that nobody needs, for its CRC and, where sum is not nil, for the seal.
func (a *archive) pass(r *record, sum hash.Hash) error {
	buf := make([]byte, min(r.size, chunk))
	crc := crc32.NewIEEE()
	for at := int64(0); at < r.size; {
		b := buf[:min(int64(len(buf)), r.size-at)]
		if err := a.src.full(b, r.data+at); err != nil {
			return fmt.Errorf("%s: %w", show(r.name), err)
		}
		_, _ = crc.Write(b)
		if sum != nil {
			_, _ = sum.Write(b)
		}
		at += int64(len(b))
	}
	return r.checkCRC(crc.Sum32())
}
