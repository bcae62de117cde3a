package npz

import (
	"archive/zip"
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"testing"

	"github.com/wangkuiyi/gotorch/faulttest"
)

const goodHeader = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\n"

// one is an archive of the array x, of a header and four bytes.
func one(t *testing.T, text string) []byte {
	t.Helper()
	return archive(t, zip.Store, "x.npy", npy(text, "\x00\x00\x80\x3f"))
}

// rewritten is an archive of that array with a header of the archive's own changed.
func rewritten(t *testing.T, change func(h *zip.FileHeader)) []byte {
	t.Helper()
	body := npy(goodHeader, "\x00\x00\x80\x3f")
	h := &zip.FileHeader{Name: "x.npy", CRC32: crc32.ChecksumIEEE([]byte(body)), CompressedSize64: uint64(len(body)), UncompressedSize64: uint64(len(body))}
	change(h)
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	part, err := w.CreateRaw(h)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(part, body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Each file of the corpus is refused for its own reason.
func TestHostileCorpus(t *testing.T) {
	const good = goodHeader
	head := func(text string) []byte { return one(t, text) }
	zeros := strings.Repeat("\x00", 64<<20)
	noSum := archive(t, zip.Store, "x.npy", npy(good, "\x00\x00\x80\x3f"))
	// A checksum of 0, in the descriptor and in the central directory, with other
	// bytes than it was made for.
	sum := little.AppendUint32(nil, crc32.ChecksumIEEE([]byte(npy(good, "\x00\x00\x80\x3f"))))
	noSum = bytes.ReplaceAll(noSum, sum, []byte{0, 0, 0, 0})

	cases := []faulttest.Hostile{
		{Name: "no zip", Data: []byte("hello, world"), Why: "not an .npz file"},
		{Name: "twice", Data: archive(t, zip.Store, "x.npy", npy(good, "1234"), "x.npy", npy(good, "1234")), Why: "it holds x twice"},
		{Name: "other entry", Data: archive(t, zip.Store, "x.txt", "hello"), Why: "not an .npz file: it holds"},
		{Name: "path", Data: archive(t, zip.Store, "../x.npy", npy(good, "1234")), Why: "not an .npz file: it holds"},
		{Name: "no magic", Data: archive(t, zip.Store, "x.npy", "NUMPY, honestly"), Why: "not an array of NumPy's"},
		{Name: "empty", Data: archive(t, zip.Store, "x.npy", ""), Why: "truncated"},
		{Name: "version", Data: archive(t, zip.Store, "x.npy", npyMagic+"\x04\x00\x02\x00{}"), Why: "version 4.0"},
		{Name: "long header", Data: archive(t, zip.Store, "x.npy", npyMagic+"\x02\x00\xff\xff\xff\xff{}"), Why: "a header of 4294967295 bytes"},
		{Name: "short body", Data: archive(t, zip.Store, "x.npy", npy(good, "123")), Why: "bytes of"},
		{Name: "long body", Data: archive(t, zip.Store, "x.npy", npy(good, "12345")), Why: "bytes of"},
		{Name: "code", Data: head("{'descr': '<f4', 'fortran_order': False, 'shape': (exit(),), }\n"), Why: "not NumPy's"},
		{Name: "negative", Data: head("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }\n"), Why: "no number"},
		{Name: "huge", Data: head("{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999999999,999999999999999999), }\n"), Why: "too many elements"},
		{Name: "huger", Data: head("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }\n"), Why: "dimension too large"},
		{Name: "claim", Data: head("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000,), }\n"), Why: "bytes of"},
		{Name: "rank", Data: head("{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1), }\n"), Why: "more than 8 dimensions"},
		{Name: "key twice", Data: head("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\n"), Why: "twice"},
		{Name: "key missing", Data: head("{'descr': '<f4', 'shape': (1,), }\n"), Why: "lacks"},
		{Name: "other key", Data: head("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}\n"), Why: "an unknown key"},
		{Name: "more text", Data: head(good + "import os"), Why: "text after its end"},
		{Name: "open", Data: head("{'descr': '<f4"), Why: "no quoted word"},
		{Name: "nothing", Data: head(""), Why: "no {"},
		{Name: "bomb", Data: archive(t, zip.Deflate, "x.npy", npy("{'descr': '|u1', 'fortran_order': False, 'shape': (67108864,), }\n", zeros)), Why: "refused for a file so small"},
		{Name: "no checksum", Data: noSum, Why: "checksum"},
	}
	add := func(name string, data []byte, why string) {
		cases = append(cases, faulttest.Hostile{Name: name, Data: data, Why: why})
	}
	for descr, why := range map[string]string{
		"<f2": "is not read", "<f16": "is not read", "<c8": "is not read", "|S5": "is not read", "<U3": "is not read", "|V8": "is not read",
		"<M8[D]": "is not read", "<m8": "is not read", "=f4": "is not read", ">f4": "big-endian", ">i8": "big-endian", "<u8": "is not read",
		"f4": "is not read", "|O": "pickled objects", "": "is not read", "<f4 ": "is not read", "<F4": "is not read", "|f4": "is not read",
	} {
		add("type "+descr, head("{'descr': '"+descr+"', 'fortran_order': False, 'shape': (1,), }\n"), why)
	}
	for _, shape := range []string{
		"(1)", "(1,,)", "(,)", "[1,]", "(1.0,)", "(1L,)", "(True,)", "(0x1,)", "(1 1,)", "(-0,)", "(+1,)", "(1_0,)", "(1,", "1", "'(1,)'",
		"((1,),)", "(1e0,)", "(None,)", "(\u0661,)",
	} {
		add("shape "+shape, head("{'descr': '<f4', 'fortran_order': False, 'shape': "+shape+", }\n"), "not NumPy's")
	}
	for _, order := range []string{"true", "0", "None", "'False'", "FALSE", "not True"} {
		add("order "+order, head("{'descr': '<f4', 'fortran_order': "+order+", 'shape': (1,), }\n"), "not NumPy's")
	}
	for name, text := range map[string]string{
		"two dicts":           good + good,
		"a dict in a dict":    "{{'descr': '<f4'}, 'fortran_order': False, 'shape': (1,), }\n",
		"bytes":               "{b'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\n",
		"an escape":           "{'descr': '\\x3cf4', 'fortran_order': False, 'shape': (1,), }\n",
		"two words in a row":  "{'descr': '<f4' 'x', 'fortran_order': False, 'shape': (1,), }\n",
		"a comment":           "{'descr': '<f4', # no\n 'fortran_order': False, 'shape': (1,), }\n",
		"a tab":               "{\t'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\n",
		"a NUL":               "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\x00\n",
		"a call":              "dict(descr='<f4', fortran_order=False, shape=(1,))\n",
		"a list":              "['descr', '<f4']\n",
		"keys without quotes": "{descr: '<f4', fortran_order: False, shape: (1,), }\n",
		"no colon":            "{'descr' '<f4', 'fortran_order': False, 'shape': (1,), }\n",
		"two commas":          "{'descr': '<f4',, 'fortran_order': False, 'shape': (1,), }\n",
		"a long word":         "{'" + strings.Repeat("d", 100) + "': '<f4', 'fortran_order': False, 'shape': (1,), }\n",
	} {
		add("header: "+name, head(text), "not NumPy's")
	}
	for _, v := range []string{"\x00\x00", "\x01\x01", "\xff\x00", "\x03\x01"} {
		add(fmt.Sprintf("version %x", v), archive(t, zip.Store, "x.npy", npyMagic+v+"\x02\x00{}"), "is not known")
	}
	for _, name := range []string{"x", "/x.npy", "a\\x.npy", "C:x.npy", ".npy", "..npy", "a/b.npy", "x.npy\x00", "\u00fc.npy", "x y.npy", strings.Repeat("x", 300) + ".npy"} {
		add(fmt.Sprintf("name %.20q", name), archive(t, zip.Store, name, npy(good, "1234")), "not an .npz file")
	}
	add("a folder", archive(t, zip.Store, "x.npy/", ""), "not an .npz file: it holds")
	add("encrypted", rewritten(t, func(h *zip.FileHeader) { h.Flags |= 1 }), "encrypted")
	for _, method := range []uint16{1, 12, 14, 93, 98, 99} {
		add(fmt.Sprintf("method %d", method), rewritten(t, func(h *zip.FileHeader) { h.Method = method }), "packed by method")
	}
	add("stored longer", rewritten(t, func(h *zip.FileHeader) { h.UncompressedSize64++ }), "stored for")
	add("stored shorter", rewritten(t, func(h *zip.FileHeader) { h.UncompressedSize64-- }), "stored for")
	add("another sum", rewritten(t, func(h *zip.FileHeader) { h.CRC32++ }), "checksum")
	add("a sum of 0", rewritten(t, func(h *zip.FileHeader) { h.CRC32 = 0 }), "checksum") // which the archive's reader lets pass
	add("not packed", rewritten(t, func(h *zip.FileHeader) { h.Method = zip.Deflate }), "array x")
	add("a claim of 2^60", rewritten(t, func(h *zip.FileHeader) { h.UncompressedSize64 = 1 << 60 }), "stored for")
	var many []string
	for i := range maxEntries + 1 {
		many = append(many, fmt.Sprintf("x%d.npy", i), "")
	}
	add("too many", archive(t, zip.Store, many...), "at most 1000")
	faulttest.Corpus(t, "8 npz", cases, func(b []byte) error { _, err := Read(bytes.NewReader(b), int64(len(b))); return err })
}

// What is unusual but right is read.
func TestGoodCorpus(t *testing.T) {
	cases := map[string][]byte{
		"double quotes":  one(t, "{\"descr\": \"<f4\", \"fortran_order\": False, \"shape\": (1,)}"),
		"another order":  one(t, "{'shape': (1,), 'fortran_order': False, 'descr': '<f4'}\n"),
		"no last comma":  one(t, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}\n"),
		"many spaces":    one(t, "{ 'descr' : '<f4' , 'fortran_order' : False , 'shape' : ( 1 , ) , }    \n"),
		"by columns":     one(t, "{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }\n"),
		"a scalar":       one(t, "{'descr': '<f4', 'fortran_order': False, 'shape': (), }\n"),
		"two dimensions": one(t, "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1), }\n"),
		"eight":          one(t, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1), }\n"),
		"four bytes":     one(t, "{'descr': '|u1', 'fortran_order': False, 'shape': (4,), }\n"),
		"two words":      one(t, "{'descr': '<i2', 'fortran_order': False, 'shape': (2,), }\n"),
		"a square":       one(t, "{'descr': '|i1', 'fortran_order': True, 'shape': (2, 2), }\n"),
		"nothing":        archive(t, zip.Store, "x.npy", npy("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 7), }\n", "")),
		"no array":       archive(t, zip.Store),
		"packed":         archive(t, zip.Deflate, "x.npy", npy(goodHeader, "1234")),
		"two arrays":     archive(t, zip.Store, "x.npy", npy(goodHeader, "1234"), "y.npy", npy(goodHeader, "1234")),
		"version 2":      archive(t, zip.Store, "x.npy", npyMagic+"\x02\x00"+string([]byte{byte(len(goodHeader)), 0, 0, 0})+goodHeader+"1234"),
		"version 3":      archive(t, zip.Store, "x.npy", npyMagic+"\x03\x00"+string([]byte{byte(len(goodHeader)), 0, 0, 0})+goodHeader+"1234"),
		"an odd name":    archive(t, zip.Store, "arr_0[1]-a+b.npy", npy(goodHeader, "1234")),
		"NaN":            archive(t, zip.Store, "x.npy", npy(goodHeader, "\x00\x00\xc0\x7f")),
		"by hand":        rewritten(t, func(*zip.FileHeader) {}),
		"by a Mac":       rewritten(t, func(h *zip.FileHeader) { h.CreatorVersion = 19 << 8 }),
	}
	for name, b := range cases {
		if _, err := Read(bytes.NewReader(b), int64(len(b))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(cases) < 20 {
		t.Errorf("only %d files", len(cases))
	}
	if a, err := Read(bytes.NewReader(cases["by hand"]), int64(len(cases["by hand"]))); err != nil || a[0].Floats[0] != 1 {
		t.Errorf("the good file: %v, error %v", a, err)
	}
}
