package atomicfile_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wangkuiyi/gotorch/atomicfile"
	"github.com/wangkuiyi/gotorch/regular"
)

// Links stay, and what they name is replaced: in another folder, over several steps, and where nothing is yet.
func TestLinksAreFollowed(t *testing.T) {
	links, files := t.TempDir(), t.TempDir()
	old := filepath.Join(files, "old.npz")
	if err := os.WriteFile(old, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	relative, err := filepath.Rel(links, filepath.Join(files, "new.npz"))
	if err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"direct": old, "twice": "direct", "dangling": relative, "folder": files} {
		if err := os.Symlink(to, filepath.Join(links, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, file := range map[string]string{"direct": "old.npz", "twice": "old.npz", "dangling": "new.npz", "folder/third.npz": "third.npz"} {
		path := filepath.Join(links, name)
		if err := atomicfile.Check(path); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := atomicfile.WriteFile(path, []byte(name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if to, err := atomicfile.Target(path); err != nil || filepath.Base(to) != file {
			t.Errorf("%s means %s, %v", name, to, err)
		}
		if got, err := os.ReadFile(filepath.Join(files, file)); err != nil || string(got) != name {
			t.Errorf("%s holds %q, %v", file, got, err)
		}
	}
	for _, name := range []string{"direct", "twice", "dangling", "folder"} {
		if info, err := os.Lstat(filepath.Join(links, name)); err != nil || info.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("%s is no longer a link", name)
		}
	}
	if entries, _ := os.ReadDir(links); len(entries) != 4 {
		t.Errorf("beside the links: %v", entries)
	}
}

func TestLinksInACircle(t *testing.T) {
	dir := t.TempDir()
	for a, b := range map[string]string{"a": "b", "b": "a"} {
		if err := os.Symlink(b, filepath.Join(dir, a)); err != nil {
			t.Fatal(err)
		}
	}
	if err := atomicfile.WriteFile(filepath.Join(dir, "a"), nil); err == nil || !strings.Contains(err.Error(), "links") {
		t.Errorf("%v", err)
	}
}

// A pipe gets the bytes and stays a pipe, also behind a link; one that nobody reads is an error after a while.
func TestPipe(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o666); err != nil {
		t.Skip(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink("pipe", link); err != nil {
		t.Fatal(err)
	}
	defer atomicfile.WaitForReaders(atomicfile.WaitForReaders(30 * time.Millisecond))
	if _, err := atomicfile.Target(link); err == nil || !strings.Contains(err.Error(), "regular") {
		t.Errorf("a pipe is a target: %v", err)
	}
	if err := atomicfile.WriteFile(pipe, []byte("x")); err == nil || !strings.Contains(err.Error(), "reader") || !strings.Contains(err.Error(), pipe) {
		t.Errorf("without a reader: %v", err)
	}
	content := bytes.Repeat([]byte("pipe"), 50_000) // more than it holds
	for _, path := range []string{pipe, link} {
		r, err := os.OpenFile(pipe, os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan []byte)
		wrote := make(chan error, 1)
		go func() { wrote <- atomicfile.WriteFile(path, content) }()
		if err := atomicfile.Check(path); err != nil {
			t.Error(err)
		}
		go func() {
			var b []byte
			for buf := make([]byte, 1<<16); len(b) < len(content); {
				n, err := r.Read(buf)
				if b = append(b, buf[:n]...); err != nil && err != io.EOF {
					break
				}
			}
			got <- b
		}()
		if b := <-got; !bytes.Equal(b, content) {
			t.Errorf("%s: %d bytes came through, want %d", path, len(b), len(content))
		}
		if err := <-wrote; err != nil {
			t.Error(err)
		}
		r.Close()
	}
	if info, err := os.Lstat(pipe); err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
		t.Error("the pipe was replaced")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("left: %v", entries)
	}
}

// A program's own files are never pipes: nobody reads from one that has come to be in their place, and nothing waits.
func TestReplaceOnlyFiles(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := syscall.Mkfifo(at("pipe"), 0o666); err != nil {
		t.Skip(err)
	}
	for name, to := range map[string]string{"link to pipe": "pipe", "link": "file", "link to none": "new"} {
		if err := os.Symlink(to, at(name)); err != nil {
			t.Fatal(err)
		}
	}
	replace := func(name string) error {
		return atomicfile.Replace(at(name), func(w io.Writer) error {
			_, err := io.WriteString(w, name)
			return err
		})
	}
	for _, name := range []string{"file", "file", "link", "link to none"} {
		if err := replace(name); err != nil {
			t.Error(err)
		} else if b, err := os.ReadFile(at(name)); err != nil || string(b) != name {
			t.Errorf("%s holds %q, %v", name, b, err)
		}
	}
	pipes := []string{"pipe", "link to pipe"}
	if syscall.Mknod(at("device"), syscall.S_IFCHR|0o666, 1<<8|3) == nil { // by root alone
		pipes = append(pipes, "device")
	}
	for _, name := range pipes {
		if err := replace(name); !errors.Is(err, regular.ErrNotRegular) || !strings.Contains(err.Error(), at(name)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A device of the test's own, as null is, stays one.
func TestDevice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "null")
	if err := syscall.Mknod(path, syscall.S_IFCHR|0o666, 1<<8|3); err != nil {
		t.Skipf("devices can be made by root alone: %v", err)
	}
	err := atomicfile.WriteFile(path, []byte("gone"))
	if err != nil && strings.Contains(err.Error(), "permission") {
		t.Skipf("devices are not opened here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode()&fs.ModeCharDevice == 0 {
		t.Errorf("the device became %v", info.Mode())
	}
	wantOnly(t, path)
}

func TestNeverWritten(t *testing.T) {
	dir := t.TempDir()
	socket := filepath.Join(dir, "socket")
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Skip(err)
	}
	defer syscall.Close(fd)
	if err := syscall.Bind(fd, &syscall.SockaddrUnix{Name: socket}); err != nil {
		t.Skip(err)
	}
	for path, want := range map[string]string{socket: "neither", dir: "folder", filepath.Join(dir, "no/x"): "no such file"} {
		_, target := atomicfile.Target(path)
		for name, err := range map[string]error{"Write": atomicfile.WriteFile(path, nil), "Check": atomicfile.Check(path), "Target": target} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s %s: %v", name, path, err)
			}
		}
	}
}

// What stands for the standard output is written in its place in the stream, be it a file or a pipe.
func TestStandardOutput(t *testing.T) {
	if path := os.Getenv("ATOMICFILE_TEST_PATH"); path != "" {
		fmt.Print("before,")
		err := atomicfile.WriteFile(path, []byte("content,"))
		fmt.Print("after,", err)
		os.Exit(0)
	}
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink("/proc/self/fd/1", link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/proc/self/fd/1", link} {
		file, err := os.Create(filepath.Join(dir, "out"))
		if err != nil {
			t.Fatal(err)
		}
		var piped bytes.Buffer
		for _, out := range []io.Writer{file, &piped} {
			cmd := exec.Command(os.Args[0], "-test.run=^TestStandardOutput$")
			cmd.Env = append(os.Environ(), "ATOMICFILE_TEST_PATH="+path)
			cmd.Stdout = out
			if err := cmd.Run(); err != nil {
				t.Fatal(err)
			}
		}
		file.Close()
		const want = "before,content,after,<nil>"
		if got, _ := os.ReadFile(file.Name()); string(got) != want || piped.String() != want {
			t.Errorf("%s: a file holds %q, a pipe %q, want %q", path, got, piped.String(), want)
		}
	}
}
