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

func streamOf(p unsafe.Pointer) CUDAStream { return CUDAStream{C.CUDAStream(p)} }

// NewCUDAStream is a stream from d's pool.
func NewCUDAStream(d Device) CUDAStream {
	const op = "NewCUDAStream"
	needGPU(op, d)
	r := C.c_gt_cuda_stream_new(C.int64_t(d.Index()))
	check(op, r.err)
	return streamOf(r.p)
}

// GetCurrentCUDAStream is the stream that the thread's work on d goes to.
func GetCurrentCUDAStream(d Device) CUDAStream {
	const op = "GetCurrentCUDAStream"
	needGPU(op, d)
	r := C.c_gt_cuda_stream_current(C.int64_t(d.Index()))
	check(op, r.err)
	return streamOf(r.p)
}

func needGPU(op string, d Device) {
	needCUDA(op)
	if !d.IsCUDA() {
		failf(op, "%v is no GPU, and has no streams", d)
	}
}

// SetCurrentCUDAStream sends the thread's work to s, and makes s's device the
// thread's current one; the goroutine should be locked to its thread, as it is in
// a scope. WithStream does all of that, and undoes it.
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

// WithStream runs f with the goroutine locked to its thread, the thread's work
// sent to s, and s's device its current one. f's work begins after what the
// thread asked before of its stream on that device, and what it asks of that one
// later begins after f's work; the CPU does not wait.
func WithStream(s CUDAStream, f func()) {
	needCUDA("WithStream")
	s.handle("WithStream")
	withStream(cudaStreams{}, s, f)
}

// streamCalls is what WithStream asks of libtorch, which keeps for each thread a
// current device, and for each device a current stream.
type streamCalls interface {
	device() int
	setDevice(d int)
	current(of CUDAStream) CUDAStream // on of's device
	set(s CUDAStream)                 // and its device
	after(s, other CUDAStream)        // s's later work begins after what other has now
}

func withStream(calls streamCalls, s CUDAStream, f func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	device, before := calls.device(), calls.current(s)
	defer func() {
		calls.set(before)
		calls.after(before, s)
		calls.setDevice(device)
	}()
	calls.set(s)
	calls.after(s, before)
	f()
}

type cudaStreams struct{}

func (cudaStreams) device() int {
	r := C.c_gt_cuda_device()
	check("WithStream", r.err)
	return int(r.v)
}

func (cudaStreams) setDevice(d int) {
	check("WithStream", C.c_gt_cuda_set_device(C.int64_t(d)).err)
}

func (cudaStreams) current(of CUDAStream) CUDAStream {
	d := C.c_gt_cuda_stream_device(unsafe.Pointer(of.P))
	check("WithStream", d.err)
	r := C.c_gt_cuda_stream_current(d.v)
	check("WithStream", r.err)
	return streamOf(r.p)
}

func (cudaStreams) set(s CUDAStream) { SetCurrentCUDAStream(s) }

func (cudaStreams) after(s, other CUDAStream) {
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
