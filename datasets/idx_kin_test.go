package datasets

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
)

// stroke is a picture of one upright stroke, at column 9 and longer below: [28,28].
func stroke() []byte {
	p := make([]byte, 784)
	for y := 4; y < 20; y++ {
		p[28*y+9] = 200
	}
	return p
}

// byColumns stores pictures as EMNIST does: column by column.
func byColumns(pictures []byte) []byte {
	out := make([]byte, len(pictures))
	for i := range out {
		n, x, y := i/784, i%784/28, i%28
		out[i] = pictures[784*n+28*y+x]
	}
	return out
}

// every are labels from first to last.
func everyLabel(first, last int) []byte {
	var out []byte
	for y := first; y <= last; y++ {
		out = append(out, byte(y))
	}
	return out
}

// TestEMNIST: upright pictures, labels from 0, and the classes' names, wherever the
// files lie.
func TestEMNIST(t *testing.T) {
	for _, c := range []struct {
		set         string
		first, last int
		names       string // the first, and the last two
	}{
		{"letters", 1, 26, "a yz"},
		{"balanced", 0, 46, "0 rt"},
		{"byclass", 0, 61, "0 yz"},
		{"digits", 0, 9, "0 89"},
	} {
		labels := everyLabel(c.first, c.last)
		pictures := bytes.Repeat(stroke(), len(labels))
		images, labelFile := idxFile(byColumns(pictures), len(labels), 28, 28), idxFile(labels, len(labels))
		own := "emnist-" + c.set + "-train-"
		layouts := map[string]map[string][]byte{
			"archive":     {"emnist/gzip/" + own + "images-idx3-ubyte.gz": gzipped(images), "emnist/gzip/" + own + "labels-idx1-ubyte.gz": gzipped(labelFile)},
			"torchvision": {"EMNIST/raw/" + own + "images-idx3-ubyte": images, "EMNIST/raw/" + own + "labels-idx1-ubyte": labelFile},
			"folder":      {"emnist_" + c.set + "/" + trainImages: images, "emnist_" + c.set + "/" + trainLabels: labelFile},
			"as mnist":    {"mnist/" + trainImages: images, "mnist/" + trainLabels: labelFile},
		}
		for name, files := range layouts {
			im, err := Open("emnist_"+c.set, Options{DataDir: layFiles(t, files)})
			if name == "as mnist" && c.set == "digits" { // nothing tells them from MNIST's
				if !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("digits, as MNIST's: error %v", err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s, %s: %v", c.set, name, err)
				continue
			}
			n := im.Classes()
			got := im.ClassNames[0] + " " + im.ClassNames[n-2] + im.ClassNames[n-1]
			if !bytes.Equal(im.Pixels, pictures) || !slices.Equal(im.Labels, everyLabel(0, c.last-c.first)) || n != c.last-c.first+1 || got != c.names {
				t.Errorf("%s, %s: labels %v, classes %q; upright: %v", c.set, name, im.Labels, im.ClassNames, bytes.Equal(im.Pixels, pictures))
			}
			if len(im.Warnings) != 0 != (name == "as mnist") {
				t.Errorf("%s, %s: notes %q", c.set, name, im.Warnings)
			}
		}
	}
	// Someone has turned them, and given them MNIST's names.
	labels := everyLabel(1, 26)
	dir := layFiles(t, map[string][]byte{"mnist/" + trainImages: idxFile(bytes.Repeat(stroke(), 26), 26, 28, 28), "mnist/" + trainLabels: idxFile(labels, 26)})
	if im, err := Open("emnist_letters", Options{DataDir: dir}); err != nil || !bytes.Equal(im.Pixels[:784], stroke()) || !strings.Contains(im.Warnings[0], "stand upright already") {
		t.Errorf("turned by someone: error %v, notes %q", err, im.Warnings)
	}
	// EMNIST's digits as MNIST's: their labels tell nothing, that they lie does.
	tens := everyLabel(0, 9)
	for name, c := range map[string]struct {
		pictures []byte
		notes    int
	}{"lying": {byColumns(bytes.Repeat(stroke(), 10)), 1}, "upright": {bytes.Repeat(stroke(), 10), 0}, "empty": {make([]byte, 7840), 0}} {
		dir := layFiles(t, map[string][]byte{"mnist/" + trainImages: idxFile(c.pictures, 10, 28, 28), "mnist/" + trainLabels: idxFile(tens, 10)})
		im, err := Open("mnist", Options{DataDir: dir})
		if err != nil || len(im.Warnings) != c.notes || c.notes > 0 && !strings.Contains(im.Warnings[0], "the set emnist_digits") || !bytes.Equal(im.Pixels, c.pictures) {
			t.Errorf("%s: error %v, notes %q", name, err, im.Warnings)
		}
	}
	balanced, _ := Lookup("emnist_balanced")
	if got := strings.Join(balanced.ClassNames, ""); got != "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt" { // Cohen et al. 2017, table II
		t.Errorf("balanced: %s", got)
	}
}

// TestIDXKin: files of one set under another's name are told apart, the right name is
// given, and nobody is told to delete them.
func TestIDXKin(t *testing.T) {
	lay := func(folder string, labels []byte) string {
		return layFiles(t, map[string][]byte{
			folder + "/" + trainImages: idxFile(bytes.Repeat(stroke(), len(labels)), len(labels), 28, 28), folder + "/" + trainLabels: idxFile(labels, len(labels)),
		})
	}
	for _, c := range []struct {
		set, dir, says string
	}{
		{"mnist", lay("mnist", everyLabel(1, 26)), "its labels run from 1 to 26, those of mnist from 0 to 9; they are those of emnist_letters: take the set emnist_letters, which reads them where they lie"},
		{"mnist", lay("MNIST/raw", everyLabel(0, 46)), "the set emnist_balanced"},
		{"fashion_mnist", lay("fashion_mnist", everyLabel(0, 61)), "the set emnist_byclass"},
		{"emnist_letters", lay("emnist_letters", everyLabel(0, 9)), "they may be those of mnist"},
		{"emnist_letters", lay("emnist_letters", everyLabel(0, 46)), "the set emnist_balanced"},
		{"emnist_letters", lay("mnist", everyLabel(0, 9)), "not found; put emnist-letters-train-images"},
		{"mnist", lay("mnist", append(everyLabel(0, 9), 10)), "label 10 of image 10 is out of range"},
		{"kmnist", lay("mnist", everyLabel(0, 9)), "kmnist/train-images-idx3-ubyte: not found; put"},
	} {
		_, err := Open(c.set, Options{DataDir: c.dir})
		var fault *FileError
		if !errors.As(err, &fault) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "delete") {
			t.Errorf("%s: error %v\nwant %s", c.set, err, c.says)
		}
	}
}

