package gotorch

// #include "cgotorch/shim.h"
// #cgo noescape c_gt_autograd_grad
// #cgo noescape c_gt_zero_grad
import "C"

import (
	"runtime"
	"unsafe"
)

// Backward adds the gradient of a, a single number, to the gradients of the
// leaves that it was computed from.
func (a Tensor) Backward() {
	attend()
	r := C.c_gt_backward(a.handle(), nil)
	runtime.KeepAlive(a)
	check("Backward", r.err)
}

// BackwardWith is Backward for any shape, weighted by grad.
func (a Tensor) BackwardWith(grad Tensor) {
	attend()
	r := C.c_gt_backward(a.handle(), grad.handle())
	runtime.KeepAlive(a)
	runtime.KeepAlive(grad)
	check("Backward", r.err)
}

// Grad is the gradient of a leaf; before Backward it is not Defined.
func (a Tensor) Grad() Tensor {
	attend()
	r := C.c_gt_grad(a.handle())
	runtime.KeepAlive(a)
	check("Grad", r.err)
	return own(r.t[0], r.scope)
}

// SetGrad replaces the gradient; the zero Tensor removes it.
func (a Tensor) SetGrad(grad Tensor) {
	attend()
	r := C.c_gt_set_grad(a.handle(), grad.handleOrNil())
	runtime.KeepAlive(a)
	runtime.KeepAlive(grad)
	check("SetGrad", r.err)
}

// SetData makes a share b's elements. If b is of another shape, a has it, too,
// and no gradient any more.
func (a Tensor) SetData(b Tensor) {
	attend()
	r := C.c_gt_set_data(a.handle(), b.handle())
	runtime.KeepAlive(a)
	runtime.KeepAlive(b)
	check("SetData", r.err)
}

// Detach is a without its history; it shares a's elements.
func (a *Tensor) Detach() Tensor { return opDetach(*a) }

// AutogradOptions of Grad.
type AutogradOptions struct {
	GradOutputs []Tensor // weights of the outputs; none: all outputs are single numbers
	RetainGraph bool     // keep what the outputs were computed from, for another call
	CreateGraph bool     // record the computation, so that it can be differentiated again
}

// AutogradGrad is the gradients of the sum of outputs with respect to inputs,
// undefined for an input that the outputs do not depend on. The inputs' own
// Grad stays as it is.
func AutogradGrad(outputs, inputs []Tensor, o AutogradOptions) []Tensor {
	attend()
	outs, ins := handles(nil, outputs), handles(nil, inputs)
	var gs []unsafe.Pointer
	if len(o.GradOutputs) > 0 {
		if len(o.GradOutputs) != len(outputs) {
			failf("AutogradGrad", "%d outputs, %d weights", len(outputs), len(o.GradOutputs))
		}
		gs = handles(nil, o.GradOutputs)
	}
	r := C.c_gt_autograd_grad(handlesPtr(outs), C.int64_t(len(outs)), handlesPtr(ins), C.int64_t(len(ins)), handlesPtr(gs), C.bool(o.RetainGraph), C.bool(o.CreateGraph))
	runtime.KeepAlive(outputs)
	runtime.KeepAlive(inputs)
	runtime.KeepAlive(o.GradOutputs)
	check("AutogradGrad", r.err)
	return ownAll(r)
}

// ZeroGrad removes the gradients of all params in one call.
func ZeroGrad(params []Tensor) {
	attend()
	hs := handles(nil, params)
	r := C.c_gt_zero_grad(handlesPtr(hs), C.int64_t(len(hs)))
	runtime.KeepAlive(params)
	check("ZeroGrad", r.err)
}

// GradEnabled tells whether the thread records what gradients need.
func GradEnabled() bool {
	attend()
	r := C.c_gt_get_grad_mode()
	check("GradEnabled", r.err)
	return bool(r.v)
}

// NoGrad runs f without recording gradients.
func NoGrad(f func()) { gradMode(false, f) }

// WithGrad runs f recording gradients, inside a NoGrad too.
func WithGrad(f func()) { gradMode(true, f) }

func gradMode(on bool, f func()) {
	attend()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	r := C.c_gt_set_grad_mode(C.bool(on))
	check("NoGrad", r.err)
	defer C.c_gt_set_grad_mode(r.v)
	f()
}

// Autocast runs f with products and convolutions on the device in dtype, Half
// or BFloat16, as torch.autocast does; with Float it switches an outer
// Autocast off.
func Autocast(device Device, dtype int8, f func()) {
	attend()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	r := C.c_gt_autocast_enter(device.T.kind, C.int8_t(dtype))
	check("Autocast", r.err)
	defer C.c_gt_autocast_leave(device.T.kind, r.v)
	f()
}
