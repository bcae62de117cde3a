package pth

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/wangkuiyi/gotorch/weights"
)

// What a ZIP file is made of, as far as .pth files need it (PKWARE's APPNOTE, section 4.3).
const (
	localMagic      = 0x04034b50
	centralMagic    = 0x02014b50
	descriptorMagic = 0x08074b50
	end64Magic      = 0x06064b50
	locator64Magic  = 0x07064b50
	endMagic        = 0x06054b50

	localSize     = 30 // without name and extra field
	centralSize   = 46 // without name, extra field and comment
	end64Size     = 56
	locator64Size = 20
	endSize       = 22

	flagEncrypted  = 1 << 0
	flagDescriptor = 1 << 3  // CRC and sizes follow the data
	flagUTF8       = 1 << 11 // the name is UTF-8

	zip64ID = 1
	max16   = 0xffff
	max32   = 0xffffffff
)

var le = binary.LittleEndian

// record is one file in the archive.
type record struct {
	name   string
	crc    uint32
	size   int64
	header int64 // offset of the local header
	data   int64 // offset of the first byte
	flags  uint16
	method uint16
	zip64  bool // the central header has a ZIP64 extra field
}

// archive is a ZIP file whose structure has been checked, not yet its records' CRCs.
type archive struct {
	src     source
	size    int64
	records []*record // in the directory's order
	byName  map[string]*record
	root    string // the top folder, without "/"
}

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %w", weights.ErrDamaged, fmt.Errorf(format, args...))
}

func refused(format string, args ...any) error {
	return fmt.Errorf("%w: %w", weights.ErrRefused, fmt.Errorf(format, args...))
}

func overLimit(format string, args ...any) error {
	return fmt.Errorf("%w: %w", weights.ErrLimit, fmt.Errorf(format, args...))
}

// openArchive reads and checks the directory and all local headers.
func openArchive(src source, size int64, maxEntries int) (*archive, error) {
	a := &archive{src: src, size: size}
	if err := a.checkKind(); err != nil {
		return nil, err
	}
	dir, err := a.findDirectory()
	if err != nil {
		return nil, err
	}
	if dir.count > uint64(maxEntries) {
		return nil, overLimit("%d ZIP entries, at most %d", dir.count, maxEntries)
	}
	if err := a.readDirectory(dir); err != nil {
		return nil, err
	}
	if err := a.refuseOtherFormats(); err != nil {
		return nil, err
	}
	for _, r := range a.records {
		if err := r.checkMethod(); err != nil {
			return nil, err
		}
	}
	if err := a.checkNames(); err != nil {
		return nil, err
	}
	if err := a.checkLocal(dir); err != nil {
		return nil, err
	}
	return a, nil
}

// checkNames wants unique names under one top folder that could not leave it.
func (a *archive) checkNames() error {
	a.byName = make(map[string]*record, len(a.records))
	folded := make(map[string]struct{}, len(a.records))
	for _, r := range a.records {
		if strings.ContainsAny(r.name, "\\\x00") || strings.HasPrefix(r.name, "/") || !utf8.ValidString(r.name) {
			return refused("%s: a ZIP name that is absolute, not UTF-8, or has a backslash or NUL", show(r.name))
		}
		parts := strings.Split(r.name, "/")
		for _, p := range parts {
			if p == "" || p == "." || p == ".." {
				return refused("%s: a ZIP name with an empty part, . or ..", show(r.name))
			}
		}
		if len(parts) == 1 {
			return refused("%s: not in a top folder", show(r.name))
		}
		if a.root == "" {
			a.root = parts[0]
		}
		if parts[0] != a.root {
			return refused("%s: a second top folder beside %s", show(r.name), show(a.root))
		}
		// PyTorch's own reader does not tell names apart by case.
		key := strings.ToLower(r.name)
		if _, twice := folded[key]; twice {
			return refused("%s: twice in the ZIP directory", show(r.name))
		}
		folded[key] = struct{}{}
		a.byName[r.name] = r
	}
	return nil
}

