package picture

import (
	"encoding/binary"
	"fmt"
	"image"
	"io"

	"golang.org/x/image/tiff"
)

func tiffConfig(r io.ReadSeeker) (image.Config, error) { return tiff.DecodeConfig(anywhere(r)) }

func decodeTIFF(r io.ReadSeeker) (image.Image, error) {
	if parts := readTIFF(r).packedParts(); parts > mostTIFFParts {
		return nil, fmt.Errorf("tiff: cut into %d packed parts, of which at most %d are read", parts, mostTIFFParts)
	}
	img, err := tiff.Decode(anywhere(r))
	if grey, ok := img.(*image.Gray); ok && readTIFF(r).negative() {
		for i, v := range grey.Pix {
			grey.Pix[i] = 255 - v
		}
	}
	return img, err
}

// readerAnywhere reads a file from any place on, which a TIFF's decoder needs.
type readerAnywhere interface {
	io.Reader
	io.ReaderAt
}

func anywhere(r io.ReadSeeker) readerAnywhere {
	if at, ok := r.(readerAnywhere); ok {
		return at
	}
	return seeker{r}
}

// seeker is not for two goroutines at a time.
type seeker struct{ io.ReadSeeker }

func (s seeker) ReadAt(p []byte, at int64) (int, error) {
	if _, err := s.Seek(at, io.SeekStart); err != nil {
		return 0, err
	}
	n, err := io.ReadFull(s, p)
	if err == io.ErrUnexpectedEOF {
		err = io.EOF
	}
	return n, err
}

// tiffDirectory is the first picture's, as far as it could be read.
type tiffDirectory struct {
	order   binary.ByteOrder
	entries []byte // 12 bytes each, see exifOrientation
	more    bool   // another picture's follows
}

// mostTIFFEntries is more than any directory has that is read.
const mostTIFFEntries = 1 << 10

func readTIFF(r io.ReadSeeker) (d tiffDirectory) {
	in := anywhere(r)
	d.order = binary.LittleEndian
	var head [8]byte
	if _, err := in.ReadAt(head[:], 0); err != nil {
		return d
	}
	if head[0] == 'M' {
		d.order = binary.BigEndian
	}
	at := int64(d.order.Uint32(head[4:]))
	var count [2]byte
	if _, err := in.ReadAt(count[:], at); err != nil || d.order.Uint16(count[:]) > mostTIFFEntries {
		return d
	}
	entries := make([]byte, 12*int(d.order.Uint16(count[:])))
	if _, err := in.ReadAt(entries, at+2); err != nil {
		return d
	}
	d.entries = entries
	var next [4]byte
	if _, err := in.ReadAt(next[:], at+2+int64(len(entries))); err == nil {
		d.more = d.order.Uint32(next[:]) != 0
	}
	return d
}

// find gives the entry of a tag, nil where there is none.
func (d tiffDirectory) find(tag uint16) []byte {
	for e := d.entries; len(e) > 0; e = e[12:] {
		if d.order.Uint16(e) == tag {
			return e[:12]
		}
	}
	return nil
}

// mostTIFFParts bounds the parts that a picture is packed in: each costs the decoder a table of
// 40 KiB. There may be one a row.
const mostTIFFParts = 1 << 13

// packedParts is how many parts the picture is packed in, 0 where it is not packed.
func (d tiffDirectory) packedParts() (n uint32) {
	const tagCompression, tagStrips, tagTiles, none = 259, 273, 324, 1
	if e := d.find(tagCompression); e == nil || d.order.Uint16(e[8:]) <= none {
		return 0
	}
	for _, tag := range []uint16{tagStrips, tagTiles} {
		if e := d.find(tag); e != nil {
			n = max(n, d.order.Uint32(e[4:]))
		}
	}
	return n
}

// negative tells pictures that the decoder gives with black for white: of two colours, packed
// as a facsimile, where black is the 0. A facsimile's black is the 1 whatever that means, in
// libtiff and in what it writes.
func (d tiffDirectory) negative() bool {
	const tagCompression, tagPhotometric, group3, group4, blackIsZero = 259, 262, 3, 4, 1
	compression, photometric := d.find(tagCompression), d.find(tagPhotometric)
	if compression == nil || photometric == nil {
		return false
	}
	c := d.order.Uint16(compression[8:])
	return (c == group3 || c == group4) && d.order.Uint16(photometric[8:]) == blackIsZero
}

func tiffMeta(r io.ReadSeeker) meta {
	d := readTIFF(r)
	m := meta{stored: upright, more: d.more}
	const tagProfile, tagOrientation = 34675, 0x0112
	if e := d.find(tagProfile); e != nil {
		profile := make([]byte, min(d.order.Uint32(e[4:]), profileLargest))
		n, _ := anywhere(r).ReadAt(profile, int64(d.order.Uint32(e[8:])))
		m.profile = !isSRGB(profile[:n])
	}
	if e := d.find(tagOrientation); e != nil {
		m.stored = exifNumber(d.order, d.order.Uint16(e[2:]), e[8:12]).known()
	}
	return m
}
