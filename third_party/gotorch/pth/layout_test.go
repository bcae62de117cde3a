package pth

import (
	"fmt"
	"io"
	"testing"
)

// sparse is a file of which only some pieces are not zero.
type sparse struct {
	size   int64
	pieces map[int64][]byte
}

func (s *sparse) put(at int64, b []byte) {
	s.pieces[at] = b
	s.size = max(s.size, at+int64(len(b)))
}

func (s *sparse) ReadAt(p []byte, off int64) (int, error) {
	clear(p)
	for at, b := range s.pieces {
		for i := max(at, off); i < min(at+int64(len(b)), off+int64(len(p))); i++ {
			p[i-off] = b[i-at]
		}
	}
	if off+int64(len(p)) > s.size {
		return int(max(0, s.size-off)), io.EOF
	}
	return len(p), nil
}

// Records and offsets around and above 4 GiB, of which only the headers exist here.
func TestLargeLayout(t *testing.T) {
	const gib = int64(1) << 30
	for _, sizes := range [][]int64{
		{10, 5 * gib, 20, 0}, {max32, 1}, {max32 - 1, 1}, {max32 + 1, 1}, {3 * gib, 3 * gib, 3 * gib},
		{4*gib - 300, 100, 100}, {4*gib - 400, 100, 100},
	} {
		l, file := new(layout), &sparse{pieces: make(map[int64][]byte)}
		var names []string
		for i, size := range sizes {
			name := fmt.Sprintf("%s/data/%d", root, i)
			if i == 0 {
				name = root + "/data.pkl"
			}
			names = append(names, name)
			header := l.add(name, size, uint32(i))
			file.put(l.last().header, header)
		}
		at := l.size
		file.put(at, l.end())
		if file.size != l.size {
			t.Fatalf("%v: %d bytes, the layout says %d", sizes, file.size, l.size)
		}
		a, err := openArchive(source{file}, file.size, 10)
		if err != nil {
			t.Errorf("%v: %v", sizes, err)
			continue
		}
		for i, r := range a.records {
			if r.name != names[i] || r.size != sizes[i] || r.crc != uint32(i) || r.data%alignment != 0 || r.data != l.entries[i].data {
				t.Errorf("%v: record %d is %+v", sizes, i, r)
			}
		}
		for _, r := range a.records {
			if err := a.compare(l2header(l, r), r.header); err != nil {
				t.Errorf("%v: %v", sizes, err)
			}
		}
	}
}

// l2header renders a record's header again, as checkLayout does.
func l2header(l *layout, r *record) []byte {
	again := &layout{size: r.header}
	return again.add(r.name, r.size, r.crc)
}

// torch.save's way with a large record: the local header's sizes are 0, and the data descriptor has 24 bytes. The same
// for all records that begin above 4 GiB.
func TestLargeByTorch(t *testing.T) {
	const size = int64(5) << 30
	file := &sparse{pieces: make(map[int64][]byte)}
	var central []byte
	at := int64(0)
	entry := func(name string, size int64) {
		r := record{name: name, crc: 7, size: size, header: at}
		b := le.AppendUint32(nil, localMagic)
		b = append(b, 0, 0, 8, 8) // flags: descriptor, UTF-8
		b = append(b, make([]byte, 18)...)
		b = le.AppendUint16(b, uint16(len(name)))
		b = le.AppendUint16(b, 0)
		b = append(b, name...)
		file.put(at, b)
		at += int64(len(b)) + size
		wide := size >= max32 || r.header >= max32
		d := le.AppendUint32(nil, descriptorMagic)
		d = le.AppendUint32(d, 7)
		if wide {
			d = le.AppendUint64(le.AppendUint64(d, uint64(size)), uint64(size))
		} else {
			d = le.AppendUint32(le.AppendUint32(d, uint32(size)), uint32(size))
		}
		file.put(at, d)
		at += int64(len(d))
		start := len(central)
		central = r.appendCentral(central)
		le.PutUint16(central[start+8:], flagDescriptor|flagUTF8)
	}
	entry("m/data.pkl", 100)
	entry("m/data/0", size)
	entry("m/version", 2)
	l := &layout{size: at}
	end := l.end() // no entries: only its end records are used
	le.PutUint64(end[24:], 3)
	le.PutUint64(end[32:], 3)
	le.PutUint64(end[40:], uint64(len(central)))
	le.PutUint64(end[end64Size+8:], uint64(at)+uint64(len(central)))
	plain := end[end64Size+locator64Size:]
	le.PutUint16(plain[8:], 3)
	le.PutUint16(plain[10:], 3)
	le.PutUint32(plain[12:], uint32(len(central)))
	file.put(at, append(central, end...))
	a, err := openArchive(source{file}, file.size, 10)
	if err != nil {
		t.Fatal(err)
	}
	if r := a.byName["m/data/0"]; r.size != size || r.data != 156+30+8 {
		t.Errorf("got %+v", r)
	}
}

func TestStrides(t *testing.T) {
	for _, c := range []struct{ shape, want string }{
		{"[]", "[]"}, {"[5]", "[1]"}, {"[2 3 4]", "[12 4 1]"}, {"[2 0 4]", "[4 4 1]"}, // torch.zeros(2, 0, 4).stride()
	} {
		var shape []int64
		var a, b, d int64
		switch n, _ := fmt.Sscanf(c.shape, "[%d %d %d]", &a, &b, &d); n {
		case 1:
			shape = []int64{a}
		case 3:
			shape = []int64{a, b, d}
		}
		if got := fmt.Sprint(strides(shape)); got != c.want {
			t.Errorf("%s: %s, want %s", c.shape, got, c.want)
		}
	}
}

// Integers come back, each in its shortest form.
func TestIntegers(t *testing.T) {
	for _, c := range []struct {
		n      int64
		length int
	}{{0, 2}, {255, 2}, {256, 3}, {65535, 3}, {65536, 5}, {1<<31 - 1, 5}, {1 << 31, 7}, {1<<39 - 1, 7}, {1 << 39, 8}, {1<<63 - 1, 10}} {
		p := &pickler{}
		p.integer(c.n)
		m := &machine{limits: Reader{}.limits(0)}
		v, err := m.unpickle(append([]byte{opProto, 2}, append(p.b, opStop)...))
		if err != nil || v != c.n || len(p.b) != c.length {
			t.Errorf("%d: % x gives %v, %v", c.n, p.b, v, err)
		}
	}
}