// checkLocal compares each local header with the central one, and wants the records to follow each other without a
// gap from the file's start to the directory.
func (a *archive) checkLocal(d directory) error {
	order := slices.Clone(a.records)
	slices.SortFunc(order, func(x, y *record) int {
		switch {
		case x.header < y.header:
			return -1
		case x.header > y.header:
			return 1
		}
		return 0
	})
	at := int64(0)
	for i, r := range order {
		if r.header != at {
			return damaged("%s: begins at %d, not at %d where the bytes before it end", show(r.name), r.header, at)
		}
		end := d.offset // the start of what follows
		if i+1 < len(order) {
			end = order[i+1].header
		}
		if end > d.offset {
			return damaged("%s: begins at %d, in or after the ZIP directory", show(order[i+1].name), end)
		}
		if err := a.checkLocalHeader(r, end); err != nil {
			return err
		}
		at = end
	}
	if at != d.offset {
		return damaged("%d bytes before the ZIP directory that belong to no record", d.offset-at)
	}
	return nil
}

func (a *archive) checkLocalHeader(r *record, end int64) error {
	b, err := a.src.bytes(r.header, min(localSize+int64(len(r.name)), end-r.header))
	if err != nil {
		return err
	}
	if len(b) < localSize+len(r.name) || le.Uint32(b) != localMagic {
		return damaged("%s: no local header at %d, or another record there too", show(r.name), r.header)
	}
	nameLen, extraLen := int(le.Uint16(b[26:])), int64(le.Uint16(b[28:]))
	if nameLen != len(r.name) || string(b[localSize:]) != r.name {
		return damaged("%s: its local header has another name", show(r.name))
	}
	if le.Uint16(b[6:]) != r.flags || le.Uint16(b[8:]) != 0 {
		return damaged("%s: its local header has other flags or another method", show(r.name))
	}
	crc, stored, size := le.Uint32(b[14:]), le.Uint32(b[18:]), le.Uint32(b[22:])
	want := uint32(min(r.size, max32))
	later := r.flags&flagDescriptor != 0 && crc == 0 && stored == 0 && size == 0
	if !later && (crc != r.crc || stored != want || size != want) {
		return damaged("%s: its local header has another CRC or size", show(r.name))
	}
	r.data = r.header + localSize + int64(nameLen) + extraLen
	room := end - r.data
	if r.size > room {
		return damaged("%s: %d bytes, but there is room for %d: cut off, or records overlap", show(r.name), r.size, room)
	}
	return a.checkDescriptor(r, r.data+r.size, room-r.size)
}

// checkDescriptor checks the bytes between a record and what follows it.
func (a *archive) checkDescriptor(r *record, at, length int64) error {
	if r.flags&flagDescriptor == 0 {
		if length != 0 {
			return damaged("%s: %d bytes after it that belong to no record", show(r.name), length)
		}
		return nil
	}
	if length != 16 && !(length == 24 && r.zip64) {
		return damaged("%s: %d bytes after it, not a data descriptor", show(r.name), length)
	}
	b, err := a.src.bytes(at, length)
	if err != nil {
		return err
	}
	var stored, size uint64
	if length == 24 {
		stored, size = le.Uint64(b[8:]), le.Uint64(b[16:])
	} else {
		stored, size = uint64(le.Uint32(b[8:])), uint64(le.Uint32(b[12:]))
	}
	if le.Uint32(b) != descriptorMagic || le.Uint32(b[4:]) != r.crc || stored != uint64(r.size) || size != uint64(r.size) {
		return damaged("%s: its data descriptor contradicts the directory", show(r.name))
	}
	return nil
}

func crcOf(b []byte) uint32 { return crc32.ChecksumIEEE(b) }

// show makes a name from a stranger's file fit for a message: short and on one line.
func show(name string) string {
	for _, c := range name {
		if c < 0x20 || c == 0x7f || c == '\ufffd' || c == '"' || c == '\\' {
			return fmt.Sprintf("%.80q", name)
		}
	}
	if len(name) > 80 {
		return fmt.Sprintf("%.80s...", name)
	}
	if name == "" {
		return `""`
	}
	return name
}
