package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestCancel stops at many moments: only a part remains, and the next run goes on
// from it.
func TestCancel(t *testing.T) {
	data := someBytes(400_000)
	stop := errors.New("the user's wish")
	for k := range 12 {
		path := filepath.Join(t.TempDir(), "file.bin")
		s := &server{data: data}
		ctx, cancel := context.WithCancelCause(context.Background())
		calls := 0
		err := File(ctx, path, wanted(data, s.url(t)), Options{Progress: func(done, _ int64) {
			if calls++; calls > k || done == int64(len(data)) {
				cancel(stop)
			}
		}})
		cancel(nil)
		promise(t, path, data)
		if !errors.Is(err, stop) {
			t.Fatalf("stopped at call %d: error %v", k, err)
		}
		var kept int64
		if stat, err := os.Stat(Partial(path)); err == nil {
			kept = stat.Size()
		}
		if k > 0 && kept == 0 {
			t.Errorf("stopped at call %d: nothing was kept", k)
		}
		if err := getTo(t, path, data, Options{}, s.url(t)); err != nil {
			t.Error(err)
		}
		if got := s.seen(); kept > 0 && kept < int64(len(data)) && got[len(got)-1] != fmt.Sprintf("bytes=%d-", kept) {
			t.Errorf("kept %d, but then asked for %q", kept, got)
		}
	}
	// While a server stalls, and while waiting to go on.
	ctx, cancel := context.WithCancelCause(context.Background())
	time.AfterFunc(30*time.Millisecond, func() { cancel(stop) })
	began := time.Now()
	err := File(ctx, filepath.Join(t.TempDir(), "f"), wanted(data, (&server{data: data, stall: -1}).url(t)), Options{})
	if !errors.Is(err, stop) || time.Since(began) > 5*time.Second {
		t.Errorf("error %v after %v", err, time.Since(began))
	}
}

// TestDisk: faults of our own disk end it at once, with operation and path.
func TestDisk(t *testing.T) {
	data := someBytes(3000)
	good := (&server{data: data}).url(t)
	dir := t.TempDir()
	for name, c := range map[string]struct {
		prepare func(path string) error
		says    string
	}{
		"a folder as part": {func(p string) error { return os.Mkdir(Partial(p), 0o755) }, "create"},
		"a pipe as part":   {func(p string) error { return syscall.Mkfifo(Partial(p), 0o644) }, "no regular file"},
		"a link as part": {func(p string) error {
			return errors.Join(os.WriteFile(p+".other", someBytes(9000), 0o644), os.Symlink(p+".other", Partial(p)))
		}, "no regular file"},
		"a folder of that name": {func(p string) error { return os.MkdirAll(filepath.Join(p, "x"), 0o755) }, "it is a folder"},
		"no folder":             {func(p string) error { return os.Remove(filepath.Dir(p)) }, "no such file"},
	} {
		path := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"), "file.bin")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := c.prepare(path); err != nil {
			t.Fatal(err)
		}
		err := File(context.Background(), path, wanted(data, good, good), Options{StallTimeout: longStall, pause: testPause})
		if err == nil || !strings.HasPrefix(err.Error(), c.says) && !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v", name, err)
		}
		if b, err := os.ReadFile(path + ".other"); name == "a link as part" && (err != nil || !bytes.Equal(b, someBytes(9000))) {
			t.Errorf("%s: what it means holds %d other bytes, %v", name, len(b), err)
		}
	}
}

// TestDiskFull has a file-size limit cut the part short.
func TestDiskFull(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no /dev/full here")
	}
	defer full.Close()
	data := someBytes(3000)
	url := (&server{data: data}).url(t)
	d := &download{path: filepath.Join(t.TempDir(), "f"), want: wanted(data, url, url), opts: Options{StallTimeout: longStall, pause: testPause}, part: full, client: client(nil)}
	if err := d.gather(context.Background()); !errors.Is(err, syscall.ENOSPC) || !strings.HasPrefix(err.Error(), "write ") {
		t.Errorf("error %v", err)
	}
}
