package datasets

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flowmatch/datasets/fetch"
)

func lockForTest(t *testing.T, dir string) func() {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	unlock, err := fetch.Lock(context.Background(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	return unlock
}

// tarred packs headers with their contents.
func tarred(t *testing.T, entries ...tarEntry) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Typeflag: e.kind, Linkname: e.link, Size: int64(len(e.data)), Mode: 0o644}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(e.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

type tarEntry struct {
	name string
	kind byte
	data []byte
	link string
}

func plainFile(name string, data []byte) tarEntry { return tarEntry{name, tar.TypeReg, data, ""} }

// cifarEntries is the archive as the makers publish it, but of two images a batch.
func cifarEntries() []tarEntry {
	entries := []tarEntry{{"cifar-10-batches-bin/", tar.TypeDir, nil, ""}}
	for i, name := range append(cifar10Files.files(Train), cifar10Files.files(Test)...) {
		entries = append(entries, plainFile(cifarDir+name, cifarFile(uint8(i), 9)))
	}
	return append(entries, plainFile(cifarDir+"batches.meta.txt", []byte("a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n")), plainFile(cifarDir+"readme.html", []byte("<html>")))
}

func smallCIFAR(t *testing.T) (archive []byte, p *publication) {
	archive = tarred(t, cifarEntries()...)
	return archive, cifarPublication("cifar10", cifar10Files, []string{"https://nowhere.invalid"}, remoteOf(cifar10Files.archive, archive), 2*3073, 2*3073)
}

func TestDownloadCIFAR(t *testing.T) {
	archive, p := smallCIFAR(t)
	m := newMirror(t, map[string][]byte{cifar10Files.archive: archive})
	m.cut = len(archive) / 2
	dir := t.TempDir()
	if err := p.download(context.Background(), dir, quick(m.url)); err != nil {
		t.Fatal(err)
	}
	im, err := CIFAR10(dir, Train)
	if err != nil || !slices.Equal(im.Labels, []uint8{0, 9, 1, 9, 2, 9, 3, 9, 4, 9}) || im.ClassNames[9] != "j" || len(im.Warnings) > 1 {
		t.Errorf("%+v, error %v", im, err)
	}
	if got := names(t, dir); len(got) != 7 { // no archive, no readme
		t.Errorf("files %q", got)
	}
	// One batch lost, another the user's own: only the lost one is written.
	own := filepath.Join(dir, cifarDir, "data_batch_1.bin")
	if err := errors.Join(os.WriteFile(own, cifarFile(7), 0o644), os.Remove(filepath.Join(dir, cifarDir, "test_batch.bin"))); err != nil {
		t.Fatal(err)
	}
	if err := p.download(context.Background(), dir, quick(m.url)); err != nil {
		t.Fatal(err)
	}
	if im, err := CIFAR10(dir, Train); err != nil || im.Labels[0] != 7 {
		t.Errorf("error %v", err)
	}
	if im, err := CIFAR10(dir, Test); err != nil || im.Labels[0] != 5 {
		t.Errorf("error %v", err)
	}
}

// TestDownloadOwnArchive: one that the user put into the data folder is taken if
// its checksum fits, and left there.
func TestDownloadOwnArchive(t *testing.T) {
	archive, p := smallCIFAR(t)
	dir := layFiles(t, map[string][]byte{cifar10Files.archive: archive})
	if err := p.download(context.Background(), dir, quick("http://127.0.0.1:1")); err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); len(got) != 8 {
		t.Errorf("files %q", got)
	}
	bad := bytes.Clone(archive)
	bad[100] ^= 1
	for _, wrong := range [][]byte{bad, archive[:500], []byte("<html>")} {
		dir = layFiles(t, map[string][]byte{cifar10Files.archive: wrong, cifarDir + cifar10Files.archive: wrong})
		var notes []string
		opts := quick(newMirror(t, map[string][]byte{cifar10Files.archive: archive}).url)
		opts.Note = func(line string) { notes = append(notes, line) }
		if err := p.download(context.Background(), dir, opts); err != nil {
			t.Error(err)
		}
		if im, err := CIFAR10(dir, Train); err != nil || im.Len() != 10 {
			t.Errorf("error %v", err)
		}
		if len(notes) != 2 || !strings.Contains(notes[0], "is not the published archive, or damaged") {
			t.Errorf("notes %q", notes)
		}
	}
}

// TestUnpackHostile: whatever an archive says, nothing is written but the files
// that were asked for, where they belong.
func TestUnpackHostile(t *testing.T) {
	good := cifarFile(1, 2)
	wanted := []member{{name: "a.bin", size: int64(len(good))}, {name: "b.bin", size: int64(len(good))}, {name: "meta.txt", optional: true}}
	a, b := plainFile("in/a.bin", good), plainFile("in/b.bin", good)
	with := func(more ...tarEntry) []byte { return tarred(t, append([]tarEntry{a, b}, more...)...) }
	whole := tarred(t, a, b)
	for name, c := range map[string]struct {
		archive []byte
		says    string
	}{
		"good":             {whole, ""},
		"dotted":           {tarred(t, plainFile("./in/a.bin", good), b), ""},
		"up":               {with(plainFile("../evil", good), plainFile("in/../../evil", good), plainFile("in/../a.bin", good)), ""},
		"absolute":         {with(plainFile("/tmp/evil-from-tar", good)), ""},
		"others":           {with(plainFile("in/evil", good), plainFile("in/sub/a.bin", good), plainFile("a.bin", good)), ""},
		"a link elsewhere": {with(tarEntry{"in/evil", tar.TypeSymlink, nil, "/etc"}, plainFile("in/evil/passwd", good)), ""},
		"link as member":   {tarred(t, tarEntry{"in/a.bin", tar.TypeSymlink, nil, "/etc/passwd"}, b), "a.bin is not a plain file"},
		"hard link":        {tarred(t, a, tarEntry{"in/b.bin", tar.TypeLink, nil, "in/a.bin"}), "b.bin is not a plain file"},
		"device":           {tarred(t, tarEntry{"in/a.bin", tar.TypeChar, nil, ""}, b), "a.bin is not a plain file"},
		"folder as member": {tarred(t, tarEntry{"in/a.bin", tar.TypeDir, nil, ""}, b), "a.bin is not a plain file"},
		"twice":            {with(plainFile("in/a.bin", cifarFile(3, 4))), "a.bin is in it twice"},
		"too large":        {tarred(t, plainFile("in/a.bin", append(good, 1)), b), "a.bin has 6147 bytes in it, not 6146"},
		"meta too large":   {with(plainFile("in/meta.txt", make([]byte, 5000))), "meta.txt has 5000 bytes"},
		"one lacks":        {tarred(t, a), "b.bin is not in it"},
		"cut":              {whole[:len(whole)/2], "unexpected EOF"},
		"no gzip":          {[]byte("hello, I am a web page"), "gzip: invalid header"},
		"no tar":           {gzipped(bytes.Repeat([]byte("text"), 999)), "archive/tar: invalid"},
		"empty":            {tarred(t), "a.bin is not in it"},
	} {
		outer := t.TempDir()
		dir := filepath.Join(outer, "deep", "down")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		err := unpackFrom(context.Background(), bytes.NewReader(c.archive), "in", dir, wanted)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want %q", name, err, c.says)
		}
		for _, file := range names(t, outer) {
			got, err := os.ReadFile(filepath.Join(outer, file))
			if err != nil || !bytes.Equal(got, good) || file != "deep/down/a.bin" && file != "deep/down/b.bin" {
				t.Errorf("%s: wrote %s, %d bytes", name, file, len(got))
			}
		}
	}
	if _, err := os.Lstat("/tmp/evil-from-tar"); err == nil {
		t.Error("an absolute name was followed")
	}
}

// TestUnpackStops leaves whole files only, and goes on later.
func TestUnpackStops(t *testing.T) {
	archive, p := smallCIFAR(t)
	dir := layFiles(t, map[string][]byte{cifar10Files.archive: archive, cifarDir + ".test_batch.bin.tmp-OLD": {1}})
	ctx, cancel := context.WithCancelCause(context.Background())
	wish := errors.New("the user's wish")
	cancel(wish)
	if err := p.unpack(ctx, filepath.Join(dir, cifar10Files.archive), filepath.Join(dir, cifarDir)); !errors.Is(err, wish) {
		t.Errorf("error %v", err)
	}
	if err := p.download(context.Background(), dir, quick("http://127.0.0.1:1")); err != nil {
		t.Error(err)
	}
	if got := names(t, dir); len(got) != 8 { // what a killed process had left is gone
		t.Errorf("files %q", got)
	}
}
