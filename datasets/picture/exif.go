package picture

import (
	"bytes"
	"encoding/binary"
)

// exifLargest is how much of an EXIF block is looked at: a JPEG has no larger ones, and
// its first directory comes first.
const exifLargest = 64 << 10

// exifOrientation finds the orientation in an EXIF block: a TIFF file of which only the
// first directory is read. What is not as it should be is upright.
//
// The format: II or MM for the order of bytes, 42, the directory's place; there the
// number of entries, each of 12 bytes: tag, type, count, and the value if it fits in 4.
func exifOrientation(block []byte) Orientation {
	if len(block) < 8 {
		return upright
	}
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(block, []byte("II*\x00")):
		order = binary.LittleEndian
	case bytes.HasPrefix(block, []byte("MM\x00*")):
		order = binary.BigEndian
	default:
		return upright
	}
	at := int64(order.Uint32(block[4:]))
	if at < 8 || at+2 > int64(len(block)) {
		return upright
	}
	entries := block[at+2:]
	for range order.Uint16(block[at:]) {
		if len(entries) < 12 {
			break
		}
		const tagOrientation = 0x0112
		if order.Uint16(entries) == tagOrientation && order.Uint32(entries[4:]) == 1 {
			return exifNumber(order, order.Uint16(entries[2:]), entries[8:12]).known()
		}
		entries = entries[12:]
	}
	return upright
}

// exifNumber is a small number of one of TIFF's types; 0 for other types and large ones.
func exifNumber(order binary.ByteOrder, kind uint16, value []byte) Orientation {
	var n uint32
	switch kind {
	case 1: // BYTE
		n = uint32(value[0])
	case 3: // SHORT
		n = uint32(order.Uint16(value))
	case 4: // LONG
		n = order.Uint32(value)
	}
	if n > 8 {
		return 0
	}
	return Orientation(n)
}
