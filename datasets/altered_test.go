package datasets

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

func TestAltered(t *testing.T) {
	data := t.TempDir()
	if same, other, err := Altered(context.Background(), data); same != 0 || other != nil || err != nil {
		t.Errorf("an empty folder: %d, %v, %v", same, other, err)
	}
	dir := filepath.Join(data, "mnist")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	short := filepath.Join(dir, "t10k-labels-idx1-ubyte.gz")
	long := filepath.Join(dir, "train-labels-idx1-ubyte.gz")
	size := int64(0)
	for _, f := range publications["mnist"].missing(dir) {
		if f.name == filepath.Base(long) {
			size = f.size
		}
	}
	if err := os.WriteFile(short, []byte("short"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(long, make([]byte, size), 0o666); err != nil {
		t.Fatal(err)
	}
	if same, other, err := Altered(context.Background(), data); same != 0 || len(other) != 2 || other[0] != short || other[1] != long || err != nil {
		t.Errorf("altered files: %d, %v, %v", same, other, err)
	}
	// A set whose published file is known: SHA-256 of "abc", from FIPS 180.
	const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	publications["abc"] = &publication{set: "abc", folder: "abc", missing: func(string) []remote { return []remote{{"abc", 3, abc}} }}
	defer delete(publications, "abc")
	if err := os.Mkdir(filepath.Join(data, "abc"), 0o777); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]int{"abc": 1, "abd": 0} {
		if err := os.WriteFile(filepath.Join(data, "abc", "abc"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if same, other, err := Altered(context.Background(), data); same != want || len(other) != 3-want || err != nil {
			t.Errorf("%s: %d, %v, %v", text, same, other, err)
		}
	}
}
