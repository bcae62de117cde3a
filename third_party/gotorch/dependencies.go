package gotorch

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// What libtorch's libraries need of NVIDIA's. Most are found by the paths that
// the wheels carry. Not so:
//
//   - libnvrtc (which compiles kernels while the program runs) and libnvJitLink,
//     which cuDNN and cuSPARSE open by name alone: unless they are open already
//     these find none, convolutions fall back to slower ones, and cuDNN's
//     attention has no engine.
//   - all of them, where torch and NVIDIA's packages are in different folders of
//     Python's.
//
// torch/__init__.py opens them in this order, too.

// byName are opened before libtorch_cuda.so, always.
var byName = []string{"libnvJitLink", "libnvrtc-builtins", "libnvrtc"}

// byPath are opened where the paths do not lead to them. libcublasLt comes before
// libcublas, which would take another installation's.
var byPath = []string{
	"libcublasLt", "libcublas", "libcudnn", "libnvrtc", "libnvrtc-builtins", "libcudart", "libcupti", "libcufft", "libcurand",
	"libnvJitLink", "libcusparse", "libcusparseLt", "libcusolver", "libnccl", "libnvshmem_host", "libcufile",
}

// dirs are the folders, as patterns, that NVIDIA's libraries may lie in.
func (l Library) dirs() []string {
	dirs := []string{filepath.Join(l.Dir, "../../nvidia/*/lib")} // the wheels' layout
	for _, p := range l.packages {
		dirs = append(dirs, filepath.Join(p, "nvidia/*/lib"))
	}
	return append(dirs, l.Dir) // the archives' layout
}

// dependencies are the files of the named libraries, as many as there are.
func (l Library) dependencies(names []string) []string {
	var files []string
	for _, name := range names {
		for _, dir := range l.dirs() {
			if file := library(dir, name); file != "" {
				files = append(files, file)
				break
			}
		}
	}
	return files
}

// library is the file name.so.13 in one of the folders of a pattern, or
// name-0a1b2c3d.so.13, as archives have it.
func library(dir, name string) string {
	for _, pattern := range []string{name + ".so.*", name + "-*.so.*"} {
		found, _ := filepath.Glob(filepath.Join(dir, pattern))
		for _, f := range found {
			// libnvrtc-builtins is not libnvrtc.
			if rest := strings.TrimPrefix(filepath.Base(f), name); rest[0] == '.' || !strings.HasPrefix(rest, "-builtins") {
				return f
			}
		}
	}
	return ""
}

// othersCuDNN tells whether LD_LIBRARY_PATH leads to another cuDNN: its parts,
// which libcudnn opens by name, would be those.
func othersCuDNN() bool {
	for _, dir := range filepath.SplitList(os.Getenv("LD_LIBRARY_PATH")) {
		if found, _ := filepath.Glob(filepath.Join(dir, "libcudnn_*.so.*")); len(found) > 0 && dir != "" {
			return true
		}
	}
	return false
}

// cuDNNParts are all files of cuDNN's parts; the one that others need first.
func (l Library) cuDNNParts() []string {
	for _, dir := range l.dirs() {
		parts, _ := filepath.Glob(filepath.Join(dir, "libcudnn_*.so.*"))
		if len(parts) > 0 {
			slices.SortStableFunc(parts, func(a, b string) int { return isGraph(b) - isGraph(a) })
			return parts
		}
	}
	return nil
}

func isGraph(path string) int {
	if strings.HasPrefix(filepath.Base(path), "libcudnn_graph.") {
		return 1
	}
	return 0
}

// opener opens a shared library; a test notes which.
type opener func(path string, global bool) error

// openTorch opens one of libtorch's libraries, and first what it needs where it
// cannot find that.
func (l Library) openTorch(open opener, name string) error {
	path := filepath.Join(l.Dir, name)
	err := open(path, true)
	if err == nil || !strings.Contains(err.Error(), "cannot open shared object file") {
		return err
	}
	for _, f := range l.dependencies(byPath) {
		_ = open(f, true) // what is missing is told by what misses it
	}
	return open(path, true)
}
