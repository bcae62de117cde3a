package pth

// directory is what the end records say.
type directory struct {
	count        uint64
	size, offset int64
}

// findDirectory reads the end record, which must be the file's last 22 bytes, and the ZIP64 ones where they are.
func (a *archive) findDirectory() (directory, error) {
	var d directory
	end := a.size - endSize
	if end < 0 {
		return d, damaged("%d bytes are too few for a ZIP file: cut off", a.size)
	}
	b, err := a.src.bytes(end, endSize)
	if err != nil {
		return d, err
	}
	if le.Uint32(b) != endMagic {
		return d, damaged("no ZIP end record in the last %d bytes: cut off, or bytes or a comment were added", endSize)
	}
	if le.Uint16(b[20:]) != 0 {
		return d, refused("the ZIP file has a comment")
	}
	disk, startDisk := le.Uint16(b[4:]), le.Uint16(b[6:])
	here, count := le.Uint16(b[8:]), le.Uint16(b[10:])
	dirSize, offset := le.Uint32(b[12:]), le.Uint32(b[16:])
	d = directory{uint64(count), int64(dirSize), int64(offset)}

	end64, ok, err := a.readEnd64(end)
	if err != nil {
		return d, err
	}
	if ok {
		agree := (here == count) &&
			(count == max16 || uint64(count) == end64.count) &&
			(dirSize == max32 || int64(dirSize) == end64.size) &&
			(offset == max32 || int64(offset) == end64.offset)
		if !agree {
			return d, damaged("the ZIP64 end record contradicts the plain one")
		}
		d, end = end64, end-locator64Size-end64Size
	} else if count == max16 || dirSize == max32 || offset == max32 {
		return d, damaged("the ZIP64 end record is missing")
	}
	if disk != 0 || startDisk != 0 || here != count {
		return d, refused("the ZIP file spans several disks")
	}
	// end is at most the file's size, so that neither sum can overflow.
	if d.size < 0 || d.offset < 0 || d.size > end || d.offset != end-d.size {
		return d, damaged("the ZIP directory (%d bytes at %d) does not end where its end record begins (%d)", d.size, d.offset, end)
	}
	if d.count > uint64(d.size)/centralSize {
		return d, damaged("%d ZIP entries do not fit a directory of %d bytes", d.count, d.size)
	}
	return d, nil
}

// readEnd64 reads the ZIP64 end record before its locator, which is before the plain end record at end.
func (a *archive) readEnd64(end int64) (d directory, ok bool, err error) {
	at := end - locator64Size
	if at < 0 {
		return d, false, nil
	}
	b, err := a.src.bytes(at, locator64Size)
	if err != nil || le.Uint32(b) != locator64Magic {
		return d, false, err
	}
	recordAt := at - end64Size
	if recordAt < 0 || le.Uint64(b[8:]) != uint64(recordAt) || le.Uint32(b[4:]) != 0 || le.Uint32(b[16:]) > 1 {
		return d, false, damaged("the ZIP64 locator does not point to the record before it")
	}
	if b, err = a.src.bytes(recordAt, end64Size); err != nil {
		return d, false, err
	}
	here, count := le.Uint64(b[24:]), le.Uint64(b[32:])
	dirSize, offset := le.Uint64(b[40:]), le.Uint64(b[48:])
	if le.Uint32(b) != end64Magic || le.Uint64(b[4:]) != end64Size-12 || here != count ||
		le.Uint32(b[16:]) != 0 || le.Uint32(b[20:]) != 0 || dirSize > uint64(a.size) || offset > uint64(a.size) {
		return d, false, damaged("the ZIP64 end record is wrong")
	}
	return directory{count, int64(dirSize), int64(offset)}, true, nil
}

// readDirectory reads the central headers.
func (a *archive) readDirectory(d directory) error {
	b, err := a.src.bytes(d.offset, d.size)
	if err != nil {
		return err
	}
	a.records = make([]*record, 0, d.count)
	for n := uint64(0); n < d.count; n++ {
		if len(b) < centralSize || le.Uint32(b) != centralMagic {
			return damaged("ZIP entry %d: no directory header", n)
		}
		nameLen, extraLen, commentLen := int(le.Uint16(b[28:])), int(le.Uint16(b[30:])), int(le.Uint16(b[32:]))
		if len(b) < centralSize+nameLen+extraLen {
			return damaged("ZIP entry %d: its directory header is cut off", n)
		}
		r := &record{
			name:   string(b[centralSize : centralSize+nameLen]),
			crc:    le.Uint32(b[16:]),
			size:   int64(le.Uint32(b[24:])),
			header: int64(le.Uint32(b[42:])),
			flags:  le.Uint16(b[8:]),
			method: le.Uint16(b[10:]),
		}
		stored := int64(le.Uint32(b[20:]))
		extra := b[centralSize+nameLen : centralSize+nameLen+extraLen]
		if commentLen != 0 || le.Uint16(b[34:]) != 0 {
			return refused("%s: has a comment, or is on another disk", show(r.name))
		}
		if err := r.readZip64(extra, &stored); err != nil {
			return err
		}
		if r.method == 0 && stored != r.size {
			return damaged("%s: stored, but %d bytes became %d", show(r.name), r.size, stored)
		}
		a.records = append(a.records, r)
		b = b[centralSize+nameLen+extraLen:]
	}
	if len(b) != 0 {
		return damaged("%d bytes after the last entry of the ZIP directory", len(b))
	}
	return nil
}

// checkMethod wants the record stored as it is.
func (r *record) checkMethod() error {
	switch {
	case r.flags&flagEncrypted != 0:
		return refused("%s: encrypted", show(r.name))
	case r.method != 0:
		return refused("%s: compressed (ZIP method %d); save it again with torch.save", show(r.name), r.method)
	case r.flags&^(flagDescriptor|flagUTF8) != 0:
		return refused("%s: ZIP flags %#x", show(r.name), r.flags)
	}
	return nil
}

// readZip64 replaces the fields that are all ones by those of the ZIP64 extra field, the only one allowed here.
func (r *record) readZip64(extra []byte, stored *int64) error {
	fields := make([]*int64, 0, 3)
	for _, f := range []*int64{&r.size, stored, &r.header} {
		if *f == max32 {
			fields = append(fields, f)
		}
	}
	if len(fields) == 0 && len(extra) == 0 {
		return nil
	}
	if len(extra) < 4 || le.Uint16(extra) != zip64ID || int(le.Uint16(extra[2:])) != len(extra)-4 ||
		len(extra)-4 != 8*len(fields) || len(fields) == 0 {
		return refused("%s: an extra field in the ZIP directory that is not the ZIP64 one it needs", show(r.name))
	}
	r.zip64 = true
	for i, f := range fields {
		v := le.Uint64(extra[4+8*i:])
		if v > 1<<62 {
			return damaged("%s: impossible size or offset %d", show(r.name), v)
		}
		*f = int64(v)
	}
	return nil
}
