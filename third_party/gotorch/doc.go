// Package gotorch binds libtorch, the C++ library under PyTorch.
//
// # Loading
//
// Programs that import this package link neither libtorch nor the package's
// own C++ part. Both are opened at the first call, or by Init, which says in
// an error what is missing. Nothing happens at import.
//
// # Memory
//
//  1. A Tensor is a small value that points to a cell; the cell holds a
//     reference to libtorch's tensor. Copies of a Tensor share the cell.
//  2. Inside Scoped every new tensor belongs to the scope and is freed when
//     it ends, in one call; Keep moves a tensor out. This is the fast way:
//     training loops run each step in a scope.
//  3. Outside scopes a tensor lives until Close, or until the garbage
//     collector finds that nobody holds it.
//  4. Using a tensor that was closed, or whose scope has ended, panics with
//     *ReleasedError; it never reaches libtorch.
//  5. Where memory is exhausted, what nobody uses is given back and the
//     operation tried once more, unless it changes its operands; then it
//     panics with an *Error of sizes, and the program can go on. Outside
//     scopes the collector is started as the CPU's memory fills up, but not
//     as a GPU's does before it is full: GC is for such loops.
//     CheckLeaks names the lines of a test that left tensors behind.
//
// # Threads
//
// libtorch's modes (gradients off, autocast) and its OpenMP pools belong to
// OS threads, as CUDA's current stream does. Scoped, NoGrad, Autocast and
// WithStream lock the goroutine to its thread while their function runs, and
// restore what was. A thread inside a scope
// computes with SetNumThreads cores, any other with one; a loop of scopes
// should lock its goroutine for good (runtime.LockOSThread), because every OS
// thread that computes gets a pool of its own. A tensor must not be closed,
// nor its scope end, while another goroutine uses it; all else may run
// concurrently.
//
// # Errors
//
// Operations panic with *Error, which carries libtorch's message without its
// stack trace; Try turns exactly that into an error. Init returns errors.
package gotorch

//go:generate go run ./internal/opgen
