package gotorch

// #include <stdlib.h>
// #include "cgotorch/shim.h"
import "C"

import (
	"os"
	"path/filepath"
	"strings"
	"time"
	"unsafe"
)

// kernelsOff says why the binding's own kernels for GPUs are switched off, or "".
var kernelsOff string

// openKernels gives operations what the library for devices has for kernels. Nothing is compiled before they are asked for.
func openKernels() error {
	if os.Getenv("GOTORCH_CUDA_KERNELS") == "0" {
		kernelsOff = "GOTORCH_CUDA_KERNELS=0 switches them off"
		return nil
	}
	folder := C.CString(kernelsFolder())
	defer C.free(unsafe.Pointer(folder))
	r := C.c_gt_cuda_kernels()
	if r.err == nil && r.p == nil {
		kernelsOff = "there are none for this kind of device"
		return nil
	}
	if r.err == nil {
		r.err = C.c_gt_set_kernels(r.p, folder).err
	}
	if r.err != nil {
		return take("kernels", r.err)
	}
	return nil
}

// kernelsFolder is where kernels are kept once they are compiled, in the user's cache, or "". It is made when the first is.
func kernelsFolder() string {
	cache, err := os.UserCacheDir()
	if os.Getenv("GOTORCH_CUDA_KERNELS") == "anew" || err != nil {
		return ""
	}
	return filepath.Join(cache, "flowmatch", "gpu-kernels")
}

// CUDAKernelsInfo says whether a GPU runs the binding's own kernels.
type CUDAKernelsInfo struct {
	OK           bool
	Off          bool          // by GOTORCH_CUDA_KERNELS=0, or there are none: no fault
	Why          string        // not OK
	Architecture string        // that they were compiled for: "sm_90"
	Compiled     int           // programs that were compiled
	Found        int           // programs that were found compiled, in Folder
	Compiling    time.Duration // how long that took
	Log          string        // what the compiler said
	Folder       string        // where they are kept, or ""
	NotKept      string        // why some could not be kept there, or ""
}

// CUDAKernels compiles and checks the binding's own kernels on d, unless that has been done, as the first operation there
// would. Where they are not OK operations are libtorch's, which are slower. They come in programs, each for an operation and
// a type of elements, of which one access gets several or one: group_norm_bf16x8, group_norm_bf16, group_norm_f32x4,
// group_norm_f32; bias_silu_ and the same; adamw and stable_target are of float32. Without names it is all of them.
// GOTORCH_CUDA_KERNELS=0 in the environment switches them off; with GOTORCH_CUDA_KERNELS=anew none are kept from one process
// to the next.
func CUDAKernels(d Device, programs ...string) CUDAKernelsInfo {
	needCUDA("CUDAKernels")
	if kernelsOff != "" {
		return CUDAKernelsInfo{Off: true, Why: kernelsOff}
	}
	names := C.CString(strings.Join(programs, ","))
	defer C.free(unsafe.Pointer(names))
	r := C.c_gt_get_kernels(C.gt_device{kind: d.T.kind, index: C.int8_t(d.Index())}, names)
	check("CUDAKernels", r.err)
	for _, s := range []*C.char{r.why, r.log, r.folder, r.not_kept} {
		defer C.free(unsafe.Pointer(s))
	}
	return CUDAKernelsInfo{
		OK: bool(r.ready), Why: strings.TrimSpace(C.GoString(r.why)),
		Architecture: C.GoString(&r.architecture[0]), Log: strings.TrimSpace(C.GoString(r.log)),
		Compiled: int(r.compiled), Found: int(r.found), Compiling: time.Duration(float64(r.seconds) * float64(time.Second)),
		Folder: C.GoString(r.folder), NotKept: C.GoString(r.not_kept),
	}
}
