package atomicfile_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/wangkuiyi/gotorch/atomicfile"
)

func TestMkdirAll(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, path := range []string{"a/b/c", "a/b/c", "a/d/", ".", filepath.Join(t.TempDir(), "x/y")} {
		if err := atomicfile.MkdirAll(path); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if info, err := os.Stat(path); err != nil || !info.IsDir() {
			t.Errorf("%s is not there: %v", path, err)
		}
	}
	if err := os.WriteFile("file", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"file", "file/x"} {
		if err := atomicfile.MkdirAll(path); err == nil {
			t.Errorf("%s was made", path)
		}
	}
	if !atomicfile.CanSync(".") {
		t.Skip("this file system has no fsync of folders")
	}
	if err := atomicfile.SyncDir("none"); err == nil {
		t.Error("a folder that is not there was synced")
	}
}
