package gotorch

// #include "cgotorch/shim.h"
import "C"

import "runtime"

// benchCC is the nanoseconds that a loop of cgotorch/bench.cc takes each time.
func benchCC(what, n int, x, w, b Tensor) float64 {
	attend()
	r := C.c_gt_bench(C.int64_t(what), C.int64_t(n), x.numberOrNone(), w.numberOrNone(), b.numberOrNone())
	runtime.KeepAlive(x)
	runtime.KeepAlive(w)
	runtime.KeepAlive(b)
	check("bench", r.err)
	return float64(r.v)
}
