package gotorch

// #include "cgotorch/shim.h"
// #cgo noescape c_gt_optimizer_add
import "C"

import (
	"runtime"
	"unsafe"
)

// Optimizer is SGD or Adam with its parameters; copies share it. AdamW, which
// can be saved and guarded, is a type of its own.
type Optimizer struct {
	Opt *C.Optimizer
}

// optimizer is what Optimizer.Opt points to.
type optimizer struct {
	h       C.Optimizer
	cleanup runtime.Cleanup
}

func newOptimizer(op string, r C.gt_rp) Optimizer {
	check(op, r.err)
	o := &optimizer{h: C.Optimizer(r.p)}
	o.cleanup = runtime.AddCleanup(o, later.enqueue, later{r.p, optimizerHandle})
	return Optimizer{&o.h}
}

// SGD is stochastic gradient descent, as torch.optim.SGD.
func SGD(lr, momentum, dampening, weightDecay float64, nesterov bool) Optimizer {
	attend()
	return newOptimizer("SGD", C.c_gt_sgd_new(C.double(lr), C.double(momentum), C.double(dampening), C.double(weightDecay), C.bool(nesterov)))
}

// Adam is as torch.optim.Adam (Kingma and Ba 2015), with eps 1e-8.
func Adam(lr, beta1, beta2, weightDecay float64) Optimizer {
	attend()
	return newOptimizer("Adam", C.c_gt_adam_new(C.double(lr), C.double(beta1), C.double(beta2), C.double(weightDecay)))
}

func (opt Optimizer) handle() unsafe.Pointer {
	if opt.Opt == nil {
		failf("Optimizer", "an optimizer is needed, and the zero Optimizer was given")
	}
	if *opt.Opt == nil {
		panic(&ReleasedError{})
	}
	return unsafe.Pointer(*opt.Opt)
}

// AddParameters adds tensors to those that Step updates.
func (opt Optimizer) AddParameters(tensors []Tensor) {
	attend()
	hs := handles(nil, tensors)
	r := C.c_gt_optimizer_add(opt.handle(), handlesPtr(hs), C.int64_t(len(hs)))
	runtime.KeepAlive(tensors)
	runtime.KeepAlive(opt.Opt)
	check("Optimizer.AddParameters", r.err)
}

// ZeroGrad removes the parameters' gradients.
func (opt Optimizer) ZeroGrad() {
	attend()
	r := C.c_gt_optimizer_zero_grad(opt.handle())
	runtime.KeepAlive(opt.Opt)
	check("Optimizer.ZeroGrad", r.err)
}

// Step updates every parameter that has a gradient.
func (opt Optimizer) Step() {
	attend()
	r := C.c_gt_optimizer_step(opt.handle())
	runtime.KeepAlive(opt.Opt)
	check("Optimizer.Step", r.err)
}

// SetLR sets the learning rate.
func (opt Optimizer) SetLR(lr float64) {
	attend()
	r := C.c_gt_optimizer_set_lr(opt.handle(), C.double(lr))
	runtime.KeepAlive(opt.Opt)
	check("Optimizer.SetLR", r.err)
}

// Close frees the optimizer. Closing again does nothing.
func (opt Optimizer) Close() {
	if opt.Opt == nil || *opt.Opt == nil {
		return
	}
	o := (*optimizer)(unsafe.Pointer(opt.Opt))
	o.cleanup.Stop()
	h := o.h
	o.h = nil
	check("Optimizer.Close", C.c_gt_optimizer_free(unsafe.Pointer(h)).err)
}
