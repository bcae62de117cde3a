package atomicfile

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/wangkuiyi/gotorch/disk"
)

const bufferSize = 256 << 10

// Write replaces the file at path by what write writes; the Writer is buffered. The package comment says what holds
// when it fails. Links are followed; a pipe, a terminal or another device is written to and stays what it is.
func Write(path string, write func(w io.Writer) error) error {
	t, err := resolve(path)
	switch {
	case err != nil:
		return err
	case t.through:
		return t.writeThrough(path, write)
	}
	return replace(t.path, write)
}

// Replace is [Write] for a program's own files, where whatever is no regular file is out of place: it is refused at
// once, with [regular.ErrNotRegular].
func Replace(path string, write func(w io.Writer) error) error {
	to, err := Target(path)
	if err != nil {
		return err
	}
	return replace(to, write)
}

// WriteFile replaces the file at path by data.
func WriteFile(path string, data []byte) error {
	return Write(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// replace is [Write] to what is a regular file, or none yet.
func replace(path string, write func(w io.Writer) error) (err error) {
	dirPath, base := filepath.Split(path)
	if base == "" || base == "." || base == ".." {
		return fmt.Errorf("write %s: not the name of a file", path)
	}
	dir, err := disk.OpenDir(filepath.Clean(dirPath))
	if err != nil {
		return failed("open the folder", dirPath, err)
	}
	defer func() { _ = dir.Close() }() // it was only read

	temporary := filepath.Join(dirPath, prefix(base)+rand.Text())
	f, err := disk.Create(temporary)
	if err != nil {
		return failed("create", temporary, err)
	}
	live.add(disk.Now(), temporary)
	closed, renamed := false, false
	defer func() {
		live.remove(temporary)
		if !closed {
			_ = f.Close() // there is an earlier error, or a panic
		}
		if renamed {
			return
		}
		if e := disk.Remove(temporary); e != nil {
			err = fmt.Errorf("%w; and %w", err, failed("remove", temporary, e))
		}
	}()

	if err := fill(f, path, write); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return failed("fsync", path, err)
	}
	closed = true
	if err := f.Close(); err != nil {
		return failed("close", path, err)
	}
	if err := disk.Rename(temporary, path); err != nil {
		return failed("rename to", path, err)
	}
	renamed = true
	if err := dir.Sync(); err != nil {
		return failed("fsync the folder of", path, err)
	}
	return nil
}

func fill(f disk.File, path string, write func(w io.Writer) error) error {
	w := &recorder{w: f}
	buffered := bufio.NewWriterSize(w, bufferSize)
	err := write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	switch {
	case w.err != nil: // the system's, whatever write made of it, even nothing
		return failed("write", path, w.err)
	case err != nil:
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// recorder keeps the first error, and makes one of a short write.
type recorder struct {
	w   io.Writer
	err error
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.w.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	r.err = err
	return n, err
}

// failed names operation and path once: what the os package says of the temporary would only confuse.
func failed(operation, path string, err error) error {
	var pe *fs.PathError
	var le *os.LinkError
	switch {
	case errors.As(err, &pe):
		err = pe.Err
	case errors.As(err, &le):
		err = le.Err
	}
	if path == "" {
		path = "."
	}
	return fmt.Errorf("%s %s: %w", operation, path, err)
}
