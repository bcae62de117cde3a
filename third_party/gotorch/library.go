package gotorch

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// Library says where the libraries are.
type Library struct {
	Dir         string // the folder that holds libtorch_cpu.so
	Version     string // of libtorch, "2.11.0", or "" where nothing tells
	Source      string // what led to Dir: LIBTORCH, LIBTORCH_USE_PYTORCH or third_party/libtorch
	Binding     string // libcgotorch.so
	CUDABinding string // libcgotorch_cuda.so

	packages []string // folders that may hold nvidia/*/lib
}

// FindLibrary looks for libtorch in LIBTORCH, in the installed PyTorch if
// LIBTORCH_USE_PYTORCH is 1, in third_party/libtorch beside the executable's
// folder, in third_party/libtorch of the working directory and those above it, and
// where the binding was compiled. What it finds in either of the latter ways it
// refuses with an *UntrustedError where others could have put it. It checks the
// version, and opens nothing.
func FindLibrary() (Library, error) {
	lib, err := findLibtorch()
	if err != nil {
		return lib, err
	}
	if lib.Version = libtorchVersion(lib.Dir); lib.Version != "" && !versionFits(lib.Version) {
		return lib, fmt.Errorf("%s is libtorch %s, %s is needed (found through %s)", lib.Dir, lib.Version, needed, lib.Source)
	}
	lib.Binding, err = findBinding("libcgotorch.so")
	if err != nil {
		return lib, err
	}
	lib.CUDABinding = filepath.Join(filepath.Dir(lib.Binding), "libcgotorch_cuda.so")
	return lib, nil
}

func findLibtorch() (Library, error) {
	if dir := os.Getenv("LIBTORCH"); dir != "" {
		for _, sub := range []string{"lib", "torch/lib", "."} {
			if d := filepath.Join(dir, sub); isFile(filepath.Join(d, "libtorch_cpu.so")) {
				return Library{Dir: d, Source: "LIBTORCH"}, nil
			}
		}
		return Library{}, fmt.Errorf("LIBTORCH is %s, which holds no lib/libtorch_cpu.so; name libtorch's folder, or unset it", dir)
	}
	if os.Getenv("LIBTORCH_USE_PYTORCH") == "1" {
		dir, packages, err := pythonTorch()
		if err != nil {
			return Library{}, fmt.Errorf("LIBTORCH_USE_PYTORCH is 1, but %w", err)
		}
		return Library{Dir: dir, Source: "LIBTORCH_USE_PYTORCH", packages: packages}, nil
	}
	const sub = "third_party/libtorch/torch/lib"
	for _, root := range roots() {
		d := filepath.Join(root.dir, sub)
		if file := filepath.Join(d, "libtorch_cpu.so"); isFile(file) {
			l := Library{Dir: d, Source: "third_party/libtorch"}
			return l, root.check(filepath.Join(root.dir, "third_party/libtorch/torch"), l.dirs()...)
		}
	}
	return Library{}, errors.New("libtorch was not found: run scripts/setup, or set LIBTORCH to the folder of libtorch " + needed)
}

func findBinding(name string) (string, error) {
	if exe, err := os.Executable(); err == nil {
		if p := filepath.Join(filepath.Dir(resolved(exe)), name); isFile(p) {
			return p, nil
		}
	}
	for _, root := range roots() {
		for _, sub := range []string{"third_party/gotorch/lib", "lib"} {
			if p := filepath.Join(root.dir, sub, name); isFile(p) {
				return p, root.check("", filepath.Dir(p))
			}
		}
	}
	return "", fmt.Errorf("%s was not found: run scripts/build", name)
}

// root is a folder that may be the project's.
type root struct {
	dir     string
	program bool // the program lies there; else it is where somebody works, or the compiler saw the sources
}

// check refuses what others could have put where somebody works: of the libraries in some
// folders (patterns) all, for each is opened, or may be by those that are. libtorch is what
// LIBTORCH can name in their place, "" for none.
func (r root) check(libtorch string, folders ...string) error {
	if r.program {
		return nil
	}
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(folder, "*.so*"))
		if err != nil {
			return err // the folder's name is no pattern
		}
		for _, file := range files {
			if why := trusted(file); why != nil {
				return &UntrustedError{file, libtorch, why}
			}
		}
	}
	return nil
}

// roots are the parent of the executable's folder, then the working directory and
// those above it, then that of the sources.
func roots() []root {
	var all []root
	if exe, err := os.Executable(); err == nil {
		all = append(all, root{filepath.Dir(filepath.Dir(resolved(exe))), true})
	}
	if wd, err := os.Getwd(); err == nil {
		for {
			all = append(all, root{wd, false})
			up := filepath.Dir(wd)
			if up == wd {
				break
			}
			wd = up
		}
	}
	if sourceDir != "" {
		all = append(all, root{sourceDir, false})
	}
	return all
}

// sourceDir is the project's folder as the compiler saw it, for programs of modules that
// have this one through a replace; "" after -trimpath, which programs that are given to
// others should be built with.
var sourceDir = func() string {
	_, file, _, ok := runtime.Caller(0)
	if !ok || !filepath.IsAbs(file) {
		return ""
	}
	return filepath.Dir(filepath.Dir(filepath.Dir(file)))
}()

func resolved(path string) string {
	if p, err := filepath.EvalSymlinks(path); err == nil {
		return p
	}
	return path
}

func isFile(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular()
}

// pythonTorch asks Python where its torch is, without importing it, and which
// folders hold packages of NVIDIA's: a user's own torch may use the system's.
func pythonTorch() (dir string, packages []string, err error) {
	const script = `import importlib.util as u, os, sys
s = u.find_spec("torch")
print(s.submodule_search_locations[0] if s else "")
for p in sys.path:
    if os.path.isdir(os.path.join(p, "nvidia")): print(os.path.abspath(p))`
	out, err := exec.Command("python3", "-c", script).Output()
	if err != nil {
		return "", nil, fmt.Errorf("python3 cannot be asked: %v", err)
	}
	lines := strings.Split(strings.TrimRight(string(out), "\n"), "\n")
	if lines[0] == "" {
		return "", nil, errors.New("python3 has no torch: install it, or unset LIBTORCH_USE_PYTORCH")
	}
	return filepath.Join(lines[0], "lib"), lines[1:], nil
}

var (
	versionPy = regexp.MustCompile(`__version__ = '([^']+)'`)
	versionH  = regexp.MustCompile(`(?m)^#define TORCH_VERSION "([^"]+)"`)
)

// libtorchVersion reads the files that tell the version of libtorch in dir.
func libtorchVersion(dir string) string {
	up := filepath.Dir(dir)
	if b, err := os.ReadFile(filepath.Join(up, "build-version")); err == nil {
		return strings.TrimSpace(string(b))
	}
	if b, err := os.ReadFile(filepath.Join(up, "version.py")); err == nil {
		if m := versionPy.FindSubmatch(b); m != nil {
			return string(m[1])
		}
	}
	for _, h := range []string{"include/torch/headeronly/version.h", "include/torch/csrc/api/include/torch/version.h"} {
		if b, err := os.ReadFile(filepath.Join(up, h)); err == nil {
			if m := versionH.FindSubmatch(b); m != nil {
				return string(m[1])
			}
		}
	}
	return ""
}

func versionFits(v string) bool { return v == needed || strings.HasPrefix(v, needed+".") }
