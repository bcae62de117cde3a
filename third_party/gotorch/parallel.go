package gotorch

// #include "cgotorch/shim.h"
import "C"

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
)

// Parallel runs f(0) to f(n-1) at once, each in a scope and with an equal share of
// the cores, and returns when all have. Parts of a batch go through a network
// faster so than together: threads that share an operation wait for each other at
// its end, hundreds of times, and where another program is on their core they
// wait for that.
//
// Whether gradients are recorded is as with the caller; Autocast is not. If
// some of them panic, Parallel does, with what the first one of these panicked with.
func Parallel(n int, f func(i int)) {
	if n < 1 {
		return
	}
	attend()
	grad, share := GradEnabled(), max(1, NumThreads()/n)
	caught := make([]any, n)
	run := func(i int) {
		defer func() {
			if v := recover(); v != nil {
				if _, ours := v.(*Error); !ours && i > 0 { // the stack of another goroutine ends here
					v = fmt.Sprintf("%v\n%s", v, debug.Stack())
				}
				caught[i] = v
			}
		}()
		sharing(share, func() { Scoped(func() { gradMode(grad, func() { f(i) }) }) })
	}
	var others sync.WaitGroup
	for i := 1; i < n; i++ {
		others.Go(func() { run(i) })
	}
	run(0)
	others.Wait()
	for _, v := range caught {
		if v != nil {
			panic(v)
		}
	}
}

// sharing runs f with scopes that compute with n cores at most.
func sharing(n int, f func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	r := C.c_gt_share(C.int64_t(n))
	check("Parallel", r.err)
	defer C.c_gt_share(r.v)
	f()
}

// currentCores is what the thread computes with.
func currentCores() int64 {
	r := C.c_gt_get_threads()
	check("NumThreads", r.err)
	return int64(r.v)
}
