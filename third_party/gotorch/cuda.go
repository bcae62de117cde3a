package gotorch

// #include "cgotorch/shim.h"
import "C"

import (
	"fmt"
	"path/filepath"
)

// CUDAStatus says whether there is a usable GPU, and why not.
func CUDAStatus() (ok bool, why string) {
	attend()
	return cudaWhy == "", cudaWhy
}

// IsCUDAAvailable tells whether tensors can live on a GPU.
func IsCUDAAvailable() bool { ok, _ := CUDAStatus(); return ok }

// IsCUDNNAvailable tells whether convolutions on a GPU can use cuDNN.
func IsCUDNNAvailable() bool {
	if !IsCUDAAvailable() {
		return false
	}
	r := C.c_gt_cuda_has_cudnn()
	check("IsCUDNNAvailable", r.err)
	return bool(r.v)
}

func needCUDA(op string) {
	if ok, why := CUDAStatus(); !ok {
		failf(op, "CUDA is off: %s", why)
	}
}

// CUDADeviceCount is the number of GPUs, 0 where CUDA is off.
func CUDADeviceCount() int {
	if !IsCUDAAvailable() {
		return 0
	}
	r := C.c_gt_cuda_device_count()
	check("CUDADeviceCount", r.err)
	return int(r.v)
}

// CUDAInfo describes a GPU and what its allocator holds; sizes are bytes.
type CUDAInfo struct {
	Name                     string
	Major, Minor             int // compute capability
	Free, Total              int64
	Allocated, AllocatedPeak int64
	Reserved                 int64
}

// CUDADeviceInfo asks a GPU.
func CUDADeviceInfo(d Device) CUDAInfo {
	needCUDA("CUDADeviceInfo")
	r := C.c_gt_cuda_device_info(C.int64_t(d.Index()))
	check("CUDADeviceInfo", r.err)
	return CUDAInfo{
		Name: C.GoString(&r.name[0]), Major: int(r.major), Minor: int(r.minor),
		Free: int64(r.free), Total: int64(r.total),
		Allocated: int64(r.allocated), AllocatedPeak: int64(r.allocated_peak), Reserved: int64(r.reserved),
	}
}

// CUDAMemory is CUDADeviceInfo's Allocated, AllocatedPeak and Reserved alone,
// for which the device need not be asked.
func CUDAMemory(d Device) CUDAInfo {
	needCUDA("CUDAMemory")
	r := C.c_gt_cuda_memory(C.int64_t(d.Index()))
	check("CUDAMemory", r.err)
	return CUDAInfo{Allocated: int64(r.allocated), AllocatedPeak: int64(r.allocated_peak), Reserved: int64(r.reserved)}
}

// leastMajor.leastMinor is the oldest compute capability that libtorch 2.11's
// build for CUDA 13.0 has kernels for.
const leastMajor, leastMinor = 7, 5

// CUDAUnfit says why libtorch has no kernels for a GPU, "" where it has them.
func CUDAUnfit(d Device) string { return unfit(CUDADeviceInfo(d)) }

func unfit(i CUDAInfo) string {
	if i.Major > leastMajor || i.Major == leastMajor && i.Minor >= leastMinor {
		return ""
	}
	return fmt.Sprintf("the %s is of compute capability %d.%d, and libtorch for CUDA 13.0 needs %d.%d (Turing, 2018) or newer; a processor can compute", i.Name, i.Major, i.Minor, leastMajor, leastMinor)
}

// HasNVIDIADevice tells whether NVIDIA's driver, of whatever version, shows a
// GPU to this process.
func HasNVIDIADevice() bool {
	for _, pattern := range []string{"/dev/nvidia[0-9]*", "/usr/lib/wsl/lib/libcuda.so.1"} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return true
		}
	}
	return false
}

// Synchronize waits for all work on d; on the CPU there is none to wait for.
func Synchronize(d Device) {
	if !d.IsCUDA() {
		return
	}
	needCUDA("Synchronize")
	check("Synchronize", C.c_gt_cuda_synchronize(C.int64_t(d.Index())).err)
}

// CUDAForbidWaits makes whatever lets the processor wait for a GPU an *Error, for tests
// of work that must not.
func CUDAForbidWaits(on bool) {
	needCUDA("CUDAForbidWaits")
	check("CUDAForbidWaits", C.c_gt_cuda_forbid_waits(C.bool(on)).err)
}

// CUDAEmptyCache gives GPU memory that is kept for reuse back to the device.
func CUDAEmptyCache() {
	needCUDA("CUDAEmptyCache")
	check("CUDAEmptyCache", C.c_gt_cuda_empty_cache().err)
}

// CUDAResetPeak starts CUDAInfo.AllocatedPeak anew.
func CUDAResetPeak(d Device) {
	needCUDA("CUDAResetPeak")
	check("CUDAResetPeak", C.c_gt_cuda_reset_peak(C.int64_t(d.Index())).err)
}
