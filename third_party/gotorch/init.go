package gotorch

// #cgo CFLAGS: -O2
// #cgo LDFLAGS: -ldl
// #include <stdlib.h>
// #include "cgotorch/shim.h"
import "C"

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"
)

// Version is the libtorch that the binding is made for.
const Version = "2.11"

// needed is the version that is accepted. scripts/try-libtorch links another
// one in (-ldflags -X), to see what the binding does with it.
var needed = Version

// InitOptions say how the libraries are opened; the zero value opens the CPU
// part, and the CUDA part where there is a driver.
type InitOptions struct {
	NoCUDA     bool // leave CUDA out even where there is a driver
	ForceCUDA  bool // open the CUDA part even where there is no driver
	NumThreads int  // cores inside scopes; 0: all that the process may use
	NoCache    bool // leave libtorch's own CPU allocator in place
}

var (
	loaded   atomic.Bool
	initMu   sync.Mutex
	initErr  error
	initDone bool
	cudaWhy  string // why CUDA is off, or ""
)

// Init opens the libraries. Only the first call, explicit or by first use,
// has an effect; later ones return its error.
func Init(o InitOptions) error {
	initMu.Lock()
	defer initMu.Unlock()
	if !initDone {
		initErr = load(o)
		initDone = true
		if initErr == nil {
			loaded.Store(true)
		}
	}
	return initErr
}

func mustLoad() {
	if err := Init(InitOptions{}); err != nil {
		panic(&Error{Op: "gotorch", Msg: err.Error()})
	}
}

func load(o InitOptions) error {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return fmt.Errorf("gotorch runs on Linux on x86-64 only, this is %s on %s", runtime.GOOS, runtime.GOARCH)
	}
	lib, err := FindLibrary()
	if err != nil {
		return err
	}
	// Read by libgomp while it loads. Threads spin for some 50 us after a
	// parallel region, which bridges the gap to the next one, and then sleep,
	// so that idle ones leave their cores to other goroutines. Not to spin at
	// all (OMP_WAIT_POLICY=passive) makes a step of a small UNet 1.9 times as
	// long.
	if os.Getenv("OMP_WAIT_POLICY") == "" && os.Getenv("GOMP_SPINCOUNT") == "" {
		os.Setenv("GOMP_SPINCOUNT", "10000")
	}
	if err := lib.openTorch(open, "libtorch_cpu.so"); err != nil {
		return notOpened("libtorch", err)
	}
	if standIn != "" {
		lib.CUDABinding = standIn
	}
	cudaWhy = openCUDA(o, lib, HasDriver, open)
	if err := fillTable(lib.Binding, false); err != nil {
		return notOpened(lib.Binding, err)
	}
	if cudaWhy == "" {
		if err := fillTable(lib.CUDABinding, true); err != nil {
			cudaWhy = fmt.Sprintf("%s cannot be opened: %v", lib.CUDABinding, err)
		} else if r := C.c_gt_cuda_device_count(); r.err != nil {
			cudaWhy = explainCUDA(take("CUDA", r.err).Msg)
		}
	}
	r := C.c_gt_setup(C.bool(!o.NoCache))
	if r.err != nil {
		return take("setup", r.err)
	}
	version := C.GoString(r.s)
	C.free(unsafe.Pointer(r.s))
	if cudaWhy == "" {
		if err := openKernels(); err != nil {
			return err
		}
	}
	if !versionFits(version) {
		return fmt.Errorf("libtorch %s was opened, %s is needed", version, needed)
	}
	if os.Getenv("GOTORCH_TRACE") == "1" {
		C.c_gt_trace(true)
		if cudaWhy == "" {
			C.c_gt_cuda_trace(true)
		}
	}
	n := o.NumThreads
	if n <= 0 {
		n = runtime.GOMAXPROCS(0) // heeds a container's share
	}
	setNumThreads(n)
	watchMemory()
	return nil
}

