package gotorch

// #include <stdlib.h>
// #include "cgotorch/shim.h"
// #cgo noescape c_gt_free
// #cgo noescape c_gt_close
import "C"

import (
	"sync/atomic"
	"unsafe"
)

// Tensor is an n-dimensional array. The zero value is no tensor; T points to
// a cell that is set to nil when the tensor is closed.
type Tensor struct {
	T *unsafe.Pointer
}

// cell is what Tensor.T points to.
type cell struct{ h unsafe.Pointer }

// handle is for an operand that must be there.
func (t Tensor) handle() unsafe.Pointer {
	if t.T == nil || *t.T == nil {
		t.refuse()
	}
	return *t.T
}

// refuse is apart from handle so that handle is inlined.
func (t Tensor) refuse() {
	if t.T == nil {
		panic(&Error{Op: "gotorch", Msg: "a tensor is needed, and the zero Tensor was given"})
	}
	panic(&ReleasedError{})
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
	return Tensor{outside(h)}
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

// Close frees the tensor now. Closing again, or closing the zero Tensor, does
// nothing.
func (t Tensor) Close() {
	if t.T == nil || *t.T == nil {
		return
	}
	h := uintptr(*t.T)
	atomic.StorePointer(t.T, nil) // setFinalizer may look at it
	if births.asked.Load() != 0 {
		died([]uintptr{h})
	}
	C.c_gt_close(C.gt_handle(h))
}

// free takes numbers, not pointers: cgo would look through all of these.
func free(hs []uintptr) {
	if len(hs) == 0 {
		return
	}
	if births.asked.Load() != 0 {
		died(hs)
	}
	check("free", C.c_gt_free((*C.gt_handle)(unsafe.Pointer(unsafe.SliceData(hs))), C.int64_t(len(hs))).err)
}

// ready is true while a call need do no more than its work: the libraries are
// open, and the queue is empty.
var ready atomic.Bool

// attend is the first thing that every call does.
func attend() {
	if !ready.Load() {
		makeReady()
	}
}

func makeReady() {
	if !loaded.Load() {
		mustLoad()
	}
	drain()
}
