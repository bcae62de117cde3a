package gotorch

// #include "cgotorch/shim.h"
import "C"

import (
	"runtime"
	"unsafe"
)

// Generator is a source of random numbers on a device. It is freed by Close
// or by the garbage collector.
type Generator struct {
	p       unsafe.Pointer
	cleanup runtime.Cleanup
}

// NewGenerator makes a generator; equal seeds give equal numbers.
func NewGenerator(device Device, seed uint64) *Generator {
	attend()
	device.need("NewGenerator")
	r := C.c_gt_generator_new(C.gt_device(device.T), C.uint64_t(seed))
	check("NewGenerator", r.err)
	g := &Generator{p: r.p}
	g.cleanup = runtime.AddCleanup(g, later.enqueue, later{r.p, generatorHandle})
	return g
}

// Seed starts the generator anew.
func (g *Generator) Seed(seed uint64) {
	const op = "Generator.Seed"
	attend()
	if g == nil {
		failf(op, "a nil Generator stands for libtorch's own ones; ManualSeed seeds those")
	}
	r := C.c_gt_generator_seed(g.handle(), C.uint64_t(seed))
	runtime.KeepAlive(g)
	check(op, r.err)
}

// Close frees the generator.
func (g *Generator) Close() {
	if g != nil && g.p != nil {
		g.cleanup.Stop()
		C.c_gt_generator_free(g.p)
		g.p = nil
	}
}

// handle is NULL, libtorch's default generator, for a nil Generator.
func (g *Generator) handle() unsafe.Pointer {
	if g == nil {
		return nil
	}
	if g.p == nil {
		panic(&ReleasedError{})
	}
	return g.p
}

// ManualSeed seeds libtorch's default generators.
func ManualSeed(seed int64) {
	attend()
	check("ManualSeed", C.c_gt_manual_seed(C.int64_t(seed)).err)
}

// RandNWith is normal numbers of mean 0 and variance 1 from g (nil: the
// default generator).
func RandNWith(g *Generator, shape []int64, o Options) Tensor { return opRandN(shape, g, o) }

// RandWith is uniform numbers in [0, 1) from g.
func RandWith(g *Generator, shape []int64, o Options) Tensor { return opRand(shape, g, o) }

// Multinomial draws n indices for every row of weights, [N] or [B,N].
func Multinomial(weights Tensor, n int64, replacement bool, g *Generator) Tensor {
	return opMultinomial(weights, n, replacement, g)
}

// RandPermWith is 0 to n-1 in random order, int64, on the CPU.
func RandPermWith(g *Generator, n int64) Tensor { return opRandPerm(n, g, Options{Dtype: Long}) }

// RandIntWith is integers in [low, high) from g.
func RandIntWith(g *Generator, low, high int64, shape []int64, o Options) Tensor {
	return opRandInt(low, high, shape, g, o)
}
