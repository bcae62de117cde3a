package pth_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wangkuiyi/gotorch/faulttest"
	"github.com/wangkuiyi/gotorch/weights"
)

// rename gives an entry another name in both headers.
func (e *zipEntry) rename(name string) { e.local.name, e.central.name = name, name }

func hostileZips() []faulttest.Hostile {
	var cases []faulttest.Hostile
	raw := func(name, data, want string) {
		cases = append(cases, faulttest.Hostile{Name: "zip: " + name, Data: []byte(data), Why: want})
	}
	zip := func(name string, change func(z *zipFile), want string) {
		z := good()
		change(z)
		raw(name, string(z.bytes()), want)
	}
	// One entry is changed, the one of storage 0.
	entry := func(name string, change func(e *zipEntry), want string) {
		zip(name, func(z *zipFile) { change(z.entry(storage0)) }, want)
	}
	// The same in an entry that has its CRC and sizes in both headers.
	plain := func(name string, change func(e *zipEntry), want string) {
		entry(name, func(e *zipEntry) { e.plain(); change(e) }, want)
	}

	raw("empty file", "", "the file is empty")
	raw("one byte", "P", "too few for a ZIP file")
	raw("only the magic", "PK\x03\x04", "too few for a ZIP file")
	raw("empty ZIP", "PK\x05\x06"+strings.Repeat("\x00", 18), "an empty ZIP file")
	raw("legacy", "\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", "legacy format")
	raw("bare pickle", "\x80\x04\x95.", "a bare pickle")
	raw("tar", strings.Repeat("\x00", 257)+"ustar\x00", "a tar archive")
	raw("HDF5", "\x89HDF\r\n\x1a\n", "HDF5")
	raw("GGUF", "GGUF\x03\x00\x00\x00", "GGUF")
	raw("NumPy", "\x93NUMPY\x01\x00", "a NumPy array")
	raw("gzip", "\x1f\x8b\x08\x00", "compressed by gzip")
	raw("Git LFS", "version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer")
	raw("HTML", "\n<!DOCTYPE html><html>", "an HTML page")
	raw("safetensors", "\x10\x00\x00\x00\x00\x00\x00\x00{}              ", "give it the ending .safetensors")
	raw("zeros", strings.Repeat("\x00", 1000), "does not begin as a ZIP file does")

	zip("leading bytes", func(z *zipFile) { z.prefix = "#!" }, "not a .pth file")
	zip("leading record", func(z *zipFile) { z.prefix = string(good().bytes()) }, "not at 0 where the bytes before it end")
	zip("leading record, old offsets", func(z *zipFile) {
		z.prefix = string(good().bytes())
		z.headerOffset = func(_ int, at uint32) uint32 { return at - uint32(len(z.prefix)) }
		z.offset, z.offset64, z.locator = -len(z.prefix), -len(z.prefix), -len(z.prefix)
	}, "the ZIP64 locator does not point")
	zip("trailing byte", func(z *zipFile) { z.suffix = "\x00" }, "no ZIP end record")
	zip("trailing ZIP", func(z *zipFile) { z.suffix = string(good().bytes()) }, "the ZIP64 locator does not point")
	zip("comment", func(z *zipFile) { z.comment = "PK" }, "no ZIP end record")
	zip("comment with an end record", func(z *zipFile) { z.comment = "PK\x05\x06" + strings.Repeat("\x00", 18) }, "")
	zip("cut by one", func(z *zipFile) { z.cut = 1 }, "no ZIP end record")
	zip("cut by 22", func(z *zipFile) { z.cut = 22 }, "no ZIP end record")
	zip("hole before the directory", func(z *zipFile) { z.before = "\x00" }, "not a data descriptor")
	zip("hole before the directory, plain", func(z *zipFile) {
		z.entries[len(z.entries)-1].plain()
		z.before = "\x00"
	}, "1 bytes after it that belong to no record")
	zip("bytes after the directory", func(z *zipFile) { z.centralSuffix = "PK\x05\x05\x00\x00" }, "6 bytes after the last entry")
	zip("digital signature", func(z *zipFile) { z.centralSuffix = "PK\x05\x05\x00\x00"; z.noEnd64 = true }, "6 bytes after the last entry")

	zip("one entry too many", func(z *zipFile) { z.count, z.here, z.count64, z.here64 = 1, 1, 1, 1 }, "no directory header")
	zip("one entry too few", func(z *zipFile) { z.count, z.here, z.count64, z.here64 = -1, -1, -1, -1 }, "after the last entry")
	zip("no entries", func(z *zipFile) { z.entries = nil; z.prefix = "PK\x03\x04" }, "without data.pkl")
	zip("counts differ", func(z *zipFile) { z.here = 1 }, "contradicts the plain one")
	zip("ZIP64 count differs", func(z *zipFile) { z.count64, z.here64 = 1, 1 }, "contradicts the plain one")
	zip("ZIP64 counts differ", func(z *zipFile) { z.here64 = 1 }, "the ZIP64 end record is wrong")
	zip("ZIP64 size differs", func(z *zipFile) { z.size64 = 1 }, "contradicts the plain one")
	zip("ZIP64 offset differs", func(z *zipFile) { z.offset64 = 1 }, "contradicts the plain one")
	zip("ZIP64 offset huge", func(z *zipFile) { z.offset64 = 1 << 40 }, "the ZIP64 end record is wrong")
	zip("ZIP64 offset negative", func(z *zipFile) { z.offset64 = -1 << 40 }, "the ZIP64 end record is wrong")
	zip("ZIP64 record longer", func(z *zipFile) { z.end64Length = 8 }, "the ZIP64 end record is wrong")
	zip("ZIP64 on disks", func(z *zipFile) { z.disk64 = 1 }, "the ZIP64 end record is wrong")
	zip("ZIP64 locator elsewhere", func(z *zipFile) { z.locator = -1 }, "the ZIP64 locator does not point")
	zip("ZIP64 of two disks", func(z *zipFile) { z.disks = 1 }, "the ZIP64 locator does not point")
	zip("ZIP64 missing", func(z *zipFile) { z.noEnd64, z.offset = true, 0xffffffff-z.start() }, "the ZIP64 end record is missing")
	zip("disk 1", func(z *zipFile) { z.disk = 1 }, "several disks")
	zip("directory size", func(z *zipFile) { z.noEnd64, z.size = true, 1 }, "does not end where its end record begins")
	zip("directory offset", func(z *zipFile) { z.noEnd64, z.offset = true, 1 }, "does not end where its end record begins")
	zip("directory offset behind the end", func(z *zipFile) { z.noEnd64, z.offset = true, 1<<30 }, "does not end where its end record begins")
	zip("60000 entries claimed", func(z *zipFile) { z.noEnd64, z.count, z.here = true, 60000, 60000 }, "ZIP entries do not fit")

	for _, name := range []string{"/archive/data/0", "archive\\data\\0", "archive/data/0\x00", "archive/data/\xff"} {
		entry("name "+name, func(e *zipEntry) { e.rename(name) }, "a ZIP name that is absolute, not UTF-8, or has a backslash or NUL")
	}
	for _, name := range []string{"archive/../data/0", "archive/./0", "archive//0", "archive/data/", "..", "archive/data/.."} {
		entry("name "+name, func(e *zipEntry) { e.rename(name) }, "a ZIP name with an empty part, . or ..")
	}
	entry("name without a folder", func(e *zipEntry) { e.rename("0") }, "not in a top folder")
	entry("name empty", func(e *zipEntry) { e.rename("") }, "a ZIP name with an empty part")
	entry("another top folder", func(e *zipEntry) { e.rename("archive2/data/0") }, "a second top folder")
	zip("duplicate name", func(z *zipFile) { z.add(storage0, "other 16 bytes..") }, "twice in the ZIP directory")
	zip("duplicate pickle", func(z *zipFile) { z.add(dataPickle, dict("")) }, "twice in the ZIP directory")
	zip("duplicate in another case", func(z *zipFile) { z.add("archive/DATA.pkl", dict("")) }, "twice in the ZIP directory")
	entry("local name differs", func(e *zipEntry) { e.local.name = "archive/data/1" }, "its local header has another name")
	entry("local name longer", func(e *zipEntry) { e.local.name += "0" }, "its local header has another name")
	entry("local magic", func(e *zipEntry) { e.local.magic++ }, "no local header")
	entry("central magic", func(e *zipEntry) { e.central.magic++ }, "no directory header")
	entry("only in the directory", func(e *zipEntry) { e.skip = true }, "another record there too")
	entry("not in the directory", func(e *zipEntry) { e.hidden = true }, "not a data descriptor")

	entry("deflated", func(e *zipEntry) { e.local.method, e.central.method = 8, 8 }, "compressed (ZIP method 8)")
	entry("local method", func(e *zipEntry) { e.local.method = 8 }, "other flags or another method")
	entry("encrypted", func(e *zipEntry) { e.local.flags |= 1; e.central.flags |= 1 }, "encrypted")
	entry("strong encryption", func(e *zipEntry) { e.local.flags |= 64; e.central.flags |= 64 }, "ZIP flags 0x848")
	entry("masked headers", func(e *zipEntry) { e.local.flags |= 1 << 13; e.central.flags |= 1 << 13 }, "ZIP flags")
	entry("local flags", func(e *zipEntry) { e.local.flags = 8 }, "other flags or another method")
	entry("entry comment", func(e *zipEntry) { e.central.comment = "x" }, "has a comment")
	entry("entry on disk 1", func(e *zipEntry) { e.central.disk = 1 }, "is on another disk")
	entry("extra field in the directory", func(e *zipEntry) { e.central.extra = "up\x00\x00" }, "an extra field in the ZIP directory")
	entry("ZIP64 field without need", func(e *zipEntry) { e.central.extra = "\x01\x00\x08\x00" + strings.Repeat("\x00", 8) }, "an extra field in the ZIP directory")
	entry("ZIP64 field missing", func(e *zipEntry) { e.central.size = 0xffffffff }, "an extra field in the ZIP directory")
	entry("ZIP64 field negative", func(e *zipEntry) {
		e.central.size = 0xffffffff
		e.central.extra = "\x01\x00\x08\x00" + strings.Repeat("\xff", 8)
	}, "impossible size")
	entry("ZIP64 size huge", func(e *zipEntry) {
		e.central.size, e.central.stored = 0xffffffff, 0xffffffff
		e.central.extra = "\x01\x00\x10\x00" + strings.Repeat("\x00\x00\x00\x00\x00\x00\x00\x40", 2)
	}, "there is room for")
	entry("extra field cut", func(e *zipEntry) { e.central.extra = "\x01" }, "an extra field in the ZIP directory")
	entry("sizes differ", func(e *zipEntry) { e.central.stored-- }, "stored, but 16 bytes became 15")
	entry("size larger", func(e *zipEntry) { e.central.stored++; e.central.size++ }, "15 bytes after it, not a data descriptor")
	entry("size smaller", func(e *zipEntry) { e.central.stored--; e.central.size-- }, "17 bytes after it, not a data descriptor")
	entry("size over the end", func(e *zipEntry) { e.central.stored += 1000; e.central.size += 1000 }, "there is room for")
	entry("size 4 GiB", func(e *zipEntry) { e.central.stored, e.central.size = 0xfffffffe, 0xfffffffe }, "there is room for")
	entry("local extra over the end", func(e *zipEntry) { e.local.extra = strings.Repeat("x", 40000); e.descriptor = "" }, "not a data descriptor")
	entry("no descriptor", func(e *zipEntry) { e.descriptor = "" }, "0 bytes after it, not a data descriptor")
	entry("descriptor without signature", func(e *zipEntry) { e.descriptor = strings.Repeat("\x00", 12) }, "12 bytes after it, not a data descriptor")
	entry("descriptor of zeros", func(e *zipEntry) { e.descriptor = "PK\x07\x08" + strings.Repeat("\x00", 12) }, "its data descriptor contradicts")
	entry("descriptor of 24 bytes", func(e *zipEntry) { e.descriptor = "PK\x07\x08" + strings.Repeat("\x00", 20) }, "24 bytes after it, not a data descriptor")
	entry("local CRC with a descriptor", func(e *zipEntry) { e.local.crc = e.central.crc + 1 }, "another CRC or size")
	entry("local size with a descriptor", func(e *zipEntry) { e.local.size = 16 }, "another CRC or size")
	plain("local CRC 0", func(e *zipEntry) { e.local.crc = 0 }, "another CRC or size")
	plain("local CRC", func(e *zipEntry) { e.local.crc++ }, "another CRC or size")
	plain("local size 0", func(e *zipEntry) { e.local.size, e.local.stored = 0, 0 }, "another CRC or size")
	plain("local size", func(e *zipEntry) { e.local.size++ }, "another CRC or size")
	plain("all zeros without a descriptor", func(e *zipEntry) { e.local.crc, e.local.size, e.local.stored = 0, 0, 0 }, "another CRC or size")
	plain("descriptor without its flag", func(e *zipEntry) { e.descriptor = "true" }, "16 bytes after it that belong to no record")
	plain("CRC", func(e *zipEntry) { e.local.crc++; e.central.crc++ }, "archive/data/0: CRC-32")
	plain("CRC 0", func(e *zipEntry) { e.local.crc, e.central.crc = 0, 0 }, "archive/data/0: CRC-32")
	entry("data changed", func(e *zipEntry) { e.data = "x" + e.data[1:] }, "archive/data/0: CRC-32")
	zip("unreferenced data changed", func(z *zipFile) {
		e := z.add("archive/data/9", "abc")
		e.data = "abd"
	}, "archive/data/9: CRC-32")

	zip("the same record twice", func(z *zipFile) {
		z.add("archive/data/1", "").skip = true
		z.headerOffset = func(i int, at uint32) uint32 {
			if i == len(z.entries)-1 {
				return 0
			}
			return at
		}
	}, "another record there too")
	for to, want := range map[uint32]string{1: "another record there too", 1 << 20: "not a data descriptor", 0xfffffffe: "not a data descriptor"} {
		zip(fmt.Sprint("header at ", to), func(z *zipFile) {
			z.headerOffset = func(i int, at uint32) uint32 {
				if i == 2 {
					return to
				}
				return at
			}
		}, want)
	}
	zip("a record in another's data", func(z *zipFile) { // the storage's data is a whole record of its own
		inner := files("archive/data/1", "inner").bytes()
		e := z.entry(storage0)
		e.data = string(inner[:localLength(inner)])
		e.central.stored, e.central.size = uint32(len(e.data)), uint32(len(e.data))
		z.add("archive/data/1", "inner").skip = true // points into that data
		z.headerOffset = func(i int, at uint32) uint32 {
			if i == len(z.entries)-1 {
				return uint32(bytes.Index(z.local(), inner[:30]))
			}
			return at
		}
	}, "another record there too")

	zip("no data.pkl", func(z *zipFile) { z.entry(dataPickle).rename("archive/data2.pkl") }, "without data.pkl")
	zip("data.pkl too deep", func(z *zipFile) { z.entry(dataPickle).rename("archive/x/data.pkl") }, "without data.pkl")
	zip("no version", func(z *zipFile) { z.entry("archive/version").rename("archive/version2") }, "archive/version is missing")
	raw("version text", string(files(dataPickle, dict(""), "archive/version", "three").bytes()), "not a number such as 3")
	raw("version long", string(files(dataPickle, dict(""), "archive/version", strings.Repeat("3", 1000)).bytes()), "1000 bytes, at most 16")
	raw("big-endian", string(files(dataPickle, dict(""), "archive/version", "3", "archive/byteorder", "big").bytes()), "only little-endian")
	for _, other := range []struct{ name, want string }{
		{"archive/constants.pkl", "TorchScript"}, {"archive/code/__torch__.py", "TorchScript"}, {"archive/bytecode.pkl", "TorchScript"},
		{"archive/archive_format", "an exported program (.pt2)"}, {"serialized_exported_program.json", "an exported program (.pt2)"},
		{"archive/.data/extern_modules", "a torch.package"}, {"x.npy", "a NumPy .npz"}, {"archive/x.npy", "a NumPy .npz"},
	} {
		zip("with "+other.name, func(z *zipFile) { z.add(other.name, "") }, other.want)
	}
	many := files(dataPickle, dict(""))
	for i := range 60_000 {
		many.add(fmt.Sprint("archive/data/", i), "")
	}
	raw("60000 storages without version", string(many.bytes()), "archive/version is missing")
	return cases
}

