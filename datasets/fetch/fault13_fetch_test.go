package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wangkuiyi/gotorch/faulttest"
)

// get fetches data to a fresh folder and checks the promise: under the name there
// is the right file or none, and beside it at most the part.
func get(t *testing.T, data []byte, opts Options, urls ...string) (path string, err error) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "file.bin")
	return path, getTo(t, path, data, opts, urls...)
}

func getTo(t *testing.T, path string, data []byte, opts Options, urls ...string) error {
	t.Helper()
	if opts.StallTimeout == 0 {
		opts.StallTimeout = longStall
	}
	opts.pause = testPause
	err := File(context.Background(), path, wanted(data, urls...), opts)
	promise(t, path, data)
	if got, e := os.ReadFile(path); err == nil && !bytes.Equal(got, data) {
		t.Errorf("no error, but the file has %d bytes of %d, %v", len(got), len(data), e)
	} else if err != nil && e == nil {
		t.Errorf("error %v, but the file is there", err)
	}
	faulttest.Report(t, "13", 1)
	return err
}

func promise(t *testing.T, path string, data []byte) {
	t.Helper()
	if got, err := os.ReadFile(path); err == nil && !bytes.Equal(got, data) {
		t.Errorf("a wrong file of %d bytes got the name", len(got))
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if p := filepath.Join(filepath.Dir(path), e.Name()); p != path && p != Partial(path) {
			t.Errorf("%s was left", e.Name())
		}
	}
}

