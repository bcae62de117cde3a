package disk_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/wangkuiyi/gotorch/disk"
)

func TestHolds(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := os.WriteFile(path, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path, data string
		want       bool
	}{
		{path, "abc", true}, {path, "abd", false}, {path, "ab", false}, {path, "abcd", false}, {path, "", false},
		{filepath.Join(dir, "none"), "", false}, {dir, "", false},
	} {
		if got := disk.Holds(c.path, []byte(c.data)); got != c.want {
			t.Errorf("%s holds %q: %v", filepath.Base(c.path), c.data, got)
		}
	}
}
