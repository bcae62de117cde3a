package gotorch

// #include <stdlib.h>
// #include "cgotorch/shim.h"
// #cgo noescape c_gt_free
// #cgo nocallback c_gt_free
import "C"

import (
	"runtime"
	"sync/atomic"
	"unsafe"
)

// Tensor is an n-dimensional array. The zero value is no tensor; T points to
// a cell that is set to nil when the tensor is closed.
type Tensor struct {
	T *unsafe.Pointer
}

// cell is what Tensor.T points to: the handle, and outside scopes the
// registered clean-up.
type cell struct {
	h       unsafe.Pointer
	cleanup runtime.Cleanup // zero: the cell belongs to a scope
}

func (c *cell) inScope() bool { return c.cleanup == runtime.Cleanup{} }

// handle is for an operand that must be there.
func (t Tensor) handle() unsafe.Pointer {
	if t.T == nil {
		panic(&Error{Op: "gotorch", Msg: "a tensor is needed, and the zero Tensor was given"})
	}
	h := *t.T
	if h == nil {
		panic(&ReleasedError{})
	}
	return h
}

// handleOrNil is for an operand that may be none.
func (t Tensor) handleOrNil() unsafe.Pointer {
	if t.T == nil {
		return nil
	}
	return t.handle()
}

// number is handle for the generated functions.
func (t Tensor) number() C.gt_handle { return C.gt_handle(uintptr(t.handle())) }

func (t Tensor) numberOrNone() C.gt_handle { return C.gt_handle(uintptr(t.handleOrNil())) }

func handles(buf []unsafe.Pointer, ts []Tensor) []unsafe.Pointer {
	for _, t := range ts {
		buf = append(buf, t.handle())
	}
	return buf
}

func handlesPtr(h []unsafe.Pointer) *unsafe.Pointer {
	return unsafe.SliceData(h)
}

func intsPtr(v []int64) *C.int64_t {
	return (*C.int64_t)(unsafe.Pointer(unsafe.SliceData(v)))
}

func textPtr(s string) *C.char { return (*C.char)(unsafe.Pointer(unsafe.StringData(s))) }

// own gives a handle to the scope it was made in, or to the garbage collector.
func own(h unsafe.Pointer, scope C.uint32_t) Tensor {
	if births.asked.Load() != 0 {
		born(h)
	}
	if scope != 0 {
		return scopeAt(uint32(scope)).adopt(h)
	}
	outside()
	c := &cell{h: h}
	c.catch()
	return Tensor{&c.h}
}

func ownAll(r C.gt_rl) []Tensor {
	hs := unsafe.Slice(r.t, int(r.n))
	ts := make([]Tensor, len(hs))
	for i, h := range hs {
		ts[i] = own(h, r.scope)
	}
	C.free(unsafe.Pointer(r.t))
	return ts
}

// catch registers the net: once nobody holds the cell, its handle is queued.
func (c *cell) catch() {
	c.cleanup = runtime.AddCleanup(c, enqueue, c.h)
}

// Close frees the tensor now. Closing again, or closing the zero Tensor, does
// nothing.
func (t Tensor) Close() {
	if t.T == nil || *t.T == nil {
		return
	}
	c := (*cell)(unsafe.Pointer(t.T))
	h := c.h
	c.h = nil
	if !c.inScope() {
		c.cleanup.Stop()
	}
	free([]uintptr{uintptr(h)})
}

// free takes numbers, not pointers: cgo would look through all of these.
func free(hs []uintptr) {
	if len(hs) == 0 {
		return
	}
	if births.asked.Load() != 0 {
		died(hs)
	}
	check("free", C.c_gt_free((*unsafe.Pointer)(unsafe.Pointer(unsafe.SliceData(hs))), C.int64_t(len(hs))).err)
}

// The queue of handles that the garbage collector found: a lock-free stack,
// emptied by the next call of any goroutine. Clean-ups never call C++.
type garbage struct {
	h    unsafe.Pointer
	kind rubbish
	next *garbage
}

// rubbish says what a queued handle is.
type rubbish int

const (
	tensorHandle rubbish = iota
	generatorHandle
	optimizerHandle
	eventHandle
	graphHandle
)

// later is a clean-up for handles other than tensors'.
type later struct {
	h    unsafe.Pointer
	kind rubbish
}

func (l later) enqueue() { push(&garbage{h: l.h, kind: l.kind}) }

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

var (
	queue atomic.Pointer[garbage]
	// attention is set while a call must do more than its work: open the
	// libraries, or empty the queue.
	attention atomic.Bool
)

func enqueue(h unsafe.Pointer) { push(&garbage{h: h}) }

func push(g *garbage) {
	for {
		g.next = queue.Load()
		if queue.CompareAndSwap(g.next, g) {
			break
		}
	}
	attention.Store(true)
}

// attend is the first thing that every call does.
func attend() {
	if !loaded.Load() {
		mustLoad()
	}
	if attention.Load() {
		drain()
	}
}

func drain() {
	attention.Store(false)
	var hs []uintptr
	for g := queue.Swap(nil); g != nil; g = g.next {
		if g.kind == tensorHandle {
			hs = append(hs, uintptr(g.h))
		} else {
			later{g.h, g.kind}.free()
		}
	}
	free(hs)
}
