package gotorch

import (
	"os"
	"path"
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

// dirs are the folders that NVIDIA's libraries may lie in, as many as there are, and libtorch's. Where there may be some
// that cannot be listed it fails, too.
func (l Library) dirs() (dirs []string, err error) {
	for _, p := range append([]string{filepath.Join(l.Dir, "../..")}, l.packages...) {
		nvidia := filepath.Join(p, "nvidia") // the wheels' layout
		entries, e := os.ReadDir(nvidia)
		if e != nil && !absent(e) {
			err = e
		}
		for _, e := range entries {
			dirs = append(dirs, filepath.Join(nvidia, e.Name(), "lib"))
		}
	}
	return append(dirs, l.Dir), err // the archives' layout
}

// dependencies are the files of the named libraries, as many as there are.
func (l Library) dependencies(names []string) []string {
	var files []string
	dirs, _ := l.dirs() // what is missing is told by what misses it
	for _, name := range names {
		for _, dir := range dirs {
			if file := library(dir, name); file != "" {
				files = append(files, file)
				break
			}
		}
	}
	return files
}

// library is the file name.so.13 in a folder, or name-0a1b2c3d.so.13, as archives
// have it.
func library(dir, name string) string {
	for _, pattern := range []string{name + ".so.*", name + "-*.so.*"} {
		for _, f := range fitting(dir, pattern) {
			// libnvrtc-builtins is not libnvrtc.
			if rest := strings.TrimPrefix(filepath.Base(f), name); rest[0] == '.' || !strings.HasPrefix(rest, "-builtins") {
				return f
			}
		}
	}
	return ""
}

// fitting are the files of a folder whose names fit a pattern; the folder's own name, unlike filepath.Glob's, is none.
func fitting(dir, pattern string) (files []string) {
	entries, _ := os.ReadDir(dir) // none can be opened in one that cannot be read
	for _, e := range entries {
		if fits, _ := path.Match(pattern, e.Name()); fits {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	return files
}

// othersCuDNN tells whether LD_LIBRARY_PATH leads to another cuDNN: its parts,
// which libcudnn opens by name, would be those.
func othersCuDNN() bool {
	for _, dir := range filepath.SplitList(os.Getenv("LD_LIBRARY_PATH")) {
		if dir != "" && len(fitting(dir, "libcudnn_*.so.*")) > 0 {
			return true
		}
	}
	return false
}

// cuDNNParts are all files of cuDNN's parts; the one that others need first.
func (l Library) cuDNNParts() []string {
	dirs, _ := l.dirs()
	for _, dir := range dirs {
		if parts := fitting(dir, "libcudnn_*.so.*"); len(parts) > 0 {
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
	file := filepath.Join(l.Dir, name)
	err := open(file, true)
	if err == nil || !strings.Contains(err.Error(), "cannot open shared object file") {
		return err
	}
	for _, f := range l.dependencies(byPath) {
		_ = open(f, true) // what is missing is told by what misses it
	}
	return open(file, true)
}