// TestIDXBrightness: 10,000 pictures as bright as Fashion-MNIST's are noted in MNIST's
// folder, and not in their own.
func TestIDXBrightness(t *testing.T) {
	pixels := bytes.Repeat([]byte{73}, 10_000*784) // .286 of 255
	labels := bytes.Repeat(everyLabel(0, 9), 1000)
	files := map[string][]byte{}
	for _, dir := range []string{"mnist", "fashion_mnist"} {
		files[dir+"/t10k-images-idx3-ubyte.gz"] = gzipped(idxFile(pixels, 10_000, 28, 28))
		files[dir+"/t10k-labels-idx1-ubyte"] = idxFile(labels, 10_000)
	}
	dir := layFiles(t, files)
	im, err := MNIST(dir, Test)
	if err != nil || len(im.Warnings) != 1 || !strings.Contains(im.Warnings[0], "as bright as those of fashion_mnist") || !strings.Contains(im.Warnings[0], "take the set fashion_mnist") {
		t.Fatalf("error %v, %q", err, im.Warnings)
	}
	if im, err = Open("fashion_mnist", Options{DataDir: dir, Split: Test}); err != nil || len(im.Warnings) != 0 {
		t.Errorf("error %v, %q", err, im.Warnings)
	}
}

// TestTorchvision: sets are found where torchvision puts them.
func TestTorchvision(t *testing.T) {
	images, labels := idxFile(bytes.Repeat(stroke(), 10), 10, 28, 28), idxFile(everyLabel(0, 9), 10)
	for set, folder := range map[string]string{"mnist": "MNIST/raw", "fashion_mnist": "FashionMNIST/raw", "kmnist": "KMNIST/raw"} {
		dir := layFiles(t, map[string][]byte{
			folder + "/" + trainImages: images, folder + "/" + trainLabels: labels,
			folder + "/t10k-images-idx3-ubyte": images, folder + "/t10k-labels-idx1-ubyte": labels,
		})
		im, err := Open(set, Options{DataDir: dir})
		if err != nil || im.Len() != 10 || !bytes.Equal(im.Pixels[:784], stroke()) || len(im.Warnings) > 0 {
			t.Errorf("%s: %v", set, err)
		}
		if Missing(set, dir) {
			t.Errorf("%s would be fetched again", set)
		}
	}
}

// TestQMNIST: labels are rows of eight numbers.
func TestQMNIST(t *testing.T) {
	row := func(labels ...uint32) []byte {
		out := binary.BigEndian.AppendUint32(nil, 0x0c02)
		out = binary.BigEndian.AppendUint32(out, uint32(len(labels)))
		out = binary.BigEndian.AppendUint32(out, 8)
		for _, y := range labels {
			for _, v := range []uint32{y, 3, 77, 1234, 0, 0, 0, 0} { // class, series, writer, ...
				out = binary.BigEndian.AppendUint32(out, v)
			}
		}
		return out
	}
	images := idxFile(bytes.Repeat(stroke(), 3), 3, 28, 28)
	dir := layFiles(t, map[string][]byte{
		"QMNIST/raw/qmnist-train-images-idx3-ubyte": images, "QMNIST/raw/qmnist-train-labels-idx2-int": row(7, 0, 9),
		"qmnist/qmnist-test-images-idx3-ubyte.gz": gzipped(images), "qmnist/qmnist-test-labels-idx2-int.gz": gzipped(row(1, 2, 3)),
	})
	im, err := Open("qmnist", Options{DataDir: dir})
	if err != nil || !bytes.Equal(im.Labels, []byte{7, 0, 9}) {
		t.Errorf("%v, error %v", im, err)
	}
	if im, err = Open("qmnist", Options{DataDir: dir, Split: Test}); err != nil || !bytes.Equal(im.Labels, []byte{1, 2, 3}) {
		t.Errorf("%v, error %v", im, err)
	}
	for says, labels := range map[string][]byte{
		"label 300 of image 1": row(1, 300, 2), "label -1 of image 0": row(1<<32-1, 1, 2), "truncated": row(1, 2, 3)[:70], "longer": append(row(1, 2, 3), 0),
		"labels of 8-bit": nil, "2 labels for the 3 images": row(1, 2), "label 10 of image 2": row(0, 1, 10),
	} {
		if labels == nil {
			labels, says = idxFile([]byte{1, 2, 3}, 3), "not labels"
		}
		dir := layFiles(t, map[string][]byte{"qmnist/qmnist-train-images-idx3-ubyte": images, "qmnist/qmnist-train-labels-idx2-int": labels})
		if _, err := Open("qmnist", Options{DataDir: dir}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: error %v", says, err)
		}
	}
}
