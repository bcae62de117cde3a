package gotorch

// #include "cgotorch/shim.h"
import "C"

import (
	"runtime"
	"unsafe"
)

// CUDAStream is an order of work on a GPU. The zero value is none.
//
// Memory of a tensor goes back to the stream that it was made on. Before a
// tensor that other streams use is closed, let its own stream Wait for their
// work.
type CUDAStream struct{ P C.CUDAStream }

// NewCUDAStream is a stream from d's pool.
func NewCUDAStream(d Device) CUDAStream {
	const op = "NewCUDAStream"
	needGPU(op, d)
	r := C.c_gt_cuda_stream_new(C.int64_t(d.Index()))
	check(op, r.err)
	return CUDAStream{C.CUDAStream(r.p)}
}

// GetCurrentCUDAStream is the stream that the thread's work on d goes to.
func GetCurrentCUDAStream(d Device) CUDAStream {
	const op = "GetCurrentCUDAStream"
	needGPU(op, d)
	r := C.c_gt_cuda_stream_current(C.int64_t(d.Index()))
	check(op, r.err)
	return CUDAStream{C.CUDAStream(r.p)}
}

func needGPU(op string, d Device) {
	needCUDA(op)
	if !d.IsCUDA() {
		failf(op, "%v is no GPU, and has no streams", d)
	}
}

// SetCurrentCUDAStream sends the thread's work to s; the goroutine should be
// locked to its thread, as it is in a scope. WithStream does both, and undoes
// them.
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
	check(op, C.c_gt_cuda_stream_wait(s.handle(op), e.handle()).err)
	runtime.KeepAlive(e)
}

// WithStream runs f with the goroutine locked to its thread and the thread's
// work sent to s. f's work begins after what the thread asked of its stream
// before, and what it asks of that one later begins after f's work; the CPU
// does not wait.
func WithStream(s CUDAStream, f func()) {
	const op = "WithStream"
	h := s.handle(op)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	r := C.c_gt_cuda_stream_swap(h)
	check(op, r.err)
	before := CUDAStream{C.CUDAStream(r.p)}
	defer func() {
		SetCurrentCUDAStream(before)
		after(before, s)
	}()
	after(s, before)
	f()
}

// after lets later work of s begin after the work that other has now.
func after(s, other CUDAStream) {
	e := NewCUDAEvent(false)
	defer e.Close()
	e.Record(other)
	s.Wait(e)
}

// Close does nothing: streams are libtorch's and never end.
func (s CUDAStream) Close() {}

// CUDAEvent is a point in a stream's work. It is freed by Close or by the
// garbage collector.
type CUDAEvent struct {
	p       unsafe.Pointer
	cleanup runtime.Cleanup
}

// NewCUDAEvent makes an event, with a time where timing is set.
func NewCUDAEvent(timing bool) *CUDAEvent {
	needCUDA("NewCUDAEvent")
	r := C.c_gt_cuda_event_new(C.bool(timing))
	check("NewCUDAEvent", r.err)
	e := &CUDAEvent{p: r.p}
	e.cleanup = runtime.AddCleanup(e, later.enqueue, later{r.p, eventHandle})
	return e
}

func (e *CUDAEvent) handle() unsafe.Pointer {
	if e.p == nil {
		panic(&ReleasedError{})
	}
	return e.p
}

// Close frees the event. Closing again does nothing.
func (e *CUDAEvent) Close() {
	if e.p == nil {
		return
	}
	e.cleanup.Stop()
	p := e.p
	e.p = nil
	check("CUDAEvent.Close", C.c_gt_cuda_event_free(p).err)
}

// Record marks the point that s has come to.
func (e *CUDAEvent) Record(s CUDAStream) {
	const op = "CUDAEvent.Record"
	check(op, C.c_gt_cuda_event_record(e.handle(), s.handle(op)).err)
	runtime.KeepAlive(e)
}

// Synchronize waits until the point has been passed.
func (e *CUDAEvent) Synchronize() {
	check("CUDAEvent.Synchronize", C.c_gt_cuda_event_synchronize(e.handle()).err)
	runtime.KeepAlive(e)
}

// Elapsed is the milliseconds from e to end.
func (e *CUDAEvent) Elapsed(end *CUDAEvent) float64 {
	r := C.c_gt_cuda_event_elapsed(e.handle(), end.handle())
	runtime.KeepAlive(e)
	runtime.KeepAlive(end)
	check("CUDAEvent.Elapsed", r.err)
	return float64(r.v)
}
