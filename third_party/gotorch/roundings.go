package gotorch

// #include "cgotorch/shim.h"
// #cgo noescape c_gt_rounded_new
// #cgo noescape c_gt_rounded_drop
// #cgo noescape c_gt_rounded_refresh
// #cgo noescape c_gt_add_grads
import "C"

import (
	"runtime"
	"unsafe"
)

// Roundings are a network's float32 parameters in bf16, kept from step to step: Autocast
// alone casts every weight in every step. AdamW writes them while it has the
// parameters at hand. A rounding of a parameter that was changed by anything else is not
// used, and autocast casts that parameter as ever, until the next Refresh. On a GPU AdamW writes
// them in StepOnDevice alone. Where that does not do the steps it is Refresh that writes
// them, all in one call, before every step: that a graph has changed a parameter is not seen.
//
// A rounding is a leaf of its own: gradients end there, in bf16, not at the parameter.
// After Backward, Gather takes them; AutogradGrad is to be asked for those of Halves, too, as
// not every layer multiplies in bf16.
type Roundings struct {
	Params []Tensor
	Halves []Tensor // in the order of Params
}

// NewRoundings gives the parameters, which are on one device, roundings.
func NewRoundings(params []Tensor) *Roundings {
	const op = "NewRoundings"
	attend()
	r := &Roundings{Params: params}
	Outside(func() {
		hs := handles(nil, params)
		all := C.c_gt_rounded_new(handlesPtr(hs), C.int64_t(len(hs)))
		runtime.KeepAlive(params)
		check(op, all.err)
		r.Halves = ownAll(all)
	})
	r.Refresh()
	return r
}

// Refresh rounds the parameters that have changed otherwise than by AdamW, on a GPU without
// StepOnDevice all of them, and says how many. A nil Roundings has none.
func (r *Roundings) Refresh() int {
	if r == nil {
		return 0
	}
	attend()
	hs := handles(nil, r.Params)
	n := C.c_gt_rounded_refresh(handlesPtr(hs), C.int64_t(len(hs)))
	runtime.KeepAlive(r)
	check("Roundings", n.err)
	return int(n.v)
}

// Use runs f with linear layers and convolutions that multiply by the roundings where
// Autocast has them multiply in bf16.
func (r *Roundings) Use(f func()) {
	if r == nil {
		f()
		return
	}
	attend()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := C.c_gt_rounded_use(true)
	check("Roundings", before.err)
	defer C.c_gt_rounded_use(before.v)
	f()
}

// Gather adds the gradients that Backward has left at the roundings to the parameters'.
func (r *Roundings) Gather() {
	if r != nil {
		addGrads(r.Params, nil)
	}
}

// Close takes the roundings away.
func (r *Roundings) Close() {
	if r == nil {
		return
	}
	attend()
	hs := handles(nil, r.Params)
	dropped := C.c_gt_rounded_drop(handlesPtr(hs), C.int64_t(len(hs)))
	runtime.KeepAlive(r)
	check("Roundings", dropped.err)
	for _, h := range r.Halves {
		h.Close()
	}
}

// AddGrads adds gradients, float32 or bf16, to those of the parameters, one list after
// the other; of a list as long as params some may be none.
func AddGrads(params []Tensor, grads ...[]Tensor) {
	if len(grads) > 0 {
		addGrads(params, grads)
	}
}

func addGrads(params []Tensor, grads [][]Tensor) {
	attend()
	var all []unsafe.Pointer
	for _, list := range grads {
		if len(list) != len(params) {
			failf("AddGrads", "%d gradients of %d parameters", len(list), len(params))
		}
		for _, g := range list {
			all = append(all, g.handleOrNil())
		}
	}
	hs := handles(nil, params)
	r := C.c_gt_add_grads(handlesPtr(hs), C.int64_t(len(hs)), handlesPtr(all), C.int64_t(len(grads)))
	runtime.KeepAlive(params)
	runtime.KeepAlive(grads)
	check("AddGrads", r.err)
}
