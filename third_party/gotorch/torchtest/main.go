// Package torchtest is for the tests of packages that compute with gotorch.
package torchtest

import (
	"fmt"
	"os"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
)

// Main runs a package's tests, as its TestMain. Where the libraries are missing it says
// in one line what to run, and no test is tried.
func Main(m *testing.M) {
	if err := torch.Init(torch.InitOptions{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}
