package gotorch

// #include "cgotorch/shim.h"
import "C"

import (
	"runtime"
	"time"
	"unsafe"
)

// again tells whether a failed operation is worth one more try: memory was
// exhausted, and what nobody uses has been given back since.
func again(msg *C.char) bool {
	if *msg == somethingElse || captures.Load() > 0 {
		return false // or, captured: a first try that failed is part of the graph
	}
	release(msg)
	reclaim()
	return true
}

// reclaim frees the tensors that the garbage collector can find, and the
// blocks that are kept for reuse.
func reclaim() {
	collect()
	drain()
	C.c_gt_empty_cache()
	if captures.Load() == 0 { // cudaFree would end a capture
		emptyCUDACache()
	}
}

// emptyCUDACache gives the GPU's kept memory back. A test counts in its place.
var emptyCUDACache = func() {
	if cudaWhy == "" {
		C.c_gt_cuda_empty_cache()
	}
}

// collect runs the garbage collector and waits until it has queued the
// tensors that it found; finalizers and clean-ups run in goroutines of their
// own.
func collect() {
	emptyRecent()
	runtime.GC()
	done := make(chan struct{}, 2)
	func() {
		runtime.SetFinalizer(new(sentinel), func(*sentinel) { done <- struct{}{} })
		runtime.AddCleanup(new(sentinel), func(c chan struct{}) { c <- struct{}{} }, done)
	}()
	runtime.GC()
	late := time.After(100 * time.Millisecond)
	for range 2 {
		select {
		case <-done:
		case <-late:
			return
		}
	}
}

// sentinel is a heap object of its own: the tiny allocator would share it.
type sentinel struct{ _ *sentinel }

// FailAllocations makes CPU allocations fail, for tests: the n-th from now, 1
// being the next, and as many in a row as count says. 0, 0 ends it. Under
// InitOptions.NoCache it is an *Error.
func FailAllocations(n, count int64) {
	attend()
	check("FailAllocations", C.c_gt_fail_allocations(C.int64_t(n), C.int64_t(count)).err)
}

// ThreadsHere is the number of cores that the calling thread computes with.
func ThreadsHere() int {
	attend()
	r := C.c_gt_get_threads()
	check("ThreadsHere", r.err)
	return int(r.v)
}

// throwInDestructor throws where no caller can be told of it, for a test.
func throwInDestructor() { attend(); C.c_gt_throw_in_destructor() }

// address is where a tensor says that its elements are, for a test.
func address(t Tensor) unsafe.Pointer {
	r := C.c_gt_data_ptr(t.handle())
	check("address", r.err)
	return r.p
}
