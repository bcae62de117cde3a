package pth_test

import (
	"encoding/binary"
	"hash/crc32"
	"strings"
)

// zipFile is a ZIP file with every field open to change; files() fills in what is true. By default it is written as
// torch.save does: sizes and CRC only in a descriptor and in the directory, ZIP64 end records.
type zipFile struct {
	entries []*zipEntry
	prefix  string // before everything
	suffix  string // after everything
	before  string // between the last record and the directory
	comment string
	noEnd64 bool

	// Added to the end records' true values.
	count, here, size, offset                  int
	count64, here64, size64, offset64, locator int
	disk, disk64, disks                        int
	cut                                        int // bytes less at the end
	end64Length                                int
	centralSuffix                              string
	headerOffset                               func(i int, offset uint32) uint32
}

type zipEntry struct {
	name, data     string
	local, central zipHeader
	descriptor     string // after the data; "true" is replaced by the right one
	skip           bool   // no local part, only in the directory
	hidden         bool   // only the local part
}

type zipHeader struct {
	name, extra, comment string
	magic, crc           uint32
	flags, method, disk  uint16
	stored, size         uint32
}

const (
	dataPickle = "archive/data.pkl"
	storage0   = "archive/data/0"
)

// files makes a ZIP file of names and contents.
func files(pairs ...string) *zipFile {
	z := new(zipFile)
	for i := 0; i < len(pairs); i += 2 {
		z.add(pairs[i], pairs[i+1])
	}
	return z
}

func (z *zipFile) add(name, data string) *zipEntry {
	crc, n := crc32.ChecksumIEEE([]byte(data)), uint32(len(data))
	e := &zipEntry{name: name, data: data, descriptor: "true",
		local:   zipHeader{name: name, magic: 0x04034b50, flags: 0x808},
		central: zipHeader{name: name, magic: 0x02014b50, flags: 0x808, crc: crc, stored: n, size: n}}
	z.entries = append(z.entries, e)
	return e
}

func (z *zipFile) entry(name string) *zipEntry {
	for _, e := range z.entries {
		if e.name == name {
			return e
		}
	}
	panic(name)
}

// plain makes an entry with its CRC and sizes in the local header and no descriptor.
func (e *zipEntry) plain() {
	e.local.crc, e.local.stored, e.local.size = e.central.crc, e.central.stored, e.central.size
	e.local.flags, e.central.flags, e.descriptor = 0, 0, ""
}

var bo = binary.LittleEndian

func (h *zipHeader) common(b []byte) []byte {
	b = bo.AppendUint16(b, h.flags)
	b = bo.AppendUint16(b, h.method)
	b = bo.AppendUint32(b, 0) // time and date
	b = bo.AppendUint32(b, h.crc)
	b = bo.AppendUint32(b, h.stored)
	b = bo.AppendUint32(b, h.size)
	b = bo.AppendUint16(b, uint16(len(h.name)))
	return bo.AppendUint16(b, uint16(len(h.extra)))
}

func (z *zipFile) bytes() []byte {
	b := []byte(z.prefix)
	offsets := make([]uint32, len(z.entries))
	for i, e := range z.entries {
		offsets[i] = uint32(len(b))
		if e.skip {
			continue
		}
		b = bo.AppendUint32(b, e.local.magic)
		b = bo.AppendUint16(b, 0)
		b = e.local.common(b)
		b = append(b, e.local.name+e.local.extra+e.data...)
		if e.descriptor == "true" {
			b = bo.AppendUint32(b, 0x08074b50)
			b = bo.AppendUint32(b, e.central.crc)
			b = bo.AppendUint32(b, e.central.stored)
			b = bo.AppendUint32(b, e.central.size)
		} else {
			b = append(b, e.descriptor...)
		}
	}
	b = append(b, z.before...)
	start := len(b)
	count := 0
	for i, e := range z.entries {
		if e.hidden {
			continue
		}
		count++
		h := &e.central
		b = bo.AppendUint32(b, h.magic)
		b = bo.AppendUint32(b, 0) // versions
		b = h.common(b)
		b = bo.AppendUint16(b, uint16(len(h.comment)))
		b = bo.AppendUint16(b, h.disk)
		b = append(b, make([]byte, 6)...) // attributes
		at := offsets[i]
		if z.headerOffset != nil {
			at = z.headerOffset(i, at)
		}
		b = bo.AppendUint32(b, at)
		b = append(b, h.name+h.extra+h.comment...)
	}
	b = append(b, z.centralSuffix...)
	size := len(b) - start
	at64 := len(b)
	if !z.noEnd64 {
		b = bo.AppendUint32(b, 0x06064b50)
		b = bo.AppendUint64(b, uint64(44+z.end64Length))
		b = bo.AppendUint32(b, 0) // versions
		b = bo.AppendUint32(b, uint32(z.disk64))
		b = bo.AppendUint32(b, uint32(z.disk64))
		b = bo.AppendUint64(b, uint64(count+z.here64))
		b = bo.AppendUint64(b, uint64(count+z.count64))
		b = bo.AppendUint64(b, uint64(size+z.size64))
		b = bo.AppendUint64(b, uint64(start+z.offset64))
		b = bo.AppendUint32(b, 0x07064b50)
		b = bo.AppendUint32(b, 0)
		b = bo.AppendUint64(b, uint64(at64+z.locator))
		b = bo.AppendUint32(b, uint32(1+z.disks))
	}
	b = bo.AppendUint32(b, 0x06054b50)
	b = bo.AppendUint16(b, uint16(z.disk))
	b = bo.AppendUint16(b, uint16(z.disk))
	b = bo.AppendUint16(b, uint16(count+z.here))
	b = bo.AppendUint16(b, uint16(count+z.count))
	b = bo.AppendUint32(b, uint32(size+z.size))
	b = bo.AppendUint32(b, uint32(start+z.offset))
	b = bo.AppendUint16(b, uint16(len(z.comment)))
	b = append(b, z.comment+z.suffix...)
	return b[:len(b)-z.cut]
}

// Pieces of pickles.

func str(s string) string { return "X" + string(bo.AppendUint32(nil, uint32(len(s)))) + s }

func pid(class, key, numel string) string {
	return "(" + str("storage") + "ctorch\n" + class + "\n" + str(key) + str("cpu") + numel + "tQ"
}

const hooks = "ccollections\nOrderedDict\n)R"

// tensor is a call of _rebuild_tensor_v2 with pieces for its arguments.
func tensor(storage, offset, size, stride string) string {
	return "ctorch._utils\n_rebuild_tensor_v2\n(" + storage + offset + size + stride + "\x89" + hooks + "tR"
}

// four is the storage of four floats that [checkpoint] has.
var four = pid("FloatStorage", "0", "K\x04")

// vector is a tensor of all four.
var vector = tensor(four, "K\x00", "K\x04\x85", "K\x01\x85")

// dict is a whole pickle of one dict.
func dict(items string) string { return "\x80\x02}(" + items + "u." }

// checkpoint is a file with this pickle and a storage of 1, 2, 3, 4.
func checkpoint(pickle string) *zipFile {
	return files(dataPickle, pickle, "archive/byteorder", "little",
		storage0, "\x00\x00\x80\x3f\x00\x00\x00\x40\x00\x00\x40\x40\x00\x00\x80\x40",
		"archive/version", "3\n", "archive/.data/serialization_id", strings.Repeat("1", 40))
}

func good() *zipFile { return checkpoint(dict(str("x") + vector)) }