// Opening is the operation that an *Error names where there was no memory for libtorch itself.
const Opening = "dlopen"

// notOpened names a library that cannot be opened. Where memory is exhausted the loader
// says so in words of its own.
func notOpened(name string, err error) error {
	for _, words := range []string{"failed to map segment", "annot allocate memory"} {
		if strings.Contains(err.Error(), words) {
			err = &Error{Op: Opening, Msg: err.Error(), OutOfMemory: true}
			break
		}
	}
	return fmt.Errorf("%s cannot be opened: %w", name, err)
}

// openCUDA must come before anything asks libtorch for its CUDA hooks, which
// the first backward pass does; later it would be too late for the process. It
// says why CUDA is off.
func openCUDA(o InitOptions, lib Library, hasDriver func() bool, open opener) (why string) {
	switch {
	case o.NoCUDA:
		return "it was switched off"
	case standIn != "":
		return ""
	case !o.ForceCUDA && !hasDriver():
		return "no NVIDIA driver: libcuda.so.1 cannot be opened"
	}
	if _, err := os.Stat(filepath.Join(lib.Dir, "libtorch_cuda.so")); err != nil {
		return "libtorch_cuda.so is not in " + lib.Dir
	}
	first := lib.dependencies(byName)
	if othersCuDNN() {
		first = append(first, lib.cuDNNParts()...)
	}
	for _, f := range first {
		_ = open(f, true) // without it cuDNN is slower
	}
	if err := lib.openTorch(open, "libtorch_cuda.so"); err != nil {
		return fmt.Sprintf("libtorch_cuda.so cannot be opened: %v", err)
	}
	return ""
}

func explainCUDA(msg string) string {
	switch {
	case strings.Contains(msg, "Found no NVIDIA driver"):
		return "no NVIDIA driver was found"
	case strings.Contains(msg, "driver on your system is too old"), strings.Contains(msg, "insufficient"):
		return "the NVIDIA driver " + supports(msg) + "; libtorch is built for CUDA 13.0, which needs driver 580 or newer"
	}
	line, _, _ := strings.Cut(msg, "\n")
	return line
}

var foundVersion = regexp.MustCompile(`found version (\d+)`)

// supports says which CUDA a driver that is too old can do; libtorch tells it as
// 12080.
func supports(msg string) string {
	m := foundVersion.FindStringSubmatch(msg)
	if m == nil {
		return "is too old"
	}
	n, _ := strconv.Atoi(m[1])
	return fmt.Sprintf("is too old: it can do CUDA %d.%d", n/1000, n%1000/10)
}

// HasDriver tells whether NVIDIA's driver library can be opened.
func HasDriver() bool { return open("libcuda.so.1", false) == nil }

func open(path string, global bool) error {
	p := C.CString(path)
	defer C.free(unsafe.Pointer(p))
	return goError(C.gt_dlopen(p, C.bool(global)))
}

func fillTable(path string, cuda bool) error {
	p := C.CString(path)
	defer C.free(unsafe.Pointer(p))
	return goError(C.gt_fill(p, C.bool(cuda)))
}

func goError(msg *C.char) error {
	if msg == nil {
		return nil
	}
	s := C.GoString(msg)
	C.free(unsafe.Pointer(msg))
	return fmt.Errorf("%s", s)
}

// BuildInfo is libtorch's own description of how it was built.
func BuildInfo() string {
	attend()
	return takeString("BuildInfo", C.c_gt_build_info())
}

// TakeWarnings returns the warnings that libtorch gave since the last call,
// each text once.
func TakeWarnings() []string {
	if !loaded.Load() {
		return nil
	}
	s := strings.TrimSpace(takeString("TakeWarnings", C.c_gt_take_warnings()))
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

func takeString(op string, r C.gt_rs) string {
	check(op, r.err)
	s := C.GoString(r.s)
	C.free(unsafe.Pointer(r.s))
	return s
}
