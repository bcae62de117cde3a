package gotorch

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
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
// where the binding was compiled. What it finds in any way but by LIBTORCH it
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
		l, python, err := pythonTorch()
		if err != nil {
			return Library{}, fmt.Errorf("LIBTORCH_USE_PYTORCH is 1, but %w", err)
		}
		return l, l.check(ours().andOf(python), "unset LIBTORCH_USE_PYTORCH")
	}
	const sub = "third_party/libtorch/torch/lib"
	for _, root := range roots() {
		if d := filepath.Join(root.dir, sub); isFile(filepath.Join(d, "libtorch_cpu.so")) {
			l := Library{Dir: d, Source: "third_party/libtorch"}
			return l, l.check(root.owners(), root.orElse())
		}
	}
	return Library{}, errors.New("libtorch was not found: run scripts/setup, or set LIBTORCH to the folder of libtorch " + needed)
}

// check refuses what others than these could have put there.
func (l Library) check(o *owners, orElse string) error {
	dirs, err := l.dirs()
	if err != nil {
		return err
	}
	// The one that is opened by its path comes first, whatever else is found.
	file := filepath.Join(l.Dir, "libtorch_cpu.so")
	why := o.check(file)
	for i := 0; i < len(dirs) && why == nil; i++ {
		file, why = o.checkFolder(dirs[i], "*.so*")
	}
	if why != nil {
		return &UntrustedError{file, filepath.Dir(l.Dir), orElse, why}
	}
	return nil
}

func findBinding(name string) (string, error) {
	var places []root
	if exe, err := os.Executable(); err == nil {
		places = append(places, root{filepath.Dir(resolved(exe)), resolved(exe)})
	}
	for _, r := range roots() {
		for _, sub := range []string{"third_party/gotorch/lib", "lib"} {
			places = append(places, root{filepath.Join(r.dir, sub), r.program})
		}
	}
	for _, place := range places {
		path := filepath.Join(place.dir, name)
		if !isFile(path) {
			continue
		}
		o := place.owners()
		file, why := path, o.check(path)
		if why == nil { // the part for CUDA lies beside it
			file, why = o.checkFolder(place.dir, "libcgotorch*")
		}
		if why != nil {
			return path, &UntrustedError{file, "", place.orElse(), why}
		}
		return path, nil
	}
	return "", fmt.Errorf("%s was not found: run scripts/build", name)
}

// root is a folder that may be the project's.
type root struct {
	dir     string
	program string // this one, if that led there; else it is where somebody works, or the compiler saw the sources
}

func (r root) owners() *owners {
	if r.program != "" {
		return ours().andOf(r.program)
	}
	return ours()
}

func (r root) orElse() string {
	if r.program != "" {
		return elsewhere
	}
	return "work in another folder"
}

// roots are the parent of the executable's folder, then the working directory and
// those above it, then that of the sources.
func roots() []root {
	var all []root
	if exe, err := os.Executable(); err == nil {
		all = append(all, root{filepath.Dir(filepath.Dir(resolved(exe))), resolved(exe)})
	}
	if wd, err := os.Getwd(); err == nil {
		for {
			all = append(all, root{wd, ""})
			up := filepath.Dir(wd)
			if up == wd {
				break
			}
			wd = up
		}
	}
	if sourceDir != "" {
		all = append(all, root{sourceDir, ""})
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
// folders hold packages of NVIDIA's: a user's own torch may use the system's. It
// gives the path of Python, too. Modules in the working directory are not for it,
// where anybody's would run in the place of importlib, say.
func pythonTorch() (l Library, python string, err error) {
	const script = `import sys
sys.path[:] = [p for p in sys.path if p]
import importlib.util as u, os
s = u.find_spec("torch")
print(sys.executable)
print(s.submodule_search_locations[0] if s else "")
for p in sys.path:
    if os.path.isdir(os.path.join(p, "nvidia")): print(os.path.abspath(p))`
	cmd := exec.Command("python3", "-c", script)
	cmd.Env = append(os.Environ(), "PYTHONPATH="+absolutes(os.Getenv("PYTHONPATH")))
	out, err := cmd.Output()
	if err != nil {
		return l, "", fmt.Errorf("python3 cannot be asked: %v", err)
	}
	lines := strings.Split(strings.TrimRight(string(out), "\n"), "\n")
	if len(lines) < 2 || lines[1] == "" {
		return l, "", errors.New("python3 has no torch: install it, or unset LIBTORCH_USE_PYTORCH")
	}
	l = Library{Dir: filepath.Join(lines[1], "lib"), Source: "LIBTORCH_USE_PYTORCH", packages: lines[2:]}
	if !isFile(filepath.Join(l.Dir, "libtorch_cpu.so")) {
		return l, "", fmt.Errorf("%s, python3's torch, holds no lib/libtorch_cpu.so: install it again, or unset LIBTORCH_USE_PYTORCH", lines[1])
	}
	return l, lines[0], nil
}

// absolutes keeps the absolute paths of a list: an empty one is the working directory, and others lie in it.
func absolutes(list string) string {
	paths := slices.DeleteFunc(filepath.SplitList(list), func(p string) bool { return !filepath.IsAbs(p) })
	return strings.Join(paths, string(filepath.ListSeparator))
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
