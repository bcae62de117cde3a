package datasets

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// cifarFile is a batch with these labels. Pixel j of the image labelled y is j*y+j>>8.
func cifarFile(labels ...uint8) []byte {
	var out []byte
	for _, y := range labels {
		out = append(out, y)
		for j := range 3072 {
			out = append(out, uint8(j*int(y)+j>>8))
		}
	}
	return out
}

// layFiles writes files, given by their paths below it, into a new folder.
func layFiles(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const cifarDir = "cifar-10-batches-bin/"

func TestCIFARAllBatches(t *testing.T) {
	files := map[string][]byte{cifarDir + "test_batch.bin": cifarFile(9, 9)}
	for i := range 5 {
		files[cifarDir+"data_batch_"+string(rune('1'+i))+".bin"] = cifarFile(uint8(i), 5)
	}
	dir := layFiles(t, files)
	im, err := CIFAR10(dir, Train)
	if err != nil {
		t.Fatal(err)
	}
	if im.Len() != 10 || !slices.Equal(im.Labels, []uint8{0, 5, 1, 5, 2, 5, 3, 5, 4, 5}) || !slices.Equal(im.Shape, []int{3, 32, 32}) || len(im.Warnings) != 1 || !strings.HasSuffix(im.Warnings[0], "4 of its 10 classes, and no model can learn them: frog, horse, ship, truck") {
		t.Errorf("%d images of %v, labels %v, warnings %q", im.Len(), im.Shape, im.Labels, im.Warnings)
	}
	if want := cifarFile(3)[1:]; !slices.Equal(im.Pixels[6*3072:7*3072], want) {
		t.Error("the pixels of batch 4 are others")
	}
	if test, err := CIFAR10(dir, Test); err != nil || !slices.Equal(test.Labels, []uint8{9, 9}) {
		t.Errorf("test: %v, error %v", test, err)
	}
}

func TestCIFARMissingBatches(t *testing.T) {
	dir := layFiles(t, map[string][]byte{cifarDir + "data_batch_2.bin": cifarFile(1), cifarDir + "data_batch_4.bin": cifarFile(2)})
	im, err := CIFAR10(dir, Train)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(im.Labels, []uint8{1, 2}) || len(im.Warnings) != 2 { // the other: 8 classes are missing
		t.Fatalf("labels %v, warnings %q", im.Labels, im.Warnings)
	}
	for _, want := range []string{"lacks data_batch_1.bin, data_batch_3.bin, data_batch_5.bin", "2 images of 50000", "a download"} {
		if !strings.Contains(im.Warnings[0], want) {
			t.Errorf("warning %q says nothing of %q", im.Warnings[0], want)
		}
	}
	_, err = CIFAR10(dir, Test)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "test_batch.bin: not found; fetch it with Download") {
		t.Errorf("error %v", err)
	}
}

func TestCIFARNames(t *testing.T) {
	batch := cifarFile(0)
	ten := "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n"
	for name, c := range map[string]struct {
		meta []byte
		want string // the last name
		warn string
	}{
		"well known": {nil, "truck", ""},
		"own":        {[]byte(ten), "j", ""},
		"windows":    {[]byte(strings.ReplaceAll(ten, "\n", "\r\n")), "j", ""},
		"nine":       {[]byte(ten[2:]), "truck", "9 class names of 10; the usual"},
		"long":       {bytes.Repeat([]byte("x\n"), 1<<20), "truck", "class names of 10"},
	} {
		files := map[string][]byte{cifarDir + "test_batch.bin": batch}
		if c.meta != nil {
			files[cifarDir+"batches.meta.txt"] = c.meta
		}
		im, err := CIFAR10(layFiles(t, files), Test)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if im.Classes() != 10 || im.ClassNames[9] != c.want || !strings.Contains(strings.Join(im.Warnings, ""), c.warn) || (len(im.Warnings) > 0) != (c.warn != "") {
			t.Errorf("%s: names %q, warnings %q", name, im.ClassNames, im.Warnings)
		}
	}
}

func TestCIFARFaults(t *testing.T) {
	good := cifarFile(1, 2, 3)
	wrong := bytes.Clone(good)
	wrong[2*3073] = 10
	for name, c := range map[string]struct {
		file []byte
		says string
	}{
		"cut":        {good[:5000], "5000 bytes: not a multiple of 3073: truncated; move it away and fetch it with Download"},
		"empty":      {nil, "0 bytes: empty"},
		"class":      {wrong, "record 3 of 3: class 10: they are 0 to 9"},
		"web page":   {[]byte("<html></html>"), "looks like a web page"},
		"gzip":       {gzipped(good), "it is gzipped"},
		"other file": {bytes.Repeat([]byte("text "), 3073), "record 1 of 5: class 116"},
	} {
		dir := layFiles(t, map[string][]byte{cifarDir + "data_batch_1.bin": good, cifarDir + "data_batch_2.bin": c.file})
		_, err := CIFAR10(dir, Train)
		var fault *FileError
		if !errors.As(err, &fault) || fault.File != filepath.Join(dir, cifarDir, "data_batch_2.bin") || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestCIFARPlaces(t *testing.T) {
	batch := cifarFile(0)
	for name, c := range map[string]struct {
		files map[string][]byte
		says  string
	}{
		"nothing":        {nil, "data_batch_1.bin: not found; fetch it with Download, or unpack cifar-10-binary.tar.gz into"},
		"one level up":   {map[string][]byte{"data_batch_1.bin": batch}, "itself: move them into"},
		"Python's":       {map[string][]byte{"cifar-10-batches-py/data_batch_1": {1}}, "the binary version is needed"},
		"a file instead": {map[string][]byte{"cifar-10-batches-bin": batch}, "not found"},
	} {
		_, err := CIFAR10(layFiles(t, c.files), Train)
		if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	dir := layFiles(t, map[string][]byte{cifarDir + "x": nil})
	if err := syscall.Mkfifo(filepath.Join(dir, cifarDir, "data_batch_1.bin"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := CIFAR10(dir, Train); err == nil || !strings.Contains(err.Error(), "not a regular file") { // and does not wait for a writer
		t.Errorf("error %v", err)
	}
}

// TestCIFAR10 reads the real files, of which there may be only some.
func TestCIFAR10(t *testing.T) {
	dir := os.Getenv("FLOWMATCH_TEST_DATA")
	if dir == "" {
		t.Skip("FLOWMATCH_TEST_DATA does not name a folder with cifar-10-batches-bin/")
	}
	for _, c := range []struct {
		split Split
		first []uint8 // labels, as everybody's tutorial shows them
		name  string  // of the first
	}{
		{Train, []uint8{6, 9, 9, 4, 1}, "frog"},
		{Test, []uint8{3, 8, 8, 0, 6}, "cat"},
	} {
		im, err := CIFAR10(dir, c.split)
		if err != nil {
			t.Fatal(err)
		}
		if im.Len() < 1000 || !bytes.Equal(im.Labels[:5], c.first) || im.ClassNames[im.Labels[0]] != c.name {
			t.Errorf("%v: %d images, labels %v", c.split, im.Len(), im.Labels[:5])
		}
		// The means of the channels, as they are used everywhere to normalise: 125.3, 123.0, 113.9.
		var sums [3]float64
		for i, p := range im.Pixels {
			sums[i/1024%3] += float64(p)
		}
		for ch, want := range []float64{125.3, 123.0, 113.9} {
			if got := sums[ch] / float64(im.Len()*1024); got < want-3 || got > want+3 { // of a part of the images
				t.Errorf("%v: mean of channel %d is %.1f, want about %.1f", c.split, ch, got, want)
			}
		}
	}
}
