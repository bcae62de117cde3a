package gotorch

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The libraries are opened once a process, so every case is a child of its
// own: this test binary again, told by childEnv what to do.
const childEnv = "GOTORCH_TEST_CHILD"

func TestChild(t *testing.T) {
	sources := sourceDir
	sourceDir = "" // where nothing leads to the libraries, nothing is found
	switch os.Getenv(childEnv) {
	case "":
		sourceDir = sources
		t.Skip("this is no child process")
	case "sources":
		sourceDir = os.Getenv("GOTORCH_TEST_SOURCES")
		report(Init(InitOptions{NoCUDA: true}))
	case "init":
		report(Init(InitOptions{}))
		report(Init(InitOptions{})) // the same again
	case "first use":
		report(Try(func() { Ones([]int64{1}, false) }))
	case "cuda":
		if err := Init(InitOptions{ForceCUDA: true}); err != nil {
			report(err)
			return
		}
		_, why := CUDAStatus()
		os.Stdout.WriteString("cuda: " + why + "\n")
		report(Try(func() { Synchronize(NewDevice("cuda")) }))
		report(Try(func() { // and the CPU works, gradients included
			x := Ones([]int64{2}, true)
			SumAll(x).Backward()
		}))
	case "kernels":
		kernelsOfChild()
	case "trace":
		report(Try(func() { MM(Ones([]int64{2, 3}, false), Ones([]int64{2, 3}, false)) }))
	case "address space":
		outOfAddresses()
	case "warnings":
		warn()
	case "device":
		report(Try(func() { CUDADeviceInfo(NewDevice("cuda")) }))
		report(Try(func() { CUDAResetPeak(NewDevice("cuda")) }))
	case "no cache":
		report(Init(InitOptions{NoCUDA: true, NoCache: true}))
		report(Try(func() { SetMemoryLimit(1 << 20) }))
		report(Try(func() { FailAllocations(1, 1) }))
		report(Try(func() { Ones([]int64{2}, false) }))
	case "destructor":
		throwInDestructor()
		os.Stdout.WriteString("still here\n")
	case "nothing":
		os.Stdout.WriteString("started\n")
	}
}

func report(err error) {
	if err == nil {
		os.Stdout.WriteString("ok\n")
	} else {
		os.Stdout.WriteString("error: " + err.Error() + "\n")
	}
}

// child finds libtorch as this process does, unless env says otherwise.
func child(t *testing.T, what, dir string, env ...string) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return childOf(t, exec.Command(exe, "-test.run=^TestChild$"), what, dir, env...)
}

// childOf is the same by a command of this test binary, which may lie elsewhere.
func childOf(t *testing.T, cmd *exec.Cmd, what, dir string, env ...string) string {
	t.Helper()
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), childEnv+"="+what), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	text, _, _ := strings.Cut(string(out), "PASS")
	return text
}

