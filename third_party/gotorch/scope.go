package gotorch

// #include "cgotorch/shim.h"
// #cgo nocallback c_gt_scope_enter
// #cgo nocallback c_gt_scope_leave
// #cgo nocallback c_gt_scope_current
import "C"

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"
)

// scope owns the tensors made between its entry and its end. It is used by
// one locked thread at a time.
type scope struct {
	id    uint32
	outer uint32
	slabs []slab
	guest []*cell   // cells that scopes inside this one kept
	buf   []uintptr // handles on their way out, reused
}

// slab is cells that are handed out one after the other.
type slab struct {
	cells []cell
	kept  uint64 // bit i: cells[i] was moved out by Keep
}

const slabLen = 64

func (s *scope) adopt(h unsafe.Pointer) Tensor {
	n := len(s.slabs)
	if n == 0 || len(s.slabs[n-1].cells) == slabLen {
		s.slabs = append(s.slabs, slab{cells: make([]cell, 0, slabLen)})
		n++
	}
	last := &s.slabs[n-1]
	last.cells = append(last.cells, cell{h: h})
	return Tensor{&last.cells[len(last.cells)-1].h}
}

// end closes the cells that are still the scope's and frees their handles in
// one call.
func (s *scope) end() {
	s.buf = s.buf[:0]
	for _, slab := range s.slabs {
		for i := range slab.cells {
			if slab.kept>>i&1 == 0 {
				s.release(&slab.cells[i])
			}
		}
	}
	for _, c := range s.guest {
		s.release(c)
	}
	clear(s.slabs)
	s.slabs, s.guest = s.slabs[:0], nil
	free(s.buf)
}

func (s *scope) release(c *cell) {
	if c.h != nil {
		s.buf = append(s.buf, uintptr(c.h))
		c.h = nil
	}
}

// giveUp makes c no longer the scope's; false if it was not.
func (s *scope) giveUp(c *cell) bool {
	if i := slices.Index(s.guest, c); i >= 0 {
		s.guest = slices.Delete(s.guest, i, i+1)
		return true
	}
	p := uintptr(unsafe.Pointer(c))
	for i := len(s.slabs) - 1; i >= 0; i-- {
		slab := &s.slabs[i]
		first := uintptr(unsafe.Pointer(unsafe.SliceData(slab.cells)))
		if at := (p - first) / unsafe.Sizeof(cell{}); p >= first && at < uintptr(len(slab.cells)) {
			mine := slab.kept>>at&1 == 0
			slab.kept |= 1 << at
			return mine
		}
	}
	return false
}

// Scopes by number, reused after their end.
var scopes struct {
	sync.Mutex
	all  atomic.Pointer[[]*scope] // index id-1; copied when it grows
	free []*scope
}

func scopeAt(id uint32) *scope { return (*scopes.all.Load())[id-1] }

func newScope() *scope {
	scopes.Lock()
	defer scopes.Unlock()
	if n := len(scopes.free); n > 0 {
		s := scopes.free[n-1]
		scopes.free = scopes.free[:n-1]
		return s
	}
	var all []*scope
	if p := scopes.all.Load(); p != nil {
		all = append(all, *p...)
	}
	s := &scope{id: uint32(len(all) + 1)}
	all = append(all, s)
	scopes.all.Store(&all)
	return s
}

func (s *scope) recycle() {
	scopes.Lock()
	scopes.free = append(scopes.free, s)
	scopes.Unlock()
}

var numThreads atomic.Int64

// Scoped runs f with the goroutine locked to its thread and frees, when f
// returns or panics, every tensor that f made and did not Keep.
func Scoped(f func()) {
	attend()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	s := newScope()
	r := C.c_gt_scope_enter(C.int64_t(s.id), C.int64_t(numThreads.Load()))
	check("Scoped", r.err)
	s.outer = uint32(r.v)
	defer func() {
		C.c_gt_scope_leave(r.v)
		s.end()
		s.recycle()
	}()
	f()
}

// Keep moves t out of the scope it belongs to, into the one around it or, from
// the outermost, to the garbage collector and Close. It returns t, which stays
// good and may go to another goroutine at once. A tensor that is not the
// scope's is returned as it is.
func Keep(t Tensor) Tensor {
	t.handle()
	s := currentScope()
	if s == nil {
		return t
	}
	c := (*cell)(unsafe.Pointer(t.T))
	if !s.giveUp(c) {
		return t
	}
	if s.outer != 0 {
		o := scopeAt(s.outer)
		o.guest = append(o.guest, c)
	} else {
		c.catch()
	}
	return t
}

func currentScope() *scope {
	attend()
	if id := C.c_gt_scope_current().v; id != 0 {
		return scopeAt(uint32(id))
	}
	return nil
}

// Outside runs f as if it were in no scope: what f makes lives until Close or
// until the garbage collector finds it. Parameters that are made inside a
// scope are made so.
func Outside(f func()) {
	attend()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	r := C.c_gt_scope_enter(0, 0)
	check("Outside", r.err)
	defer C.c_gt_scope_leave(r.v)
	f()
}
