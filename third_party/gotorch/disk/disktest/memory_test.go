package disktest_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/wangkuiyi/gotorch/disk"
	"github.com/wangkuiyi/gotorch/disk/disktest"
)

// put writes a file and syncs what is asked for.
func put(t *testing.T, m disk.FS, path string, data []byte, sync bool) {
	t.Helper()
	f, err := m.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(data); err != nil {
		t.Fatal(err)
	}
	if sync {
		if err := f.Sync(); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func syncDir(t *testing.T, m disk.FS, path string) {
	t.Helper()
	d, err := m.OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Sync(); err != nil {
		t.Fatal(err)
	}
	d.Close()
}

// crashes gives what each of many power cuts at the end leaves of a file: "none", or its content.
func crashes(t *testing.T, m *disktest.Memory, path string) map[string]int {
	t.Helper()
	seen := map[string]int{}
	random := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		b, err := m.Crash(m.Effects(), random).ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			seen["none"]++
		} else if err != nil {
			t.Fatal(err)
		} else {
			seen[string(b)]++
		}
	}
	return seen
}

// What was synced is there after every power cut; of the rest every kind of loss is seen.
func TestCrash(t *testing.T) {
	whole := []byte(strings.Repeat("a", 512) + strings.Repeat("b", 512) + "c")
	m := disktest.NewMemory("/d")
	put(t, m, "/d/x", whole, true)
	syncDir(t, m, "/d")
	if seen := crashes(t, m, "/d/x"); seen[string(whole)] != 400 {
		t.Errorf("synced: %d of 400 are whole", seen[string(whole)])
	}

	m = disktest.NewMemory("/d")
	put(t, m, "/d/x", whole, true)
	if seen := crashes(t, m, "/d/x"); seen["none"] == 0 || seen[string(whole)] == 0 || len(seen) != 2 {
		t.Errorf("without the folder's fsync it is whole %d times, missing %d times, and there are %d kinds", seen[string(whole)], seen["none"], len(seen))
	}

	m = disktest.NewMemory("/d")
	put(t, m, "/d/x", whole, false)
	syncDir(t, m, "/d")
	seen := crashes(t, m, "/d/x")
	torn := func(first, second, third string) string { return first + second + third }
	zeros := strings.Repeat("\x00", 512)
	for _, want := range []string{"", string(whole), string(whole[:512]), torn(zeros, string(whole[512:1024]), ""), torn(string(whole[:512]), zeros, "c")} {
		if seen[want] == 0 {
			t.Errorf("without the file's fsync %q... of %d bytes is never seen", want[:min(3, len(want))], len(want))
		}
	}
	garbage := 0
	for content := range seen {
		if strings.Trim(content, "abc\x00") != "" {
			garbage++
		}
	}
	if garbage == 0 || seen["none"] > 0 {
		t.Errorf("garbage %d times, no file %d times", garbage, seen["none"])
	}

	// A rename is there at once or not at all, and keeps the content that was synced.
	m = disktest.NewMemory("/d")
	put(t, m, "/d/x", []byte("old"), true)
	put(t, m, "/d/y", []byte("new"), true)
	m.Settle()
	if err := m.Rename("/d/y", "/d/x"); err != nil {
		t.Fatal(err)
	}
	if seen := crashes(t, m, "/d/x"); seen["old"] == 0 || seen["new"] == 0 || len(seen) != 2 {
		t.Errorf("a rename: %v", seen)
	}
	// A cut before it leaves the old one.
	if b, err := m.Crash(m.Effects()-1, rand.New(rand.NewPCG(1, 2))).ReadFile("/d/x"); err != nil || string(b) != "old" {
		t.Errorf("before the rename: %q, %v", b, err)
	}
}

