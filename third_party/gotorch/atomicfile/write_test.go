package atomicfile_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/wangkuiyi/gotorch/atomicfile"
)

func TestReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.pth")
	for _, text := range []string{"old", "new and longer", ""} {
		if err := atomicfile.WriteFile(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("got %q, %v, want %q", got, err, text)
		}
	}
	wantOnly(t, path)
}

func TestMode(t *testing.T) {
	old := syscall.Umask(0o027)
	defer syscall.Umask(old)
	path := filepath.Join(t.TempDir(), "x")
	if err := atomicfile.WriteFile(path, nil); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o640 {
		t.Errorf("mode %v, %v, want 0640", info.Mode(), err)
	}
}

func TestRelativeAndLongNames(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, path := range []string{"x", "./y", strings.Repeat("n", 255)} {
		if err := atomicfile.WriteFile(path, []byte("a")); err != nil {
			t.Error(err)
		}
	}
	for _, path := range []string{"", ".", "..", "z/"} {
		if err := atomicfile.WriteFile(path, nil); err == nil {
			t.Errorf("%q was written", path)
		}
	}
}

// faulty is the real file system, whose n-th operation fails; short writes fail without an error.
type faulty struct {
	n, at int
	err   error
	log   []string
	once  bool // only that one fails, not all after it too
}

func (f *faulty) fail(op string) error {
	f.n++
	f.log = append(f.log, op)
	if f.n == f.at || !f.once && f.n > f.at && op != "remove" {
		return f.err
	}
	return nil
}

type faultyFile struct {
	atomicfile.File
	f *faulty
}

func (f *faulty) Create(path string) (atomicfile.File, error) {
	if err := f.fail("create"); err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	file, err := atomicfile.OS.Create(path)
	return faultyFile{file, f}, err
}

func (f *faulty) OpenDir(path string) (atomicfile.Dir, error) {
	if err := f.fail("open the folder"); err != nil {
		return nil, err
	}
	d, err := atomicfile.OS.OpenDir(path)
	return faultyDir{d, f}, err
}

func (f *faulty) Rename(from, to string) error {
	if err := f.fail("rename"); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return atomicfile.OS.Rename(from, to)
}

func (f *faulty) Remove(path string) error {
	if err := f.fail("remove"); err != nil {
		return err
	}
	return atomicfile.OS.Remove(path)
}

func (f faultyFile) Write(b []byte) (int, error) {
	if err := f.f.fail("write"); err != nil {
		if err == io.ErrShortWrite {
			n, _ := f.File.Write(b[:len(b)/2])
			return n, nil
		}
		return 0, err
	}
	return f.File.Write(b)
}

func (f faultyFile) Sync() error {
	if err := f.f.fail("fsync"); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f faultyFile) Close() error {
	e := f.File.Close()
	if err := f.f.fail("close"); err != nil {
		return err
	}
	return e
}

type faultyDir struct {
	atomicfile.Dir
	f *faulty
}

func (d faultyDir) Sync() error {
	if err := d.f.fail("fsync the folder"); err != nil {
		return err
	}
	return d.Dir.Sync()
}

// Each operation fails in each way, once and for good: the old file stays, the message names operation and path, no
// temporary is left. Only when the very last operation fails, the folder's fsync, the new file is there already.
func TestEveryFault(t *testing.T) {
	old, fresh := []byte("the old content"), bytes.Repeat([]byte("new"), 300_000)
	path := filepath.Join(t.TempDir(), "state.pth")
	write := func(w io.Writer) error {
		for _, half := range [][]byte{fresh[:len(fresh)/2], fresh[len(fresh)/2:]} {
			_, _ = w.Write(half) // a careless caller: the error must come out all the same
		}
		return nil
	}
	good := &faulty{}
	if err := atomicfile.WriteTo(good, path, write); err != nil {
		t.Fatal(err)
	}
	want := "open the folder,create,write,write,fsync,close,rename,fsync the folder"
	if got := strings.Join(good.log, ","); got != want {
		t.Fatalf("operations %s, want %s", got, want)
	}
	for at := 1; at <= len(good.log); at++ {
		for _, fault := range []error{syscall.ENOSPC, syscall.EIO, syscall.EDQUOT, syscall.EINTR, io.ErrShortWrite} {
			for _, once := range []bool{true, false} {
				if err := os.WriteFile(path, old, 0o666); err != nil {
					t.Fatal(err)
				}
				op := good.log[at-1]
				fs := &faulty{at: at, err: fault, once: once}
				err := atomicfile.WriteTo(fs, path, write)
				if !errors.Is(err, fault) || !strings.Contains(err.Error(), op) || !strings.Contains(err.Error(), filepath.Dir(path)) {
					t.Errorf("%s, %v: the message is %v", op, fault, err)
				}
				content := old
				if at == len(good.log) {
					content = fresh
				}
				if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, content) {
					t.Errorf("%s, %v: the file is damaged (%d bytes, %v)", op, fault, len(got), err)
				}
				if n := strings.Count(strings.Join(fs.log, ","), "fsync"); n > 1 && op == "fsync" {
					t.Errorf("%d fsyncs, though one failed", n)
				}
				wantOnly(t, path)
			}
		}
	}
}

func TestWriterFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	if err := atomicfile.WriteFile(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	wrong := errors.New("not finite")
	if err := atomicfile.Write(path, func(io.Writer) error { return wrong }); !errors.Is(err, wrong) || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = atomicfile.Write(path, func(io.Writer) error { panic("bug") })
	}()
	if got, err := os.ReadFile(path); err != nil || string(got) != "old" {
		t.Errorf("got %q, %v", got, err)
	}
	wantOnly(t, path)
}

// wantOnly wants the file at path and nothing else in its folder.
func wantOnly(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 || entries[0].Name() != filepath.Base(path) {
		t.Errorf("in the folder: %v, %v", entries, err)
	}
}

func ExampleWrite() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "losses.csv")
	err = atomicfile.Write(path, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, "step,loss")
		return err
	})
	text, _ := os.ReadFile(path)
	fmt.Printf("%v %q\n", err, text)
	// Output: <nil> "step,loss\n"
}
