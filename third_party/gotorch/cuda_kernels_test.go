package gotorch

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// kernelsOfChild is what a process finds of the programs that it is asked for.
func kernelsOfChild() {
	if err := Init(InitOptions{NumThreads: 1}); err != nil {
		fmt.Println(err)
		return
	}
	k := CUDAKernels(NewDevice("cuda"), strings.Fields(os.Getenv("GOTORCH_TEST_PROGRAMS"))...)
	fmt.Printf("%v %d %d %q %q", k.OK, k.Compiled, k.Found, k.Folder, k.NotKept)
}

// A process compiles what it is asked for, and what an earlier one has compiled is found in the user's cache, where there is one.
func TestGPUKernelsAreKept(t *testing.T) {
	kernels(t)
	if standIn == "" {
		t.Skip("gpu-check asks doctor twice, which is faster")
	}
	cache := t.TempDir()
	folder := filepath.Join(cache, "flowmatch", "gpu-kernels")
	blocked := filepath.Join(cache, "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	const one, two = "group_norm_f32", "group_norm_f32 group_norm_bf16"
	none := filepath.Join(blocked, "flowmatch", "gpu-kernels")
	for _, c := range []struct{ what, programs, cache, home, setting, want string }{
		{"the first process", one, cache, "", "", fmt.Sprintf("true 1 0 %q \"\"", folder)},
		{"the second", two, cache, "", "", fmt.Sprintf("true 1 1 %q \"\"", folder)},
		{"the third", two, cache, "", "", fmt.Sprintf("true 0 2 %q \"\"", folder)},
		{"one that is to keep none", two, cache, "", "anew", `true 2 0 "" ""`},
		{"one without a home", two, "", "", "", `true 2 0 "" ""`},
		{"one whose cache cannot be made", one, blocked, "", "", fmt.Sprintf("true 1 0 %q \"cannot make %s: Not a directory\"", none, filepath.Dir(none))},
	} {
		got := child(t, "kernels", "", "GOTORCH_TEST_CUDA=1", "GOTORCH_TEST_PROGRAMS="+c.programs, "XDG_CACHE_HOME="+c.cache, "HOME="+c.home, "GOTORCH_CUDA_KERNELS="+c.setting)
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 2 {
		t.Errorf("%d files: %v", len(entries), err)
	}
}

// A name that is none is said.
func TestGPUKernelsUnknown(t *testing.T) {
	d := kernels(t)
	if err := Try(func() { CUDAKernels(d, "another") }); err == nil || !strings.Contains(err.Error(), "no kernels another") {
		t.Error(err)
	}
}
