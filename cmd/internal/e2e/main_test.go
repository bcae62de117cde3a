package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
)

// TestMain opens libtorch as the commands would that run in this process, from the
// project's folder: they work in others, and the program of the tests lies elsewhere.
func TestMain(m *testing.M) {
	if _, err := os.Stat(filepath.Join(root, "bin", "train")); err != nil {
		fmt.Fprintln(os.Stderr, "the programs are not built: run scripts/build")
		os.Exit(1)
	}
	if os.Getenv(device) == "" {
		os.Setenv(device, "cpu") // what is tested is the same on every machine; on a GPU equal runs do not give equal files
	}
	if err := torch.Init(torch.InitOptions{NoCUDA: os.Getenv(device) == "cpu"}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// device is the variable that says where the commands compute.
const device = "FLOWMATCH_DEVICE"