// start is where the directory begins, in the file as it is now.
func (z *zipFile) start() int { return len(z.local()) }

// local gives the file's bytes before the directory.
func (z *zipFile) local() []byte {
	c := *z
	c.headerOffset = nil
	b := c.bytes()
	return b[:bytes.Index(b, []byte("PK\x01\x02"))]
}

// localLength is the length of the first record with its header, without descriptor.
func localLength(b []byte) int { return bytes.Index(b, []byte("PK\x07\x08")) }

// hostileRecords are files with a record of ours that is not right.
func hostileRecords(t *testing.T) []faulttest.Hostile {
	var cases []faulttest.Hostile
	add := func(name string, data []byte, want string) {
		cases = append(cases, faulttest.Hostile{Name: "record: " + name, Data: data, Why: want})
	}
	withRecord := func(text string) *zipFile {
		z := good()
		z.add("archive/extra/flowmatch.json", text)
		return z
	}
	zero := `"sha256":"` + strings.Repeat("0", 64) + `"}`
	add("newer", withRecord(`{"format":2,"anything":null}`).bytes(), "written by a newer flowmatch: format 2")
	add("no JSON", withRecord(`format 1`).bytes(), "an object is expected")
	add("array", withRecord(`[]`).bytes(), "an object is expected")
	add("duplicate key", withRecord(`{"format":1,"format":2}`).bytes(), `key "format" twice`)
	add("no format", withRecord(`{"kind":"mlp",`+zero).bytes(), `no "format"`)
	add("format text", withRecord(`{"format":"1",`+zero).bytes(), "not a whole number")
	add("no digest", withRecord(`{"format":1}`).bytes(), "does not end in its sha256")
	add("digest first", withRecord(`{"sha256":"`+strings.Repeat("0", 64)+`","format":1}`).bytes(), "does not end in its sha256")
	add("digest short", withRecord(`{"format":1,"sha256":"00"}`).bytes(), "does not end in its sha256")
	add("digest in capitals", withRecord(`{"format":1,"sha256":"`+strings.Repeat("A", 64)+`"}`).bytes(), "lower-case hex")
	add("deep", withRecord(`{"format":`+strings.Repeat("[", 70)).bytes(), "more than 64 levels")
	add("laid out by torch", withRecord(`{"format":1,`+zero).bytes(), "not where flowmatch puts it")

	d := new(weights.Dict)
	d.Set("w", weights.FromFloat32([]float32{1, 2, 3, 4}))
	ours := render(t, &weights.File{Tensors: d, Record: []byte(record)})
	// A value and its CRC-32 are changed together, so that only the digest can tell.
	old := files("x", "\x00\x00\x80\x3f\x00\x00\x00\x40\x00\x00\x40\x40\x00\x00\x80\x40").entries[0]
	changed := files("x", "\x00\x00\x80\xbf\x00\x00\x00\x40\x00\x00\x40\x40\x00\x00\x80\x40").entries[0]
	forged := bytes.Replace(ours, []byte(old.data), []byte(changed.data), 1)
	forged = bytes.ReplaceAll(forged, bo.AppendUint32(nil, old.central.crc), bo.AppendUint32(nil, changed.central.crc))
	add("value and CRC changed", forged, "SHA-256 of the records")
	padding := slices.Clone(ours)
	padding[bytes.Index(padding, []byte("FB"))+5] = 'x'
	add("padding changed", padding, "flowmatch writes")
	add("renamed archive", bytes.ReplaceAll(ours, []byte("archive/"), []byte("Archive/")), "not where flowmatch puts it")
	return cases
}
