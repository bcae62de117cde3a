package gotorch

// #include "cgotorch/shim.h"
import "C"

// benchCC is the nanoseconds that a loop of cgotorch/bench.cc takes each time.
func benchCC(what, n int) float64 {
	attend()
	r := C.c_gt_bench(C.int64_t(what), C.int64_t(n))
	check("bench", r.err)
	return float64(r.v)
}