// It behaves as the system does, error for error.
func TestMemoryIsLikeTheSystem(t *testing.T) {
	dir := t.TempDir()
	m := disktest.NewMemory(dir)
	type step struct {
		what string
		do   func(f disk.FS) error
	}
	read := func(path, want string) func(f disk.FS) error {
		return func(f disk.FS) error {
			r, size, err := f.Open(path)
			if err != nil {
				return err
			}
			defer r.Close()
			b, err := io.ReadAll(r)
			if string(b) != want || size != int64(len(want)) {
				t.Errorf("%s: %q of %d bytes, want %q", path, b, size, want)
			}
			return err
		}
	}
	p := func(name string) string { return dir + "/" + name }
	for _, s := range []step{
		{"open none", read(p("x"), "")},
		{"create", func(f disk.FS) error { put(t, f, p("x"), []byte("one"), true); return nil }},
		{"create again", func(f disk.FS) error { _, err := f.Create(p("x")); return err }},
		{"create in none", func(f disk.FS) error { _, err := f.Create(p("no/x")); return err }},
		{"create in a file", func(f disk.FS) error { _, err := f.Create(p("x/y")); return err }},
		{"read", read(p("x"), "one")},
		{"append to none", func(f disk.FS) error { _, err := f.Append(p("no")); return err }},
		{"append", func(f disk.FS) error {
			w, err := f.Append(p("x"))
			if err == nil {
				_, err = w.Write([]byte(", two"))
				w.Close()
			}
			return err
		}},
		{"read more", read(p("x"), "one, two")},
		{"link", func(f disk.FS) error { return f.Link(p("x"), p("y")) }},
		{"link over another", func(f disk.FS) error { return f.Link(p("x"), p("y")) }},
		{"link of none", func(f disk.FS) error { return f.Link(p("no"), p("z")) }},
		{"rename of one file's names", func(f disk.FS) error { return f.Rename(p("x"), p("y")) }},
		{"both stay", read(p("x"), "one, two")},
		{"mkdir", func(f disk.FS) error { return f.Mkdir(p("d")) }},
		{"mkdir again", func(f disk.FS) error { return f.Mkdir(p("d")) }},
		{"mkdir in none", func(f disk.FS) error { return f.Mkdir(p("no/d")) }},
		{"open a folder", read(p("d"), "")},
		{"rename into it", func(f disk.FS) error { return f.Rename(p("y"), p("d/y")) }},
		{"rename of none", func(f disk.FS) error { return f.Rename(p("no"), p("d/z")) }},
		{"read there", read(p("d/y"), "one, two")},
		{"remove a full folder", func(f disk.FS) error { return f.Remove(p("d")) }},
		{"update", func(f disk.FS) error {
			u, size, err := f.Update(p("part"))
			if err != nil || size != 0 {
				return err
			}
			defer u.Close()
			if _, err := u.WriteAt([]byte("456"), 3); err != nil {
				return err
			}
			if err := u.Truncate(5); err != nil {
				return err
			}
			b := make([]byte, 4)
			n, err := u.ReadAt(b, 2)
			if string(b[:n]) != "\x0045" || err != io.EOF {
				t.Errorf("read %q, %v", b[:n], err)
			}
			return u.Sync()
		}},
		{"read it", read(p("part"), "\x00\x00\x0045")},
		{"remove", func(f disk.FS) error { return f.Remove(p("x")) }},
		{"remove none", func(f disk.FS) error { return f.Remove(p("x")) }},
		{"stat none", func(f disk.FS) error { _, err := f.Stat(p("x")); return err }},
		{"stat in a file", func(f disk.FS) error { _, err := f.Lstat(p("part/x")); return err }},
		{"list none", func(f disk.FS) error { _, err := f.ReadDir(p("x")); return err }},
		{"open the folder of none", func(f disk.FS) error { _, err := f.OpenDir(p("x")); return err }},
	} {
		var errs [2]error
		for i, f := range []disk.FS{disk.OS, m} {
			errs[i] = s.do(f)
		}
		var want syscall.Errno
		switch {
		case errs[0] == nil && errs[1] == nil:
		case errors.As(errs[0], &want) && errors.Is(errs[1], want):
		case errs[0] != nil && errs[1] != nil && strings.HasSuffix(errs[1].Error(), errs[0].Error()[strings.LastIndex(errs[0].Error(), ":"):]):
		default:
			t.Errorf("%s: the system says %v, the memory %v", s.what, errs[0], errs[1])
		}
	}
	entries, err := disk.OS.ReadDir(dir)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if err != nil || !slices.Equal(names, m.Names(dir)) {
		t.Errorf("the system has %v, the memory %v", names, m.Names(dir))
	}
}

// A full disk keeps what fits; a removed file's room is free again, and a link takes none.
func TestRoom(t *testing.T) {
	m := disktest.NewMemory("/d")
	m.Room = 10
	put(t, m, "/d/x", []byte("1234567"), false)
	if err := m.Link("/d/x", "/d/link"); err != nil {
		t.Fatal(err)
	}
	f, err := m.Create("/d/y")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := f.Write([]byte("abcdef")); n != 3 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%d bytes, %v", n, err)
	}
	for _, name := range []string{"/d/x", "/d/link"} {
		if err := m.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := f.Write([]byte("defghij")); n != 7 || err != nil {
		t.Errorf("with room again: %d bytes, %v", n, err)
	}
}

// One byte is kept wrong, and nobody says so.
func TestWrongByte(t *testing.T) {
	m := disktest.NewMemory("/d")
	m.WrongByte = 5
	put(t, m, "/d/x", []byte("abc"), true)
	put(t, m, "/d/y", []byte("def"), true)
	x, _ := m.ReadFile("/d/x")
	y, _ := m.ReadFile("/d/y")
	if string(x) != "abc" || !bytes.Equal(y, []byte{'d', 'e' ^ 0x10, 'f'}) {
		t.Errorf("%q, %q", x, y)
	}
}

// Every operation fails, in turn, as it is told to.
func TestFailing(t *testing.T) {
	write := func(f disk.FS) error {
		w, err := f.Create("/d/x")
		if err != nil {
			return err
		}
		_, err = w.Write([]byte("abcd"))
		return errors.Join(err, w.Close())
	}
	seen := 0
	for failing, op := range disktest.EveryFault(disktest.NewMemory("/d")) {
		m := disktest.NewMemory("/d")
		failing.FS = m
		err := write(failing)
		if failing.At == 0 {
			if err != nil || len(failing.Ops()) != 3 {
				t.Fatalf("%v, %v", err, failing.Ops())
			}
			continue
		}
		seen++
		if !errors.Is(err, failing.Err) {
			t.Errorf("%s with %v: %v", op.Name, failing.Err, err)
		}
		if b, _ := m.ReadFile("/d/x"); op.Name == "write" && failing.Err == io.ErrShortWrite && string(b) != "ab" {
			t.Errorf("a short write wrote %q", b)
		}
	}
	if seen != 3*5*2 {
		t.Errorf("%d faults", seen)
	}
}
