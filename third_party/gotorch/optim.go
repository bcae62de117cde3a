package gotorch

// #include "cgotorch/shim.h"
// #cgo noescape c_gt_adamw
// #cgo noescape c_gt_adamw_on_device
// #cgo noescape c_gt_lerp_all
// #cgo noescape c_gt_copy_all
// #cgo noescape c_gt_grad_norm
// #cgo noescape c_gt_scale_grads
import "C"

import "runtime"

// AdamWOptions configure AdamW (Loshchilov and Hutter 2019); the zero values
// of Beta1, Beta2 and Eps stand for PyTorch's defaults.
type AdamWOptions struct {
	Beta1, Beta2 float64 // 0.9, 0.999
	Eps          float64 // 1e-8
	WeightDecay  float64 // 0: none (PyTorch's default is 0.01)
}

// AdamW updates all parameters in one call: of libtorch's fused kernel, or of ones of our own
// that keep roundings up (Roundings): on a processor with the same bits, on a GPU by StepOnDevice.
type AdamW struct {
	Params    []Tensor
	ExpAvg    []Tensor // first moments, in the order of Params
	ExpAvgSq  []Tensor // second moments
	StepCount Tensor   // float32 []: updates done
	o         AdamWOptions
}

// NewAdamW makes an optimiser whose moments are 0.
func NewAdamW(params []Tensor, o AdamWOptions) *AdamW {
	if len(params) == 0 {
		failf("NewAdamW", "there are no parameters")
	}
	if o.Beta1 == 0 {
		o.Beta1 = 0.9
	}
	if o.Beta2 == 0 {
		o.Beta2 = 0.999
	}
	if o.Eps == 0 {
		o.Eps = 1e-8
	}
	a := &AdamW{Params: params, o: o}
	Outside(func() {
		NoGrad(func() {
			for _, p := range params {
				a.ExpAvg = append(a.ExpAvg, ZerosLike(p))
				a.ExpAvgSq = append(a.ExpAvgSq, ZerosLike(p))
			}
			a.StepCount = opZeros(nil, Options{Device: params[0].Device()})
		})
	})
	return a
}

// AdamWGuards act within the update, without a pass of their own. Both are
// float32 numbers on the parameters' device, or the zero Tensor.
type AdamWGuards struct {
	GradScale Tensor // gradients are divided by it
	FoundInf  Tensor // where it is 1 nothing is updated
}

// Step updates every parameter that has a gradient, with learning rate lr.
func (a *AdamW) Step(lr float64, g AdamWGuards) { a.step(lr, Tensor{}, g, nil, 0) }

// StepAveraged is Step and then LerpAll(average, a.Params, weight), on a processor
// in one pass over memory.
func (a *AdamW) StepAveraged(lr float64, g AdamWGuards, average []Tensor, weight float64) {
	if len(average) != len(a.Params) {
		failf("AdamW", "%d averages of %d parameters", len(average), len(a.Params))
	}
	a.step(lr, Tensor{}, g, average, weight)
}

// StepWith is Step with the learning rate in a tensor, a float32 number on the
// parameters' device, which the host does not read: a graph (Capture) takes it anew
// in every replay.
func (a *AdamW) StepWith(lr Tensor, g AdamWGuards) {
	lr.handle() // there must be one
	a.step(0, lr, g, nil, 0)
}

func (a *AdamW) step(lr float64, there Tensor, g AdamWGuards, average []Tensor, weight float64) {
	attend()
	p, m, v := handles(nil, a.Params), handles(nil, a.ExpAvg), handles(nil, a.ExpAvgSq)
	r := C.c_gt_adamw(handlesPtr(p), handlesPtr(m), handlesPtr(v), C.int64_t(len(p)), a.StepCount.handle(),
		C.double(lr), there.handleOrNil(), C.double(a.o.Beta1), C.double(a.o.Beta2), C.double(a.o.Eps), C.double(a.o.WeightDecay),
		g.GradScale.handleOrNil(), g.FoundInf.handleOrNil(), handlesPtr(handles(nil, average)), C.double(weight))
	runtime.KeepAlive(a)
	runtime.KeepAlive(average)
	runtime.KeepAlive(there)
	runtime.KeepAlive(g)
	check("AdamW", r.err)
}

// DeviceStep is what a step takes from a device and leaves there, whatever the host knows: a graph
// (Capture) takes it anew in every replay. All numbers are float32.
type DeviceStep struct {
	Loss           Tensor  // []: where it or the gradients' norm is not finite, only averages move
	MaxNorm        float64 // gradients are scaled so that their common 2-norm is at most that; 0: they are not
	Rates, Weights Tensor  // [n]: of n steps, the learning rates and the parameters' weights in their averages
	Next           Tensor  // [1] int64: which of the n this is; counted on
	Notes          Tensor  // [2,n]: takes the step's loss and the gradients' norm
}

