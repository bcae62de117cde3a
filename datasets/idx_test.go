package datasets

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// idxFile is an IDX file of unsigned bytes.
func idxFile(data []byte, dims ...int) []byte {
	out := binary.BigEndian.AppendUint32(nil, 0x0800|uint32(len(dims)))
	for _, d := range dims {
		out = binary.BigEndian.AppendUint32(out, uint32(d))
	}
	return append(out, data...)
}

func gzipped(data []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(data)
	z.Close()
	return b.Bytes()
}

// somePixels are n images in which nothing repeats too regularly.
func somePixels(n int) []byte {
	p := make([]byte, n*784)
	for i := range p {
		p[i] = byte(i * i >> 3)
	}
	return p
}

const (
	trainImages = "train-images-idx3-ubyte"
	trainLabels = "train-labels-idx1-ubyte"
)

// mnistDir lays files into DIR/mnist and gives DIR.
func mnistDir(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "mnist"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, "mnist", name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestIDXSpellings(t *testing.T) {
	images := idxFile(somePixels(3), 3, 28, 28)
	labels := idxFile([]byte{7, 0, 9}, 3)
	for name, files := range map[string]map[string][]byte{
		"plain":           {trainImages: images, trainLabels: labels},
		"gzipped":         {trainImages + ".gz": gzipped(images), trainLabels + ".gz": gzipped(labels)},
		"dotted":          {"train-images.idx3-ubyte": images, "train-labels.idx1-ubyte.gz": gzipped(labels)},
		"unzipped by web": {trainImages + ".gz": images, trainLabels: gzipped(labels)},
	} {
		im, err := MNIST(mnistDir(t, files), Train)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if im.Len() != 3 || !bytes.Equal(im.Pixels, somePixels(3)) || !bytes.Equal(im.Labels, []byte{7, 0, 9}) {
			t.Errorf("%s: other images or labels came out", name)
		}
	}
}

func TestIDXFaults(t *testing.T) {
	images := idxFile(somePixels(3), 3, 28, 28)
	labels := idxFile([]byte{7, 0, 9}, 3)
	big := idxFile(nil, 60000, 28, 28)
	flipped := gzipped(images)
	flipped[len(flipped)-6] ^= 1 // in the checksum
	for _, c := range []struct {
		name           string
		images, labels []byte
		file, want     string
	}{
		{"cut", append(big, make([]byte, 15)...), labels, trainImages, "31 bytes of 47040016: truncated; move it away and fetch it with Download, or replace it with an intact copy"},
		{"cut, zipped", gzipped(append(big, make([]byte, 15)...)), labels, trainImages, "31 bytes of 47040016: truncated"},
		{"cut zip", gzipped(images)[:400], labels, trainImages, "bytes of 2368: truncated"},
		{"longer", append(images, 0), labels, trainImages, "2369 bytes of 2368: longer than its header says"},
		{"longer, zipped", gzipped(append(images, 0)), labels, trainImages, "more than 2368 bytes"},
		{"checksum", flipped, labels, trainImages, "damaged gzip file"},
		{"zip rubbish", []byte{0x1f, 0x8b, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9}, labels, trainImages, "damaged gzip file"},
		{"empty", nil, labels, trainImages, "0 bytes: empty"},
		{"header cut", images[:10], labels, trainImages, "10 bytes: truncated within its header"},
		{"labels as images", labels, labels, trainImages, "it holds labels (magic 0x00000801), not images (0x00000803)"},
		{"images as labels", images, images, trainLabels, "it holds images (magic 0x00000803), not labels"},
		{"web page", []byte("<!DOCTYPE html>"), labels, trainImages, "web page"},
		{"other file", []byte("PK\x03\x04 and so on and on"), labels, trainImages, "not an IDX file"},
		{"other size", idxFile(make([]byte, 3*32*32), 3, 32, 32), labels, trainImages, "images of 32x32, not 28x28"},
		{"none", idxFile(nil, 0, 28, 28), labels, trainImages, "holds no images"},
		{"count", images, idxFile([]byte{1, 2}, 2), trainLabels, "2 labels for the 3 images of " + trainImages},
		{"label", images, idxFile([]byte{1, 10, 2}, 3), trainLabels, "label 10 of image 1 is out of range"},
		{"bomb", gzipped(idxFile(nil, 1<<31, 28, 28)), labels, trainImages, "cannot hold: damaged"},
		{"no labels", images, nil, trainLabels, "empty"},
	} {
		dir := mnistDir(t, map[string][]byte{trainImages: c.images, trainLabels: c.labels})
		_, err := MNIST(dir, Train)
		var fault *FileError
		if !errors.As(err, &fault) {
			t.Errorf("%s: error %v, want a FileError", c.name, err)
			continue
		}
		if fault.Set != "mnist" || fault.File != filepath.Join(dir, "mnist", c.file) || fault.Remedy == "" {
			t.Errorf("%s: %+v", c.name, fault)
		}
		if msg := err.Error(); !strings.Contains(msg, c.want) || strings.Contains(msg, "\n") {
			t.Errorf("%s: %s\nwant %s", c.name, msg, c.want)
		}
	}
}

func TestIDXMissing(t *testing.T) {
	dir := t.TempDir()
	_, err := MNIST(dir, Test)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	for _, want := range []string{"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", filepath.Join(dir, "mnist"), "Options.DataDir", "with Download", "not found"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v: says nothing of %s", err, want)
		}
	}
	// The user pointed at mnist/ itself.
	inner := filepath.Join(mnistDir(t, map[string][]byte{trainImages + ".gz": {1}}), "mnist")
	if _, err := MNIST(inner, Train); err == nil || !strings.Contains(err.Error(), "the files lie in "+inner+" itself") {
		t.Errorf("error %v", err)
	}
	// A folder in a file's place, a file in a folder's.
	if err := os.Mkdir(filepath.Join(inner, trainImages), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := MNIST(filepath.Dir(inner), Train); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("error %v", err)
	}
	if _, err := MNIST(filepath.Join(inner, trainImages+".gz"), Train); err == nil || !strings.Contains(err.Error(), "not found") {
		t.Errorf("error %v", err)
	}
}

// TestMNIST reads the real files.
func TestMNIST(t *testing.T) {
	dir := os.Getenv("FLOWMATCH_TEST_DATA")
	if dir == "" {
		t.Skip("FLOWMATCH_TEST_DATA does not name a folder with mnist/")
	}
	for _, c := range []struct {
		split Split
		n     int
		first []byte // labels, as everybody's tutorial shows them
	}{
		{Train, 60000, []byte{5, 0, 4, 1, 9}},
		{Test, 10000, []byte{7, 2, 1, 0, 4}},
	} {
		im, err := MNIST(dir, c.split)
		if err != nil {
			t.Fatal(err)
		}
		if im.Len() != c.n || !bytes.Equal(im.Labels[:5], c.first) {
			t.Errorf("%v: %d images, labels %v", c.split, im.Len(), im.Labels[:5])
		}
		x := make([]float32, im.Dim())
		im.Floats(x, 0)
		if x[0] != -1 { // the corner is paper
			t.Errorf("%v: corner %v", c.split, x[0])
		}
	}
}
