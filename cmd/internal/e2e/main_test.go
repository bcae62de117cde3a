package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestMain(m *testing.M) {
	if _, err := os.Stat(filepath.Join(root, "bin", "train")); err != nil {
		fmt.Fprintln(os.Stderr, "the programs are not built: run scripts/build")
		os.Exit(1)
	}
	os.Exit(m.Run())
}
