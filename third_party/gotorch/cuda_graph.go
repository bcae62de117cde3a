package gotorch

// #include "cgotorch/shim.h"
import "C"

import (
	"runtime"
	"sync/atomic"
	"unsafe"
)

// CUDAGraph is recorded work that is replayed in one call.
//
// It computes in the memory that it was recorded with: what f reads and writes
// and did not make itself must not be closed before the graph is. What f holds
// on to, the graph keeps from Go's collector.
type CUDAGraph struct {
	p          unsafe.Pointer
	calls      graphCalls
	generators []*Generator
	f          func() // for what it holds on to
	cleanup    runtime.Cleanup
	closed     bool
}

// graphCalls is what a graph asks of libtorch. A test without a GPU puts its
// own in the place of cudaGraphs, to see what is asked in which order.
type graphCalls interface {
	available(op string) // panics where not
	make() unsafe.Pointer
	register(g, generator unsafe.Pointer)
	begin(g unsafe.Pointer)
	end(g unsafe.Pointer)
	abandon(g unsafe.Pointer) // leaves the capture that f did not finish
	replay(g unsafe.Pointer)
	nodes(g unsafe.Pointer) (all, kernels int)
	free(g unsafe.Pointer) func()
}

type cudaGraphs struct{}

func (cudaGraphs) available(op string) { needCUDA(op) }

func (cudaGraphs) make() unsafe.Pointer {
	r := C.c_gt_cuda_graph_new()
	check("Capture", r.err)
	return r.p
}

func (cudaGraphs) register(g, generator unsafe.Pointer) {
	check("Capture", C.c_gt_cuda_graph_register(g, generator).err)
}
func (cudaGraphs) begin(g unsafe.Pointer)   { check("Capture", C.c_gt_cuda_graph_begin(g).err) }
func (cudaGraphs) end(g unsafe.Pointer)     { check("Capture", C.c_gt_cuda_graph_end(g).err) }
func (cudaGraphs) abandon(g unsafe.Pointer) { check("Capture", C.c_gt_cuda_graph_abandon(g).err) }
func (cudaGraphs) replay(g unsafe.Pointer) {
	check("CUDAGraph.Replay", C.c_gt_cuda_graph_replay(g).err)
}
func (cudaGraphs) nodes(g unsafe.Pointer) (all, kernels int) {
	for _, n := range []struct {
		kernels bool
		into    *int
	}{{false, &all}, {true, &kernels}} {
		r := C.c_gt_cuda_graph_nodes(g, C.bool(n.kernels))
		check("CUDAGraph.Nodes", r.err)
		*n.into = int(r.v)
	}
	return all, kernels
}
func (cudaGraphs) free(g unsafe.Pointer) func() { return later{g, graphHandle}.enqueue }

// captures is the number of captures that go on.
var captures atomic.Int64

// Capture records what f does on the GPU. It must run on a stream other than
// the default one (WithStream), and f must not wait for the device. A capture
// that fails, or is left by a panic of f, leaves nothing behind. Random
// numbers come anew in every replay from libtorch's own generator and the given
// ones only. f's tensors keep their places in the GPU's memory: fill inputs and
// read results by CopyI.
func Capture(generators []*Generator, f func()) (g *CUDAGraph) {
	return capture(cudaGraphs{}, generators, f)
}

func capture(calls graphCalls, generators []*Generator, f func()) *CUDAGraph {
	calls.available("Capture")
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	g := &CUDAGraph{p: calls.make(), calls: calls, generators: generators, f: f}
	g.cleanup = runtime.AddCleanup(g, func(free func()) { free() }, calls.free(g.p))
	for _, gen := range generators {
		if gen != nil { // libtorch registers its own one itself
			calls.register(g.p, gen.handle())
		}
	}
	calls.begin(g.p)
	captures.Add(1)
	defer captures.Add(-1)
	done := false
	defer func() {
		if !done { // f panicked: leave capture mode, and let its panic go on
			calls.abandon(g.p)
		}
	}()
	f()
	done = true
	calls.end(g.p)
	return g
}

// Replay does the recorded work again.
func (g *CUDAGraph) Replay() {
	if g.closed {
		panic(&ReleasedError{})
	}
	g.calls.replay(g.p)
	runtime.KeepAlive(g)
}

// Nodes is the number of the graph's operations, and of those among them that are
// kernels.
func (g *CUDAGraph) Nodes() (all, kernels int) {
	if g.closed {
		panic(&ReleasedError{})
	}
	all, kernels = g.calls.nodes(g.p)
	runtime.KeepAlive(g)
	return all, kernels
}

// Close frees the graph and the memory that it computes in; the work of its
// last replay must be done. Closing again does nothing.
func (g *CUDAGraph) Close() {
	if g.closed {
		return
	}
	g.closed = true
	g.cleanup.Stop()
	g.calls.free(g.p)()
	attend() // which frees it
	g.f, g.generators = nil, nil
}
