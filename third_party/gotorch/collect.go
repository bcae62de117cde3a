package gotorch

// #include <stdlib.h>
// #include "cgotorch/shim.h"
import "C"

import (
	"sync"
	"sync/atomic"
	"unsafe"
)

// Outside scopes it is Go's collector that finds tensors which nobody holds,
// and it knows nothing of the memory behind them: a few bytes of Go may stand
// for gigabytes. So it is also started when libtorch's memory has doubled
// since it ran last; with a GPU, of whose memory no such count is kept, also when
// thousands of tensors have been made.

const (
	leastGrowth = 64 << 20 // bytes that are not worth a collection
	someTensors = 4096     // or so many tensors made outside scopes
)

var pressure struct {
	used  *int64       // libtorch's bytes in use, a counter of the C++ part
	limit atomic.Int64 // collect above it
	made  atomic.Int64 // recent.made at the last collection
	// counts: the number of tensors counts, too, for used says nothing of those on
	// a GPU. Set while loading.
	counts bool
	mu     sync.Mutex // held while collecting
}

func watchMemory() {
	pressure.used = (*int64)(C.c_gt_bytes_used().p)
	pressure.limit.Store(leastGrowth)
	pressure.counts = cudaWhy == ""
}

func relieve() {
	if !pressure.mu.TryLock() {
		return // somebody is at it
	}
	defer pressure.mu.Unlock()
	collect()
	drain()
	used := atomic.LoadInt64(pressure.used)
	pressure.limit.Store(used + max(used, leastGrowth))
	pressure.made.Store(recent.made.Load())
}

// GC frees tensors that nobody holds, for loops that use no scopes. It waits
// for no other goroutine, and collects only where there is something to gain:
// a quarter more memory or thousands of tensors since it did so last.
func GC() {
	attend()
	used, limit := atomic.LoadInt64(pressure.used), pressure.limit.Load()
	if used > limit-limit*3/8 || recent.made.Load()-pressure.made.Load() > someTensors {
		relieve()
	}
}

// FinishGC frees all tensors that nobody holds, at the end of such a loop.
func FinishGC() {
	attend()
	relieve()
}

// SetTensorFinalizer is what GoTorch's own functions used to call; here every
// tensor is known to the collector or to its scope from the start.
func SetTensorFinalizer(t *unsafe.Pointer) {
	if t == nil {
		failf("SetTensorFinalizer", "no tensor was given")
	}
}

// MustNil panics with the message err, a C string, and frees it; nil is no
// error.
func MustNil(err unsafe.Pointer) {
	if err != nil {
		s := C.GoString((*C.char)(err))
		C.free(err)
		panic(&Error{Op: "gotorch", Msg: s})
	}
}
