package regular_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/wangkuiyi/gotorch/regular"
)

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(at("file"), []byte("12345"), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"link": "file", "circle": "circle", "dangling": "none", "link to pipe": "pipe"} {
		if err := os.Symlink(to, at(name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(at("pipe"), 0o666); err != nil {
		t.Fatal(err)
	}
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if err := syscall.Bind(fd, &syscall.SockaddrUnix{Name: at("socket")}); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(at("folder"), 0o777); err != nil {
		t.Fatal(err)
	}
	device := syscall.Mknod(at("device"), syscall.S_IFCHR|0o666, 1<<8|5) == nil // zero; by root alone

	for _, name := range []string{"file", "link"} {
		f, size, err := regular.Open(at(name))
		if err != nil || size != 5 || regular.Check(at(name)) != nil {
			t.Errorf("%s: %d bytes, %v", name, size, err)
			continue
		}
		b := make([]byte, 2)
		if _, err := f.ReadAt(b, 3); err != nil || string(b) != "45" {
			t.Errorf("%s: %q, %v", name, b, err)
		}
		f.Close()
	}
	wrong := map[string]error{
		"pipe": regular.ErrNotRegular, "link to pipe": regular.ErrNotRegular, "socket": regular.ErrNotRegular, "folder": regular.ErrNotRegular,
		"circle": syscall.ELOOP, "none": fs.ErrNotExist, "dangling": regular.ErrDangling, "file/x": syscall.ENOTDIR,
	}
	if device {
		wrong["device"] = regular.ErrNotRegular
	}
	for name, want := range wrong {
		if _, _, err := regular.Open(at(name)); !errors.Is(err, want) || !strings.Contains(err.Error(), at(name)) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
		nothing := want == fs.ErrNotExist || want == regular.ErrDangling // yet: what is written goes to where a link leads
		if err := regular.Check(at(name)); nothing && err != nil || !nothing && !errors.Is(err, want) {
			t.Errorf("%s: Check gives %v", name, err)
		}
	}
}
