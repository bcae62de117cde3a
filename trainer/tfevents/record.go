package tfevents

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// ErrDamaged is a record that is torn, or is not what was written.
var ErrDamaged = errors.New("tfevents: a damaged record")

// maxData is more than an event of scalars has; a length beyond it is damage.
const maxData = 64 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// masked is the CRC of data as records have it.
func masked(data []byte) uint32 {
	c := crc32.Checksum(data, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}

// AppendRecord frames data.
func AppendRecord(b, data []byte) []byte {
	var length [8]byte
	binary.LittleEndian.PutUint64(length[:], uint64(len(data)))
	b = append(b, length[:]...)
	b = binary.LittleEndian.AppendUint32(b, masked(length[:]))
	b = append(b, data...)
	return binary.LittleEndian.AppendUint32(b, masked(data))
}

// ReadRecord gives the data of the next record. At the end it is io.EOF, at a
// damaged record ErrDamaged, and nothing after that can be read.
func ReadRecord(r io.Reader) ([]byte, error) {
	var head [12]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, torn(err, io.EOF)
	}
	n := binary.LittleEndian.Uint64(head[:8])
	if binary.LittleEndian.Uint32(head[8:]) != masked(head[:8]) || n > maxData {
		return nil, ErrDamaged
	}
	data := make([]byte, n+4)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, torn(err, ErrDamaged)
	}
	data, crc := data[:n], data[n:]
	if binary.LittleEndian.Uint32(crc) != masked(data) {
		return nil, ErrDamaged
	}
	return data, nil
}

// torn says what the end of a file means; atEnd: where nothing was read.
func torn(err, atEnd error) error {
	switch err {
	case io.EOF:
		return atEnd
	case io.ErrUnexpectedEOF:
		return ErrDamaged
	}
	return fmt.Errorf("tfevents: %w", err)
}
