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

func inventoryOf(files ...string) *Inventory {
	v := &Inventory{}
	for _, f := range files {
		name, text, _ := strings.Cut(f, "=")
		v.add(name, sha256.Sum256([]byte(text)))
	}
	return v.sort()
}

func TestInventoryChanges(t *testing.T) {
	was := inventoryOf("a/1=x", "a/2=y", "b/1=z", "b/2=w")
	for name, c := range map[string]struct {
		now  *Inventory
		want string
	}{
		"nothing":  {inventoryOf("b/2=w", "b/1=z", "a/2=y", "a/1=x"), ""},
		"added":    {inventoryOf("a/1=x", "a/2=y", "a/3=q", "b/1=z", "b/2=w"), "1 added (a/3)"},
		"gone":     {inventoryOf("a/1=x", "a/2=y", "b/1=z"), "1 gone (b/2)"},
		"replaced": {inventoryOf("a/1=x", "a/2=q", "b/1=z", "b/2=w"), "1 replaced (a/2)"},
		"a class":  {inventoryOf("a/1=x", "a/2=y", "c/1=z", "c/2=w"), "2 renamed (b/1 is now c/1, b/2 is now c/2)"},
		"copied":   {inventoryOf("a/0=x", "a/1=x", "a/2=y", "b/1=z", "b/2=w"), "1 added (a/0)"},
		"all":      {inventoryOf("1=1", "2=2", "3=3", "a/1=X"), "3 added (1, 2, and 1 more), 3 gone (a/2, b/1, and 1 more), 1 replaced (a/1)"},
	} {
		if got := c.now.Changes(was); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if same := c.now.Fingerprint() == was.Fingerprint(); same != (c.want == "") {
			t.Errorf("%s: the fingerprints' being equal is %v", name, same)
		}
	}
}

// TestInventoryText: the list is sha256sum's, and comes back as it was.
func TestInventoryText(t *testing.T) {
	v := inventoryOf("a b.png=abc", "line\nend=abc", `back\slash=`)
	var b bytes.Buffer
	if _, err := v.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-2, appendix B.1
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	want := abc + "  a b.png\n\\" + empty + `  back\\slash` + "\n\\" + abc + `  line\nend` + "\n"
	if b.String() != want {
		t.Errorf("%q\nwant %q", b.String(), want)
	}
	again, err := ReadInventory(&b)
	if err != nil || again.Fingerprint() != v.Fingerprint() || again.Changes(v) != "" {
		t.Errorf("%v, error %v", again, err)
	}
	for _, bad := range []string{"hello\n", abc + " a\n", strings.Repeat("x", 64) + "  a\n", strings.Repeat("a", 100<<10)} {
		if _, err := ReadInventory(strings.NewReader(bad)); err == nil {
			t.Errorf("%.20q... is taken for a list", bad)
		}
	}
}

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