// StepOnDevice is GradNorm, a guarded StepWith, LerpAllWith(average, a.Params, weight) and the
// roundings (Roundings) in three pieces of work, by kernels of the binding's own; no average: nil.
// False, and nothing is done, where the device has none (CUDAKernels). An element has
// the bits that it gets on a processor with AVX-512, but for those at the end of a row there:
// of libtorch's kernel for GPUs, which computes moments in float64, they are an ulp or so off.
func (a *AdamW) StepOnDevice(s DeviceStep, average []Tensor) bool {
	if average != nil && len(average) != len(a.Params) {
		failf("AdamW", "%d averages of %d parameters", len(average), len(a.Params))
	}
	attend()
	p, m, v := handles(nil, a.Params), handles(nil, a.ExpAvg), handles(nil, a.ExpAvgSq)
	r := C.c_gt_adamw_on_device(handlesPtr(p), handlesPtr(m), handlesPtr(v), C.int64_t(len(p)), a.StepCount.handle(),
		C.double(a.o.Beta1), C.double(a.o.Beta2), C.double(a.o.Eps), C.double(a.o.WeightDecay), C.double(s.MaxNorm),
		s.Loss.handle(), s.Rates.handle(), s.Weights.handle(), s.Next.handle(), s.Notes.handle(), handlesPtr(handles(nil, average)))
	runtime.KeepAlive(a)
	runtime.KeepAlive(average)
	runtime.KeepAlive(s)
	check("AdamW", r.err)
	return bool(r.v)
}

// GradNorm is the 2-norm of the gradients of all params together, a float32
// number on their device.
func GradNorm(params []Tensor) Tensor {
	attend()
	hs := handles(nil, params)
	r := C.c_gt_grad_norm(handlesPtr(hs), C.int64_t(len(hs)))
	runtime.KeepAlive(params)
	check("GradNorm", r.err)
	return own(r.t[0], r.scope)
}

// ClipGradNorm scales the gradients of all params so that their common 2-norm
// is at most maxNorm, as torch.nn.utils.clip_grad_norm_ does, and returns the
// norm before.
func ClipGradNorm(params []Tensor, maxNorm float64) Tensor {
	norm := GradNorm(params)
	Scoped(func() {
		NoGrad(func() {
			factor := Clamp(opDiv(opFull(nil, maxNorm, Options{Device: norm.Device()}), AddScalar(norm, 1e-6)), 0, 1)
			hs := handles(nil, params)
			r := C.c_gt_scale_grads(handlesPtr(hs), C.int64_t(len(hs)), factor.handle())
			runtime.KeepAlive(params)
			check("ClipGradNorm", r.err)
		})
	})
	return norm
}

// LerpAll moves every dst towards its src: dst += weight (src - dst). It is
// the update of an exponential moving average with decay 1 - weight.
func LerpAll(dst, src []Tensor, weight float64) { lerpAll(dst, src, weight, Tensor{}) }

// LerpAllWith is LerpAll with the weight in a tensor, a float32 number on their device,
// as StepWith's learning rate.
func LerpAllWith(dst, src []Tensor, weight Tensor) {
	weight.handle() // there must be one
	lerpAll(dst, src, 0, weight)
}

func lerpAll(dst, src []Tensor, weight float64, there Tensor) {
	attend()
	if len(dst) != len(src) {
		failf("LerpAll", "%d tensors and %d", len(dst), len(src))
	}
	d, s := handles(nil, dst), handles(nil, src)
	r := C.c_gt_lerp_all(handlesPtr(d), handlesPtr(s), C.int64_t(len(d)), C.double(weight), there.handleOrNil())
	runtime.KeepAlive(there)
	runtime.KeepAlive(dst)
	runtime.KeepAlive(src)
	check("LerpAll", r.err)
}

// CopyAll copies every src into its dst.
func CopyAll(dst, src []Tensor) {
	attend()
	if len(dst) != len(src) {
		failf("CopyAll", "%d tensors and %d", len(dst), len(src))
	}
	d, s := handles(nil, dst), handles(nil, src)
	r := C.c_gt_copy_all(handlesPtr(d), handlesPtr(s), C.int64_t(len(d)))
	runtime.KeepAlive(dst)
	runtime.KeepAlive(src)
	check("CopyAll", r.err)
}
