package datasets

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFilesOfSets: sets of one name are told apart by what is in their files, wherever
// these lie and whether they are packed.
func TestFilesOfSets(t *testing.T) {
	images, labels := idxFile(somePixels(3), 3, 28, 28), idxFile([]byte{7, 0, 9}, 3)
	plain, err := MNIST(mnistDir(t, map[string][]byte{trainImages: images, trainLabels: labels}), Train)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := MNIST(mnistDir(t, map[string][]byte{trainImages + ".gz": gzipped(images), "train-labels.idx1-ubyte": labels}), Train)
	if err != nil || packed.Data != plain.Data || packed.Data == "" {
		t.Errorf("the same, packed, is other data: %v", err)
	}
	sum := sha256.Sum256(images)
	var list bytes.Buffer
	_, _ = plain.Files.WriteTo(&list)
	if want := hex.EncodeToString(sum[:]) + "  " + trainImages + "\n"; !strings.HasPrefix(list.String(), want) {
		t.Errorf("%q, want %q first", list.String(), want)
	}
	images[100]++
	other, err := MNIST(mnistDir(t, map[string][]byte{trainImages: images, trainLabels: labels}), Train)
	if err != nil || other.Data == plain.Data || other.Files.Changes(plain.Files) != "1 replaced (train-images-idx3-ubyte)" {
		t.Errorf("%q, error %v", other.Files.Changes(plain.Files), err)
	}

	one := map[string][]byte{cifarDir + "data_batch_1.bin": cifarFile(1)}
	a, err := CIFAR10(layFiles(t, one), Train)
	if err != nil {
		t.Fatal(err)
	}
	one[cifarDir+"data_batch_2.bin"] = cifarFile(2)
	b, err := CIFAR10(layFiles(t, one), Train)
	if err != nil || b.Files.Changes(a.Files) != "1 added (data_batch_2.bin)" {
		t.Errorf("%q, error %v", b.Files.Changes(a.Files), err)
	}

	pictures := map[string][]byte{}
	for i := range 30 {
		pictures[fmt.Sprintf("a/%02d.png", i)] = shade(uint8(i))
	}
	pictures["a/07.png"] = shade(7)[:40] // bad ones count as what they are
	dir := layFiles(t, pictures)
	folder, err := openTestFolder(dir, 4)
	if err != nil {
		t.Fatal(err)
	}
	if larger, err := openTestFolder(dir, 8); err != nil || larger.Data != folder.Data {
		t.Errorf("in another size it is other data: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a/07.png"), shade(7), 0o644); err != nil {
		t.Fatal(err)
	}
	if mended, err := openTestFolder(dir, 4); err != nil || mended.Files.Changes(folder.Files) != "1 replaced (a/07.png)" {
		t.Errorf("error %v", err)
	}
	if d, err := Digits(); err != nil || d.Data != "" || d.Files != nil {
		t.Errorf("digits are inside the program, and have %q", d.Data)
	}
}