// Links stay, and what they name gets the file.
func TestLinks(t *testing.T) {
	data := someBytes(3000)
	s := &server{data: data}
	url := s.url(t)
	links, files := t.TempDir(), t.TempDir()
	target := filepath.Join(files, "target.bin")
	for _, there := range []bool{false, true} {
		path := filepath.Join(links, fmt.Sprint(there))
		if err := os.Symlink(target, path); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(target); err != nil && there {
			t.Fatal(err)
		}
		if there {
			if err := os.WriteFile(target, []byte("old"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if err := File(context.Background(), path, wanted(data, url), Options{pause: testPause}); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Lstat(path); err != nil || info.Mode()&os.ModeSymlink == 0 {
			t.Errorf("the link was replaced, %v", err)
		}
		if got, err := os.ReadFile(target); err != nil || !bytes.Equal(got, data) {
			t.Errorf("the target has %d bytes, %v", len(got), err)
		}
		promise(t, target, data)
	}
}

// What is no file stays what it is.
func TestNoRegularFile(t *testing.T) {
	data := someBytes(3000)
	s := &server{data: data}
	url := s.url(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "file.bin")
	kinds := map[string]func(at string) error{
		"pipe":   func(at string) error { return syscall.Mkfifo(at, 0o666) },
		"folder": func(at string) error { return os.Mkdir(at, 0o777) },
		"device": func(at string) error { return syscall.Mknod(at, syscall.S_IFCHR|0o666, 1<<8|3) }, // as null; by root alone
	}
	for kind, mk := range kinds {
		for _, at := range []string{path, Partial(path)} {
			if err := mk(at); err != nil {
				t.Logf("no %s: %v", kind, err)
				continue
			}
			before, err := os.Lstat(at)
			if err != nil {
				t.Fatal(err)
			}
			err = File(context.Background(), path, wanted(data, url), Options{pause: testPause})
			if err == nil || !strings.Contains(err.Error(), at) {
				t.Errorf("%s at %s: %v", kind, filepath.Base(at), err)
			}
			if after, err := os.Lstat(at); err != nil || after.Mode() != before.Mode() {
				t.Errorf("%s at %s was replaced", kind, filepath.Base(at))
			}
			if err := os.Remove(at); err != nil {
				t.Fatal(err)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("%s: left %v, %v", kind, left, err)
			}
		}
	}
}

func TestFile(t *testing.T) {
	data := someBytes(300_000)
	s := &server{data: data}
	var last, calls int64
	path, err := get(t, data, Options{Progress: func(done, total int64) {
		if done < last || total != int64(len(data)) {
			t.Errorf("progress %d of %d after %d", done, total, last)
		}
		last, calls = done, calls+1
	}}, s.url(t))
	if err != nil {
		t.Fatal(err)
	}
	if last != int64(len(data)) || calls < 3 {
		t.Errorf("progress ended at %d after %d calls", last, calls)
	}
	if _, err := os.Stat(Partial(path)); err == nil {
		t.Error("the part was left")
	}
}

// TestCutAnywhere breaks the connection at 20 offsets: where the server knows
// ranges only the rest is asked for, else the whole again.
func TestCutAnywhere(t *testing.T) {
	data := someBytes(100_003)
	for i := range 20 {
		at := i * len(data) / 20
		for _, c := range []struct {
			name    string
			noRange bool
			etag    string
		}{{"ranges", false, ""}, {"etag", false, `"v1"`}, {"no ranges", true, ""}} {
			s := &server{data: data, cuts: []int{at}, noRange: c.noRange, etag: c.etag}
			if _, err := get(t, data, Options{}, s.url(t)); err != nil {
				t.Errorf("%s, cut at %d: %v", c.name, at, err)
			}
			want := ""
			if at > 0 {
				want = fmt.Sprintf("bytes=%d-", at)
			}
			if got := s.seen(); len(got) != 2 || got[1] != want {
				t.Errorf("%s, cut at %d: requests %q, want the second for %q", c.name, at, got, want)
			}
		}
	}
}

func TestCutAgainAndAgain(t *testing.T) {
	data := someBytes(90_000)
	s := &server{data: data, cuts: []int{10_000, 20_000, 1, 30_000, 5}}
	if _, err := get(t, data, Options{}, s.url(t)); err != nil {
		t.Fatal(err)
	}
	if n := len(s.seen()); n != 6 {
		t.Errorf("%d requests, want 6", n)
	}
}

// TestOtherAddress has a first address that fails in one way, and a good second.
func TestOtherAddress(t *testing.T) {
	data := someBytes(50_000)
	wrong := bytes.Clone(data)
	wrong[777] ^= 1
	page := []byte("<!DOCTYPE html><title>Please log in</title>")
	for _, c := range []struct {
		name string
		bad  *server
		says string
		from string // what the second address is asked for
	}{
		{"not there", &server{status: 404}, "status 404 Not Found", ""},
		{"forbidden", &server{status: 403}, "status 403", ""},
		{"overloaded", &server{status: 503}, "status 503", ""},
		{"shorter", &server{data: data[:1000]}, "1000 bytes of 50000", ""},
		{"longer", &server{data: append(bytes.Clone(data), 1, 2)}, "longer than 50000", ""},
		{"longer, length unsaid", &server{data: append(bytes.Clone(data), 1), noLength: true}, "longer than 50000", ""},
		{"shorter, length unsaid", &server{data: data[:1000], noLength: true}, "another file", "bytes=1000-"},
		{"empty", &server{data: nil}, "0 bytes of 50000", ""},
		{"web page", &server{data: page, kind: "text/html; charset=utf-8"}, "a web page", ""},
		{"web page in disguise", &server{data: page, noLength: true}, "a web page", ""},
		{"web page of that length", &server{data: append([]byte(" \n<html>"), data[8:]...)}, "a web page", ""},
		{"wrong bytes", &server{data: wrong}, "the SHA-256 is wrong", ""},
		{"stalls before the header", &server{data: data, stall: -1}, "no byte for 200ms", ""},
		{"stalls after 1", &server{data: data, stall: 1}, "no byte for 200ms", "bytes=1-"},
		{"stalls after 30000", &server{data: data, stall: 30_000}, "no byte for 200ms", "bytes=30000-"},
		{"always cut there", &server{data: data, cuts: []int{700, 0, 0, 0, 0}}, "the connection broke", "bytes=700-"},
	} {
		good := &server{data: data}
		var n notes
		if _, err := get(t, data, Options{Note: n.add, StallTimeout: c.bad.patience()}, c.bad.url(t), good.url(t)); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if !strings.Contains(n.String(), c.says) {
			t.Errorf("%s: notes %q, want %q", c.name, n.String(), c.says)
		}
		if got := good.seen(); len(got) != 1 || got[0] != c.from {
			t.Errorf("%s: the other address was asked for %q, want %q", c.name, got, c.from)
		}
	}
}

// TestOnlyAddress has nothing but a bad one: an error that says why, no file.
func TestOnlyAddress(t *testing.T) {
	data := someBytes(40_000)
	wrong := bytes.Clone(data)
	wrong[39_999] ^= 1
	for name, c := range map[string]struct {
		s    *server
		says string
	}{
		"wrong bytes":            {&server{data: wrong}, "the SHA-256 is wrong"},
		"wrong bytes, cut":       {&server{data: wrong, cuts: []int{10_000}}, "the SHA-256 is wrong"},
		"wrong bytes, no length": {&server{data: wrong, noLength: true}, "the SHA-256 is wrong"},
		"short":                  {&server{data: data[:39_999]}, "39999 bytes of 40000"},
		"missing":                {&server{status: 404}, "404"},
		"stalled":                {&server{data: data, stall: -1}, "no byte for"},
		"page":                   {&server{data: []byte("<html>"), kind: "text/html"}, "web page"},
	} {
		path, err := get(t, data, Options{StallTimeout: c.s.patience()}, c.s.url(t))
		var e *Error
		if !errors.As(err, &e) || len(e.Tried) != 1 || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("%s: error %v", name, err)
			continue
		}
		if n := len(c.s.seen()); strings.HasPrefix(name, "wrong bytes") && n > 2 || n > 4 {
			t.Errorf("%s: asked %d times", name, n)
		}
		if e.Offline() {
			t.Errorf("%s counts as offline", name)
		}
		if stat, err := os.Stat(Partial(path)); err == nil && stat.Size() == 0 {
			t.Errorf("%s: an empty part was left", name)
		}
	}
}

func TestTransientTrouble(t *testing.T) {
	data := someBytes(1000)
	s := &server{data: data, override: func(w http.ResponseWriter, _ *http.Request, k int) bool {
		if k == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return k == 0
	}}
	if _, err := get(t, data, Options{}, s.url(t)); err != nil {
		t.Error(err)
	}
	// A stall half-way, everywhere: the next round goes on.
	s = &server{data: data, stall: 400, stalls: 1}
	if _, err := get(t, data, Options{StallTimeout: shortStall}, s.url(t)); err != nil {
		t.Error(err)
	}
	if got := s.seen(); len(got) != 2 || got[1] != "bytes=400-" {
		t.Errorf("requests %q", got)
	}
}

// TestChangedFile replaces the file at the server between two requests.
func TestChangedFile(t *testing.T) {
	old, data := someBytes(20_000), someBytes(30_000)[10_000:]
	for name, answer := range map[string]func(s *server, w http.ResponseWriter, r *http.Request) bool{
		"If-Range honoured": func(*server, http.ResponseWriter, *http.Request) bool { return false },
		"If-Range ignored": func(s *server, w http.ResponseWriter, r *http.Request) bool {
			r.Header.Del("If-Range")
			return false
		},
	} {
		s := &server{data: old, etag: `"old"`, cuts: []int{5000}}
		s.override = func(w http.ResponseWriter, r *http.Request, k int) bool {
			if k == 1 {
				if tag := r.Header.Get("If-Range"); tag != `"old"` {
					t.Errorf("%s: If-Range %q", name, tag)
				}
				s.data, s.etag = data, `"new"`
				return answer(s, w, r)
			}
			return false
		}
		if _, err := get(t, data, Options{}, s.url(t)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWrongRanges(t *testing.T) {
	data := someBytes(9000)
	for _, header := range []string{"bytes 0-8999/9000", "bytes 2999-8999/9000", "bytes 3000-8999/9001", "bytes x-8999/9000",
		"bytes 3000-8999", "items 3000-8999/9000", "bytes -3000-8999/9000", ""} {
		s := &server{data: data, cuts: []int{3000}}
		s.override = func(w http.ResponseWriter, r *http.Request, k int) bool {
			if r.Header.Get("Range") == "" {
				return false
			}
			w.Header().Set("Content-Range", header)
			w.WriteHeader(http.StatusPartialContent)
			w.Write(data[3000:])
			return true
		}
		if _, err := get(t, data, Options{}, s.url(t)); err == nil {
			t.Errorf("the range %q was taken", header)
		}
	}
}

// TestResume starts with what earlier runs may have left.
func TestResume(t *testing.T) {
	data := someBytes(10_000)
	for name, c := range map[string]struct {
		part []byte
		want []string // requests
	}{
		"a part":           {data[:4000], []string{"bytes=4000-"}},
		"all of it":        {data, nil},
		"all, but wrong":   {bytes.Repeat([]byte{7}, 10_000), []string{""}},
		"a wrong part":     {bytes.Repeat([]byte{7}, 4000), []string{"bytes=4000-", ""}},
		"too long":         {append(bytes.Clone(data), 1), []string{""}},
		"nothing":          {nil, []string{""}},
		"all but one byte": {data[:9999], []string{"bytes=9999-"}},
	} {
		path := filepath.Join(t.TempDir(), "file.bin")
		if err := os.WriteFile(Partial(path), c.part, 0o644); err != nil {
			t.Fatal(err)
		}
		s := &server{data: data}
		if err := getTo(t, path, data, Options{}, s.url(t)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := s.seen(); strings.Join(got, ",") != strings.Join(c.want, ",") || len(got) != len(c.want) {
			t.Errorf("%s: requests %q, want %q", name, got, c.want)
		}
	}
}

// TestLiarAndHonest: an address whose wrong bytes are continued by another is not
// mistaken for that other one's fault.
func TestLiarAndHonest(t *testing.T) {
	data := someBytes(10_000)
	wrong := bytes.Repeat([]byte{9}, 10_000)
	liar, honest := &server{data: wrong, stall: 5000}, &server{data: data}
	var n notes
	if _, err := get(t, data, Options{Note: n.add, StallTimeout: shortStall}, liar.url(t), honest.url(t)); err != nil {
		t.Fatalf("%v; notes:\n%s", err, n.String())
	}
	if got := honest.seen(); len(got) != 2 || got[0] != "bytes=5000-" || got[1] != "" {
		t.Errorf("requests %q", got)
	}
}

// TestOddOnesOut: two addresses take turns, and one lies. The honest one is not
// struck off for bytes that it continued.
func TestOddOnesOut(t *testing.T) {
	data := someBytes(10_000)
	honest := &server{data: data, stall: 4000, stalls: 1}
	liar := &server{data: bytes.Repeat([]byte{9}, 10_000), stall: 2000}
	if _, err := get(t, data, Options{StallTimeout: shortStall}, honest.url(t), liar.url(t)); err != nil {
		t.Fatal(err)
	}
	if got := honest.seen(); len(got) != 3 || got[1] != "bytes=6000-" || got[2] != "" {
		t.Errorf("requests %q", got)
	}
}

// TestSlow: a server that is slow, but never silent for long, is not left.
func TestSlow(t *testing.T) {
	data := someBytes(3000)
	s := &server{override: func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		for i := range 30 {
			w.Write(data[100*i : 100*i+100])
			w.(http.Flusher).Flush()
			time.Sleep(50 * time.Millisecond)
		}
		return true
	}}
	if _, err := get(t, data, Options{StallTimeout: 1200 * time.Millisecond}, s.url(t)); err != nil {
		t.Fatal(err)
	}
	if n := len(s.seen()); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

func TestRedirects(t *testing.T) {
	data := someBytes(5000)
	plainFile := (&server{data: data}).url(t)
	secure := (&server{data: data}).start(t, true)
	to := func(target string) *httptest.Server {
		return (&server{override: func(w http.ResponseWriter, r *http.Request, _ int) bool {
			if r.URL.Path == "/loop" {
				target = "/loop"
			}
			http.Redirect(w, r, target, http.StatusFound)
			return true
		}}).start(t, true)
	}
	for name, c := range map[string]struct {
		target, says string
	}{
		"to https":       {secure.URL + "/file.bin", ""},
		"to plain http":  {plainFile, "redirects from https to http"},
		"without end":    {"/loop", "redirects without end"},
		"to a local one": {"file:///etc/hostname", "redirects from https to file"},
	} {
		srv := to(c.target)
		_, err := get(t, data, Options{Client: secure.Client()}, srv.URL+"/file.bin")
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want %q", name, err, c.says)
		}
	}
}

func TestOffline(t *testing.T) {
	s := (&server{}).start(t, false)
	dead := s.URL
	s.Close()
	path, err := get(t, someBytes(10), Options{}, dead+"/a", dead+"/b")
	var e *Error
	if !errors.As(err, &e) || !e.Offline() || len(e.Tried) != 2 || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(Partial(path)); err == nil {
		t.Error("an empty part was left")
	}
}

func TestReplaces(t *testing.T) {
	data := someBytes(100)
	path := filepath.Join(t.TempDir(), "file.bin")
	if err := os.WriteFile(path, []byte("damaged"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := File(context.Background(), path, wanted(data, (&server{status: 404}).url(t)), Options{StallTimeout: longStall, pause: testPause})
	if got, _ := os.ReadFile(path); err == nil || string(got) != "damaged" {
		t.Errorf("error %v, and the old file is %q", err, got)
	}
	if err := getTo(t, path, data, Options{}, (&server{data: data}).url(t)); err != nil {
		t.Error(err)
	}
}
