package gotorch

// #include "cgotorch/shim.h"
import "C"

import (
	"runtime"
	"unsafe"
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

// Synchronize waits for all work on d; on the CPU there is none to wait for.
func Synchronize(d Device) {
	if !d.IsCUDA() {
		return
	}
	needCUDA("Synchronize")
	check("Synchronize", C.c_gt_cuda_synchronize(C.int64_t(d.Index())).err)
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

// AllowTF32 sets whether convolutions and products of float32 on a GPU may
// round their operands to 10 bits. cuDNN's convolutions do unless told not to.
func AllowTF32(on bool) {
	needCUDA("AllowTF32")
	check("AllowTF32", C.c_gt_cuda_allow_tf32(C.bool(on)).err)
}

// CUDAStream is an order of work on a GPU.
type CUDAStream struct{ P C.CUDAStream }

// NewCUDAStream is a stream from d's pool.
func NewCUDAStream(d Device) CUDAStream {
	needCUDA("NewCUDAStream")
	r := C.c_gt_cuda_stream_new(C.int64_t(d.Index()))
	check("NewCUDAStream", r.err)
	return CUDAStream{C.CUDAStream(r.p)}
}

// GetCurrentCUDAStream is the stream that the thread's work on d goes to.
func GetCurrentCUDAStream(d Device) CUDAStream {
	needCUDA("GetCurrentCUDAStream")
	r := C.c_gt_cuda_stream_current(C.int64_t(d.Index()))
	check("GetCurrentCUDAStream", r.err)
	return CUDAStream{C.CUDAStream(r.p)}
}

// SetCurrentCUDAStream sends the thread's work to s.
func SetCurrentCUDAStream(s CUDAStream) {
	needCUDA("SetCurrentCUDAStream")
	check("SetCurrentCUDAStream", C.c_gt_cuda_stream_set(unsafe.Pointer(s.P)).err)
}

// Synchronize waits for the stream's work.
func (s CUDAStream) Synchronize() {
	needCUDA("CUDAStream.Synchronize")
	check("CUDAStream.Synchronize", C.c_gt_cuda_stream_synchronize(unsafe.Pointer(s.P)).err)
}

// Query tells whether all the stream's work is done.
func (s CUDAStream) Query() bool {
	needCUDA("CUDAStream.Query")
	r := C.c_gt_cuda_stream_query(unsafe.Pointer(s.P))
	check("CUDAStream.Query", r.err)
	return bool(r.v)
}

// Wait makes the stream's later work wait for e.
func (s CUDAStream) Wait(e *CUDAEvent) {
	check("CUDAStream.Wait", C.c_gt_cuda_stream_wait(unsafe.Pointer(s.P), e.p).err)
}

// Close frees the stream's handle.
func (s CUDAStream) Close() { C.c_gt_cuda_stream_free(unsafe.Pointer(s.P)) }

// CUDAEvent is a point in a stream's work.
type CUDAEvent struct{ p unsafe.Pointer }

// NewCUDAEvent makes an event, with a time where timing is set.
func NewCUDAEvent(timing bool) *CUDAEvent {
	needCUDA("NewCUDAEvent")
	r := C.c_gt_cuda_event_new(C.bool(timing))
	check("NewCUDAEvent", r.err)
	e := &CUDAEvent{r.p}
	runtime.AddCleanup(e, later.enqueue, later{r.p, eventHandle})
	return e
}

// Record marks the point that s has come to.
func (e *CUDAEvent) Record(s CUDAStream) {
	check("CUDAEvent.Record", C.c_gt_cuda_event_record(e.p, unsafe.Pointer(s.P)).err)
	runtime.KeepAlive(e)
}

// Synchronize waits until the point has been passed.
func (e *CUDAEvent) Synchronize() {
	check("CUDAEvent.Synchronize", C.c_gt_cuda_event_synchronize(e.p).err)
	runtime.KeepAlive(e)
}

// Elapsed is the milliseconds from e to end.
func (e *CUDAEvent) Elapsed(end *CUDAEvent) float64 {
	r := C.c_gt_cuda_event_elapsed(e.p, end.p)
	runtime.KeepAlive(e)
	runtime.KeepAlive(end)
	check("CUDAEvent.Elapsed", r.err)
	return float64(r.v)
}

// CUDAGraph is recorded work that is replayed in one call.
type CUDAGraph struct {
	p          unsafe.Pointer
	generators []*Generator
}

// Capture records what f does on the GPU. It must run on a stream other than
// the default one, and f must not wait for the device. Random numbers come
// anew in every replay from the given generators only.
func Capture(generators []*Generator, f func()) (g *CUDAGraph) {
	needCUDA("Capture")
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	r := C.c_gt_cuda_graph_new()
	check("Capture", r.err)
	g = &CUDAGraph{r.p, generators}
	runtime.AddCleanup(g, later.enqueue, later{r.p, graphHandle})
	for _, gen := range generators {
		check("Capture", C.c_gt_cuda_graph_register(g.p, gen.handle()).err)
	}
	check("Capture", C.c_gt_cuda_graph_begin(g.p).err)
	done := false
	defer func() {
		if !done { // f panicked: leave capture mode, and let its panic go on
			C.c_gt_cuda_graph_end(g.p)
		}
	}()
	f()
	done = true
	check("Capture", C.c_gt_cuda_graph_end(g.p).err)
	return g
}

// Replay does the recorded work again.
func (g *CUDAGraph) Replay() {
	check("CUDAGraph.Replay", C.c_gt_cuda_graph_replay(g.p).err)
	runtime.KeepAlive(g)
}