// repository is a folder like the project's, with a libtorch of empty files
// that claims a version.
func repository(t *testing.T, version string) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), `data[1] *?\\`) // no pattern, though it looks like one
	dir := filepath.Join(root, "third_party/libtorch/torch/lib")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"libtorch_cpu.so", "libc10.so"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if version != "" {
		text := "__version__ = '" + version + "'\n"
		if err := os.WriteFile(filepath.Join(dir, "../version.py"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestLibraryNotFound(t *testing.T) {
	empty := t.TempDir()
	wrong := repository(t, "1.13.1+cpu")
	broken := repository(t, needed+".0+cpu")
	open := repository(t, "1.13.1+cpu")
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	unset := "LIBTORCH="
	sources := func(dir string) []string { return []string{unset, "GOTORCH_TEST_SOURCES=" + dir} }
	for _, c := range []struct {
		name, what, dir string
		env             []string
		want            []string
	}{
		{"nowhere", "init", empty, []string{unset}, []string{"libtorch was not found", "scripts/setup"}},
		{"nowhere at first use", "first use", empty, []string{unset}, []string{"error: libtorch was not found"}},
		{"LIBTORCH names an empty folder", "init", ".", []string{"LIBTORCH=" + empty}, []string{"LIBTORCH is " + empty, "libtorch_cpu.so"}},
		{"wrong version", "init", wrong, []string{unset}, []string{"1.13.1+cpu", needed + " is needed", "third_party/libtorch"}},
		{"wrong version by LIBTORCH", "init", ".", []string{"LIBTORCH=" + wrong + "/third_party/libtorch"}, []string{"1.13.1+cpu", "found through LIBTORCH"}},
		{"no binding", "init", broken, []string{unset}, []string{"libcgotorch.so was not found", "scripts/build"}},
		{"wrong version at the sources", "sources", empty, sources(wrong), []string{"1.13.1+cpu", needed + " is needed"}},
		{"sources that anybody may write to", "sources", empty, sources(open), []string{"is not opened", "everybody may write"}},
		{"damaged", "init", ".", []string{"LIBTORCH=" + broken + "/third_party/libtorch"}, []string{"libtorch cannot be opened", "libtorch_cpu.so"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if exe, _ := os.Executable(); c.name == "no binding" && isFile(filepath.Join(filepath.Dir(exe), "libcgotorch.so")) {
				t.Skip("it lies beside this program (sanitize.sh)")
			}
			out := child(t, c.what, c.dir, append(c.env, "LIBTORCH_USE_PYTORCH=")...)
			lines := strings.Split(strings.TrimSpace(out), "\n")
			for _, line := range lines {
				for _, want := range append(c.want, "error: ") {
					if !strings.Contains(line, want) {
						t.Errorf("%q lacks %q", line, want)
					}
				}
			}
			if want := map[string]int{"init": 2, "first use": 1, "sources": 1}[c.what]; len(lines) != want {
				t.Errorf("%d lines, want %d: %s", len(lines), want, out)
			}
		})
	}
}

// Nothing happens at import: a program that computes nothing needs no
// libtorch.
func TestImportOpensNothing(t *testing.T) {
	if out := child(t, "nothing", t.TempDir(), "LIBTORCH=/nowhere"); out != "started\n" {
		t.Errorf("%q", out)
	}
}

// TestCUDAForced opens the CUDA part where there is no driver; a CPU-only
// libtorch has none.
func TestCUDAForced(t *testing.T) {
	if HasDriver() {
		t.Skip("this machine has a driver")
	}
	lib, err := FindLibrary()
	if err != nil {
		t.Fatal(err)
	}
	want := "no NVIDIA driver was found"
	if !isFile(filepath.Join(lib.Dir, "libtorch_cuda.so")) {
		want = "libtorch_cuda.so is not in"
	}
	out := child(t, "cuda", ".")
	lines := strings.Split(out, "\n")
	if len(lines) < 3 || !strings.Contains(lines[0], want) {
		t.Fatalf("%q lacks %q", out, want)
	}
	if !strings.Contains(lines[1], "error: CUDA is off: ") {
		t.Errorf("%q", lines[1])
	}
	if lines[2] != "ok" {
		t.Errorf("the CPU part: %q", lines[2])
	}
}

func TestCUDAStatusWithoutIt(t *testing.T) {
	if os.Getenv("GOTORCH_TEST_CUDA") == "1" {
		t.Skip("CUDA is on")
	}
	ok, why := CUDAStatus()
	if ok {
		t.Skip("there is a GPU")
	}
	if why != "it was switched off" {
		t.Errorf("%v, %q", ok, why)
	}
	if IsCUDAAvailable() || CUDADeviceCount() != 0 {
		t.Error("there is a GPU all the same")
	}
}

func TestTrace(t *testing.T) {
	plain, traced := child(t, "trace", "."), child(t, "trace", ".", "GOTORCH_TRACE=1")
	const frame = "Exception raised from"
	if strings.Contains(plain, frame) || !strings.Contains(traced, frame) {
		t.Errorf("without: %q, with: %q", plain, traced)
	}
}

func TestVersionFits(t *testing.T) {
	for v, want := range map[string]bool{needed: true, needed + ".0": true, needed + ".1+cpu": true, needed + "0.0": false, "1.13": false, "": false} {
		if versionFits(v) != want {
			t.Errorf("%q: %v", v, !want)
		}
	}
}

// An exception that no caller can be given ends the program in one line, without
// the stacks of its goroutines.
func TestThrowInDestructor(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), childEnv+"=destructor")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || string(out) != "libtorch failed where it cannot go on: planted\n" {
		t.Errorf("%v: %q", err, out)
	}
}
