package datasets

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// mirror serves files under their names, and breaks where it is told to.
type mirror struct {
	files map[string][]byte
	cut   int // ends the first answer for each file after so many bytes; 0 never

	mu   sync.Mutex
	seen []string // "name Range"
	url  string
}

func newMirror(t *testing.T, files map[string][]byte) *mirror {
	t.Helper()
	m := &mirror{files: files}
	srv := httptest.NewUnstartedServer(m)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.Start()
	t.Cleanup(srv.Close)
	m.url = srv.URL + "/pub"
	return m
}

func (m *mirror) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/pub/")
	m.mu.Lock()
	first := !slices.ContainsFunc(m.seen, func(s string) bool { return strings.HasPrefix(s, name+" ") })
	m.seen = append(m.seen, strings.TrimSpace(name+" "+r.Header.Get("Range"))+" ")
	m.mu.Unlock()
	data, ok := m.files[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("ETag", fmt.Sprintf(`"%d"`, len(data)))
	if m.cut > 0 && m.cut < len(data) && first {
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		w.Write(data[:m.cut])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(data))
}

func (m *mirror) requests() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.seen)
}

func remoteOf(name string, data []byte) remote {
	sum := sha256.Sum256(data)
	return remote{name, int64(len(data)), hex.EncodeToString(sum[:])}
}

// smallMNIST is MNIST as the makers publish it, but of three images.
func smallMNIST() (map[string][]byte, *publication) {
	images, labels := gzipped(idxFile(somePixels(3), 3, 28, 28)), gzipped(idxFile([]byte{7, 0, 9}, 3))
	files := map[string][]byte{
		"train-images-idx3-ubyte.gz": images, "train-labels-idx1-ubyte.gz": labels,
		"t10k-images-idx3-ubyte.gz": images, "t10k-labels-idx1-ubyte.gz": labels,
	}
	var all []remote
	for _, name := range []string{"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"} {
		all = append(all, remoteOf(name, files[name]))
	}
	return files, idxPublication("mnist", "MNIST/raw", []string{"https://nowhere.invalid/mnist"}, all)
}

// quick are options for tests.
func quick(mirrors ...string) DownloadOptions {
	return DownloadOptions{Mirrors: mirrors, StallTimeout: time.Second}
}

// names lists a folder and those below it.
func names(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			out = append(out, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestPublications(t *testing.T) {
	for set, p := range publications {
		if p.set != set || len(p.mirrors) < 2 || !Downloadable(set) {
			t.Errorf("%s: %+v", set, p)
		}
		missing := p.missing(t.TempDir())
		if len(missing) == 0 || !Missing(set, t.TempDir()) {
			t.Errorf("%s: nothing is missing in an empty folder", set)
		}
		for _, f := range missing {
			if sum, err := hex.DecodeString(f.sha256); err != nil || len(sum) != 32 || f.size <= 0 {
				t.Errorf("%s: %+v", set, f)
			}
			for _, url := range p.urls(f, nil) {
				if !strings.HasPrefix(url, "https://") || !strings.HasSuffix(url, "/"+f.name) {
					t.Errorf("%s: %s", set, url)
				}
			}
		}
	}
	for _, name := range []string{"digits", "checkerboard", "folder:x", "image:x.png", "zebra"} {
		if Downloadable(name) || Missing(name, t.TempDir()) {
			t.Errorf("%s can be downloaded", name)
		}
		if err := Download(context.Background(), name, t.TempDir(), DownloadOptions{}); err == nil {
			t.Errorf("%s was downloaded", name)
		}
	}
}

// TestMissing: any spelling of a file counts, and what is in it does not.
func TestMissing(t *testing.T) {
	files := map[string][]byte{
		"mnist/train-images-idx3-ubyte": nil, "mnist/train-labels.idx1-ubyte.gz": nil,
		"mnist/t10k-images.idx3-ubyte": nil, "mnist/t10k-labels-idx1-ubyte.gz": nil,
	}
	for _, batch := range append(cifar10Files.files(Train), cifar10Files.files(Test)...) {
		files[cifarDir+batch] = nil
	}
	for _, set := range []string{"mnist", "cifar10"} {
		if Missing(set, layFiles(t, files)) {
			t.Errorf("%s: something is missing", set)
		}
	}
	for name := range files {
		dir := layFiles(t, files)
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		if set := "mnist"; strings.HasPrefix(name, set) != Missing(set, dir) {
			t.Errorf("without %s: %s missing is %v", name, set, Missing(set, dir))
		}
		if strings.HasPrefix(name, "cifar") != Missing("cifar10", dir) {
			t.Errorf("without %s: cifar10 missing is %v", name, Missing("cifar10", dir))
		}
	}
}

func TestDownloadIDX(t *testing.T) {
	files, p := smallMNIST()
	m := newMirror(t, files)
	m.cut = 20
	dir := t.TempDir()
	opts := quick(m.url)
	var last, total int64
	opts.Progress = func(done, all int64) { last, total = done, all }
	if err := p.download(context.Background(), dir, opts); err != nil {
		t.Fatal(err)
	}
	for _, split := range []Split{Train, Test} {
		if im, err := MNIST(dir, split); err != nil || !slices.Equal(im.Labels, []uint8{7, 0, 9}) {
			t.Errorf("%v: error %v", split, err)
		}
	}
	if last != total || total != int64(2*len(files[trainImages+".gz"])+2*len(files[trainLabels+".gz"])) {
		t.Errorf("progress ended at %d of %d", last, total)
	}
	if got := names(t, dir); len(got) != 4 {
		t.Errorf("files %q", got)
	}
	if got := m.requests(); len(got) != 8 || got[1] != "train-images-idx3-ubyte.gz bytes=20- " {
		t.Errorf("requests %q", got)
	}
	// Again: nothing to do, no request, even where nobody may write.
	if err := p.download(context.Background(), dir, quick("http://127.0.0.1:1")); err != nil {
		t.Error(err)
	}
	// The user's own file stays, and only what is missing is fetched.
	own := filepath.Join(dir, "mnist", "train-images-idx3-ubyte")
	if err := os.Rename(own+".gz", own); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "mnist", "t10k-labels-idx1-ubyte.gz")); err != nil {
		t.Fatal(err)
	}
	if err := p.download(context.Background(), dir, quick(m.url)); err != nil {
		t.Error(err)
	}
	if got := m.requests(); len(got) != 9 || got[8] != "t10k-labels-idx1-ubyte.gz " {
		t.Errorf("requests %q", got)
	}
}

