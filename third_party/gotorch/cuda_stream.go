package gotorch

// #include "cgotorch/shim.h"
import "C"

import (
	"runtime"
	"unsafe"
)

// CUDAStream is an order of work on a GPU. The zero value is none.
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

// SetCurrentCUDAStream sends the thread's work to s; the goroutine should be
// locked to its thread, as it is in a scope.
func SetCurrentCUDAStream(s CUDAStream) {
	const op = "SetCurrentCUDAStream"
	check(op, C.c_gt_cuda_stream_set(s.handle(op)).err)
}

func (s CUDAStream) handle(op string) unsafe.Pointer {
	needCUDA(op)
	if s.P == nil {
		failf(op, "a stream is needed, and the zero CUDAStream was given")
	}
	return unsafe.Pointer(s.P)
}

// Synchronize waits for the stream's work.
func (s CUDAStream) Synchronize() {
	const op = "CUDAStream.Synchronize"
	check(op, C.c_gt_cuda_stream_synchronize(s.handle(op)).err)
}

// Query tells whether all the stream's work is done.
func (s CUDAStream) Query() bool {
	const op = "CUDAStream.Query"
	r := C.c_gt_cuda_stream_query(s.handle(op))
	check(op, r.err)
	return bool(r.v)
}

// Wait makes the stream's later work wait for e.
func (s CUDAStream) Wait(e *CUDAEvent) {
	const op = "CUDAStream.Wait"
	check(op, C.c_gt_cuda_stream_wait(s.handle(op), e.p).err)
	runtime.KeepAlive(e)
}

// Close does nothing: streams are libtorch's and never end.
func (s CUDAStream) Close() {}

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
	const op = "CUDAEvent.Record"
	check(op, C.c_gt_cuda_event_record(e.p, s.handle(op)).err)
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
