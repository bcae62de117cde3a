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
	"github.com/wangkuiyi/gotorch/disk"
	"github.com/wangkuiyi/gotorch/disk/disktest"
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
	for failing, op := range disktest.EveryFault(disk.OS) {
		if err := os.WriteFile(path, old, 0o666); err != nil {
			t.Fatal(err)
		}
		restore := disk.Use(failing)
		err := atomicfile.Write(path, write)
		restore()
		want := "open the folder,create,write,write,fsync,close,rename,fsync the folder"
		var ops []string
		for _, o := range failing.Ops() {
			ops = append(ops, o.Name)
		}
		if failing.At == 0 {
			if got := strings.Join(ops, ","); err != nil || got != "open folder,create,write,write,fsync,close,rename,fsync folder" {
				t.Fatalf("%v; operations %s", err, got)
			}
			continue
		}
		if named := strings.Split(want, ",")[failing.At-1]; !errors.Is(err, failing.Err) || !strings.Contains(err.Error(), named) || !strings.Contains(err.Error(), filepath.Dir(path)) {
			t.Errorf("%s, %v: the message is %v", op.Name, failing.Err, err)
		}
		content := old
		if op.Name == "fsync folder" {
			content = fresh
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%s, %v: the file is damaged (%d bytes, %v)", op.Name, failing.Err, len(got), err)
		}
		if n := strings.Count(strings.Join(ops, ","), "fsync"); n > 1 && op.Name == "fsync" {
			t.Errorf("%d fsyncs, though one failed", n)
		}
		wantOnly(t, path)
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
