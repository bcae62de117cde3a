package gotorch

// #include "cgotorch/shim.h"
import "C"

import (
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"
)

// What becomes of tensors made outside scopes: once nobody holds one, Go's
// collector finds it, and its handle is freed.
//
//  1. A new cell goes into recent, which holds it. Most tensors are closed soon,
//     and cost no more than this.
//  2. When its place there is taken by a later one, or recent is emptied, and it
//     is not closed yet, it gets a finalizer. (Not a clean-up of
//     runtime.AddCleanup: that takes two allocations more, and a closed cell
//     would have to find and stop it.)
//  3. The finalizer queues the handle; it never calls C++. The next call of any
//     goroutine frees what is queued.

const recentLen = 64

var recent struct {
	cells [recentLen]atomic.Pointer[cell]
	made  atomic.Int64 // tensors made outside scopes, ever
}

// outside makes the cell of a tensor made outside scopes.
func outside(h unsafe.Pointer) *unsafe.Pointer {
	c := &cell{h: h}
	n := recent.made.Add(1)
	if old := recent.cells[n%recentLen].Swap(c); old != nil {
		old.setFinalizer()
	}
	if atomic.LoadInt64(pressure.used) > pressure.limit.Load() || pressure.counts && n-pressure.made.Load() > someTensors {
		relieve()
	}
	return &c.h
}

// emptyRecent empties recent, so that the collector can find what nobody holds.
func emptyRecent() {
	for i := range recent.cells {
		if c := recent.cells[i].Swap(nil); c != nil {
			c.setFinalizer()
		}
	}
}

// setFinalizer is for a cell of its own, which is not part of a slab.
// Close may run at the same time: what it leaves is nil.
func (c *cell) setFinalizer() {
	if atomic.LoadPointer(&c.h) != nil {
		runtime.SetFinalizer(c, (*cell).enqueue)
	}
}

func (c *cell) enqueue() {
	if h := atomic.LoadPointer(&c.h); h != nil {
		unheld.Lock()
		unheld.tensors = append(unheld.tensors, uintptr(h))
		unheld.Unlock()
		ready.Store(false)
	}
}

// enqueue queues the cells of a slab that Keep moved out of all scopes.
func (s *slab) enqueue() {
	for i := range s.cells {
		s.cells[i].enqueue()
	}
}

// unheld are the handles of tensors that nobody holds, as the collector found.
var unheld struct {
	sync.Mutex
	tensors []uintptr
	spare   []uintptr // an empty slice to go on with
	others  []later
}

// handleKind says what a queued handle is, if not a tensor.
type handleKind int

const (
	generatorHandle handleKind = iota
	optimizerHandle
	eventHandle
	graphHandle
)

// later is a clean-up for handles other than tensors'.
type later struct {
	h    unsafe.Pointer
	kind handleKind
}

func (l later) enqueue() {
	unheld.Lock()
	unheld.others = append(unheld.others, l)
	unheld.Unlock()
	ready.Store(false)
}

func (l later) free() {
	switch l.kind {
	case generatorHandle:
		C.c_gt_generator_free(l.h)
	case optimizerHandle:
		C.c_gt_optimizer_free(l.h)
	case eventHandle:
		C.c_gt_cuda_event_free(l.h)
	case graphHandle:
		C.c_gt_cuda_graph_free(l.h)
	}
}

// drain frees what is queued.
func drain() {
	ready.Store(true) // before looking: what comes in between asks again
	unheld.Lock()
	tensors, others := unheld.tensors, unheld.others
	unheld.tensors, unheld.spare, unheld.others = unheld.spare, nil, nil
	unheld.Unlock()
	for _, l := range others {
		l.free()
	}
	free(tensors)
	unheld.Lock()
	unheld.spare = tensors[:0]
	unheld.Unlock()
}