func TestDownloadOffline(t *testing.T) {
	_, p := smallMNIST()
	dir := t.TempDir()
	err := p.download(context.Background(), dir, quick("http://127.0.0.1:1", "http://127.0.0.1:2"))
	var fault *FileError
	if !errors.As(err, &fault) || strings.Contains(err.Error(), "\n") {
		t.Fatalf("error %v", err)
	}
	for _, want := range []string{"mnist: " + filepath.Join(dir, "mnist", "train-images-idx3-ubyte.gz"), "there seems to be no network",
		"127.0.0.1:2: dial tcp", "put it there by hand, from https://nowhere.invalid/mnist/train-images-idx3-ubyte.gz"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nsays nothing of %q", err, want)
		}
	}
	if got := names(t, dir); len(got) != 0 {
		t.Errorf("files %q", got)
	}
}

// TestDownloadNextMirror has a mirror that lacks everything and one that is honest.
func TestDownloadNextMirror(t *testing.T) {
	files, p := smallMNIST()
	var notes []string
	opts := quick(newMirror(t, nil).url, newMirror(t, files).url)
	opts.Note = func(line string) { notes = append(notes, line) }
	if err := p.download(context.Background(), t.TempDir(), opts); err != nil {
		t.Fatal(err)
	}
	if len(notes) != 4 || !strings.HasPrefix(notes[0], "mnist: train-images-idx3-ubyte.gz: 127.0.0.1:") || !strings.HasSuffix(notes[0], "status 404 Not Found") {
		t.Errorf("notes %q", notes)
	}
	err := p.download(context.Background(), t.TempDir(), quick(newMirror(t, nil).url))
	if err == nil || !strings.Contains(err.Error(), "no mirror gave it (127.0.0.1:") {
		t.Errorf("error %v", err)
	}
}

// TestDownloadTwoAtOnce: the files are fetched once, the other waits.
func TestDownloadTwoAtOnce(t *testing.T) {
	files, p := smallMNIST()
	m := newMirror(t, files)
	dir := t.TempDir()
	errs := make(chan error)
	for range 4 {
		go func() { errs <- p.download(context.Background(), dir, quick(m.url)) }()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if got := m.requests(); len(got) != 4 {
		t.Errorf("requests %q", got)
	}
	if got := names(t, dir); len(got) != 4 {
		t.Errorf("files %q", got)
	}
}

// TestDownloadStops: at most a part remains, and the error is the user's wish.
func TestDownloadStops(t *testing.T) {
	files, p := smallMNIST()
	wish := errors.New("the user's wish")
	for k := range 10 {
		dir := t.TempDir()
		ctx, cancel := context.WithCancelCause(context.Background())
		opts := quick(newMirror(t, files).url)
		calls := 0
		opts.Progress = func(int64, int64) {
			if calls++; calls > k {
				cancel(wish)
			}
		}
		err := p.download(ctx, dir, opts)
		if !errors.Is(err, wish) || !strings.Contains(err.Error(), "the same command goes on with it") {
			t.Errorf("stopped at call %d: error %v", k, err)
		}
		for _, name := range names(t, dir) {
			got, err := os.ReadFile(filepath.Join(dir, name))
			if whole := files[filepath.Base(name)]; err != nil || !strings.HasSuffix(name, ".part") && !bytes.Equal(got, whole) {
				t.Errorf("stopped at call %d: %s of %d bytes, error %v", k, name, len(got), err)
			}
		}
		if err := p.download(context.Background(), dir, quick(newMirror(t, files).url)); err != nil {
			t.Error(err)
		}
		if got := names(t, dir); len(got) != 4 {
			t.Errorf("files %q", got)
		}
	}
	// While another process has the lock.
	ctx, cancel := context.WithCancelCause(context.Background())
	dir := t.TempDir()
	unlock := lockForTest(t, filepath.Join(dir, "mnist"))
	defer unlock()
	opts := quick("http://127.0.0.1:1")
	opts.Note = func(line string) {
		if !strings.Contains(line, "another process is downloading") {
			t.Errorf("note %q", line)
		}
		cancel(wish)
	}
	if err := p.download(ctx, dir, opts); !errors.Is(err, wish) {
		t.Errorf("error %v", err)
	}
}

func TestDownloadDisk(t *testing.T) {
	_, p := smallMNIST()
	dir := layFiles(t, map[string][]byte{"mnist": nil}) // a file in the folder's place
	err := p.download(context.Background(), dir, quick("http://127.0.0.1:1"))
	if err == nil || !strings.Contains(err.Error(), "mnist: mkdir "+filepath.Join(dir, "mnist")) {
		t.Errorf("error %v", err)
	}
}
