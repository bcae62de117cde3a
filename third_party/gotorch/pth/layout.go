package pth

// root is the top folder of the files we write: the same for all names, so that equal contents are equal files.
const root = "archive"

const (
	alignment = 64     // of the records, as torch.save does it, so that they can be mapped into memory
	dosDate   = 0x0021 // 1980-01-01, the first one there is
	version20 = 20     // ZIP 2.0
	version45 = 45     // ZIP 4.5, which has ZIP64
)

// layout computes every byte of an archive outside of its records, from their names, sizes and CRCs alone. The writer
// writes these bytes, and the reader compares them.
type layout struct {
	entries []record
	size    int64 // of the file so far
}

func (l *layout) last() *record { return &l.entries[len(l.entries)-1] }

// add places the next record and gives its local header.
func (l *layout) add(name string, size int64, crc uint32) []byte {
	r := record{name: name, size: size, crc: crc, header: l.size}
	r.zip64 = size >= max32 || r.header >= max32
	var extra []byte
	version := uint16(version20)
	if r.zip64 {
		version = version45
	}
	if size >= max32 { // APPNOTE 4.5.3: in a local header both sizes
		extra = le.AppendUint16(extra, zip64ID)
		extra = le.AppendUint16(extra, 16)
		extra = le.AppendUint64(extra, uint64(size))
		extra = le.AppendUint64(extra, uint64(size))
	}
	// The padding is an extra field of the kind "FB", as torch's.
	before := r.header + localSize + int64(len(name)+len(extra)) + 4
	padding := -before & (alignment - 1)
	extra = append(extra, 'F', 'B')
	extra = le.AppendUint16(extra, uint16(padding))
	extra = append(extra, make([]byte, padding)...)

	b := make([]byte, 0, localSize+len(name)+len(extra))
	b = le.AppendUint32(b, localMagic)
	b = le.AppendUint16(b, version)
	b = r.appendCommon(b)
	b = le.AppendUint16(b, uint16(len(extra)))
	b = append(b, name...)
	b = append(b, extra...)

	r.data = before + padding
	l.size = r.data + size
	l.entries = append(l.entries, r)
	return b
}

// appendCommon appends what local and central headers have in common: flags to the name's length.
func (r *record) appendCommon(b []byte) []byte {
	b = le.AppendUint16(b, 0) // flags
	b = le.AppendUint16(b, 0) // method: stored
	b = le.AppendUint16(b, 0) // time
	b = le.AppendUint16(b, dosDate)
	b = le.AppendUint32(b, r.crc)
	size := uint32(min(r.size, max32))
	b = le.AppendUint32(b, size)
	b = le.AppendUint32(b, size)
	return le.AppendUint16(b, uint16(len(r.name)))
}

// appendCentral appends the record's entry in the directory.
func (r *record) appendCentral(b []byte) []byte {
	var wide []byte
	if r.size >= max32 {
		wide = le.AppendUint64(wide, uint64(r.size))
		wide = le.AppendUint64(wide, uint64(r.size))
	}
	if r.header >= max32 {
		wide = le.AppendUint64(wide, uint64(r.header))
	}
	version, extra := uint16(version20), []byte(nil)
	if wide != nil {
		version = version45
		extra = le.AppendUint16(extra, zip64ID)
		extra = le.AppendUint16(extra, uint16(len(wide)))
		extra = append(extra, wide...)
	}
	b = le.AppendUint32(b, centralMagic)
	b = le.AppendUint16(b, version) // made by
	b = le.AppendUint16(b, version) // needed
	b = r.appendCommon(b)
	b = le.AppendUint16(b, uint16(len(extra)))
	b = le.AppendUint16(b, 0) // comment
	b = le.AppendUint16(b, 0) // disk
	b = le.AppendUint16(b, 0) // internal attributes
	b = le.AppendUint32(b, 0) // external attributes
	b = le.AppendUint32(b, uint32(min(r.header, max32)))
	b = append(b, r.name...)
	return append(b, extra...)
}

// end gives the directory and the end records, the file's last bytes, and adds them to its size.
func (l *layout) end() []byte {
	var b []byte
	for i := range l.entries {
		b = l.entries[i].appendCentral(b)
	}
	count, dirSize, offset := uint64(len(l.entries)), uint64(len(b)), uint64(l.size)
	if count >= max16 || dirSize >= max32 || offset >= max32 {
		at := offset + dirSize
		b = le.AppendUint32(b, end64Magic)
		b = le.AppendUint64(b, end64Size-12)
		b = le.AppendUint16(b, version45)
		b = le.AppendUint16(b, version45)
		b = le.AppendUint64(b, 0) // both disks
		b = le.AppendUint64(b, count)
		b = le.AppendUint64(b, count)
		b = le.AppendUint64(b, dirSize)
		b = le.AppendUint64(b, offset)
		b = le.AppendUint32(b, locator64Magic)
		b = le.AppendUint32(b, 0)
		b = le.AppendUint64(b, at)
		b = le.AppendUint32(b, 1)
	}
	b = le.AppendUint32(b, endMagic)
	b = le.AppendUint32(b, 0) // both disks
	b = le.AppendUint16(b, uint16(min(count, max16)))
	b = le.AppendUint16(b, uint16(min(count, max16)))
	b = le.AppendUint32(b, uint32(min(dirSize, max32)))
	b = le.AppendUint32(b, uint32(min(offset, max32)))
	b = le.AppendUint16(b, 0) // comment
	l.size += int64(len(b))
	return b
}
