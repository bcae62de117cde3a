package gotorch

// #include "cgotorch/shim.h"
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
	last  *slab   // of slabs; nil: there is none
	n     int     // cells of last that are handed out; all of the others are
	slabs []*slab // of the tensors made in the scope
	guest []guest // tensors that scopes inside this one kept
	out   []*slab // slabs of which Keep moved cells out of all scopes
	buf   []uintptr
}

// slab is cells that are handed out one after the other.
type slab struct {
	cells [slabLen]cell
	kept  uint64 // bit i: cells[i] was moved out by Keep
}

const slabLen = 63 // slabs of 512 bytes, one of Go's sizes

type guest struct {
	c  *cell
	of *slab
}

func (s *scope) adopt(h unsafe.Pointer) Tensor {
	if s.last == nil || s.n == slabLen {
		s.last, s.n = new(slab), 0
		s.slabs = append(s.slabs, s.last)
	}
	c := &s.last.cells[s.n]
	s.n++
	c.h = h
	return Tensor{&c.h}
}

// end closes the cells that are still the scope's and frees their handles in
// one call.
func (s *scope) end() {
	s.buf = s.buf[:0]
	for _, l := range s.slabs {
		for i := range l.cells {
			if l.kept>>i&1 == 0 {
				s.release(&l.cells[i])
			}
		}
	}
	for _, g := range s.guest {
		s.release(g.c)
	}
	// Only now: before, the finalizer would have to look at cells that the loops
	// above write. A slab stays while anybody holds one of its cells.
	for _, l := range s.out {
		runtime.SetFinalizer(l, (*slab).enqueue)
	}
	clear(s.slabs)
	s.last, s.slabs, s.guest, s.out = nil, s.slabs[:0], nil, nil
	free(s.buf)
}

func (s *scope) release(c *cell) {
	if c.h != nil {
		s.buf = append(s.buf, uintptr(c.h))
		c.h = nil
	}
}

// giveUp makes c no longer the scope's and returns the slab that it lies in;
// nil if it was not the scope's.
func (s *scope) giveUp(c *cell) *slab {
	for i, g := range s.guest {
		if g.c == c {
			s.guest = slices.Delete(s.guest, i, i+1)
			return g.of
		}
	}
	p := uintptr(unsafe.Pointer(c))
	for i := len(s.slabs) - 1; i >= 0; i-- {
		l := s.slabs[i]
		first := uintptr(unsafe.Pointer(l))
		if at := (p - first) / unsafe.Sizeof(cell{}); p >= first && at < slabLen {
			if l.kept>>at&1 != 0 {
				return nil
			}
			l.kept |= 1 << at
			return l
		}
	}
	return nil
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
	l := s.giveUp(c)
	if l == nil {
		return t
	}
	if s.outer != 0 {
		o := scopeAt(s.outer)
		o.guest = append(o.guest, guest{c, l})
	} else if !slices.Contains(s.out, l) {
		s.out = append(s.out, l)
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
