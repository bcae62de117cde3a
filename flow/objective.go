package flow

import (
	"errors"
	"fmt"

	torch "github.com/wangkuiyi/gotorch"
)

// Objective is what a velocity field is trained on: which noise goes with which
// data, the path between them, and the times on it. The zero value is flow
// matching by straight lines (Lipman et al. 2023; Liu et al. 2023).
type Objective struct {
	Path     Path        // nil: OTPath{}
	Coupling Coupling    // nil: Independent{}
	Times    TimeSampler // nil: UniformTimes{}
	// StableTargets averages each target over the batch; the path must be able to
	// (see the interface of that name), and noise and data be independent.
	StableTargets bool
	// ClassDropout is the part of the labels that Null takes the place of, so that
	// the model learns guidance's velocity of no class.
	ClassDropout float64
	Null         int64 // label of the null class
}

// Check says what is wrong with o.
func (o Objective) Check() error {
	_, averages := o.path().(StableTargets)
	switch {
	case o.StableTargets && !averages:
		return fmt.Errorf("flow: the targets of %T cannot be averaged", o.Path)
	case o.StableTargets && o.coupling() != Coupling(Independent{}):
		return fmt.Errorf("flow: targets are averaged over data that are not paired with the noise, as %T does", o.Coupling)
	case !(o.ClassDropout >= 0 && o.ClassDropout < 1):
		return fmt.Errorf("flow: class dropout of %v is not in [0,1)", o.ClassDropout)
	case o.ClassDropout > 0 && o.Null < 0:
		return errors.New("flow: class dropout needs a null class")
	}
	return nil
}

func (o Objective) path() Path {
	if o.Path == nil {
		return OTPath{}
	}
	return o.Path
}

func (o Objective) coupling() Coupling {
	if o.Coupling == nil {
		return Independent{}
	}
	return o.Coupling
}

func (o Objective) times() TimeSampler {
	if o.Times == nil {
		return UniformTimes{}
	}
	return o.Times
}

// Draw makes what a model is trained on of data x1: [B,...] and labels y: [B]
// int64, or the zero Tensor for a model without classes: the points xt: [B,...]
// at times t: [B] of the path's span, the velocities u: [B,...] that it should have there, and the
// labels that it is told. x0: [B,...] is the noise that belongs to x1, where pairs
// are given, or the zero Tensor where the coupling draws it.
//
// All random numbers come from gen, in this order: noise, times, class dropout.
func (o Objective) Draw(gen *torch.Generator, x0, x1, y torch.Tensor) (xt, t, u, label torch.Tensor) {
	n, on := x1.Shape()[0], x1.Device()
	if x0.T == nil {
		x0 = o.coupling().Noise(gen, x1, y)
	}
	t = o.times().Sample(gen, n, on)
	if from, to := o.path().Span(); from > 0 || to < 1 {
		t = torch.AddScalar(torch.MulScalar(t, to-from), from)
	}
	if o.ClassDropout > 0 {
		drop := torch.LtScalar(torch.RandWith(gen, []int64{n}, torch.Options{Device: on}), o.ClassDropout)
		y = torch.MaskedFill(y, drop, float64(o.Null))
	}
	at := o.path().At
	if o.StableTargets {
		at = o.path().(StableTargets).StableTarget
	}
	xt, u = at(x0, x1, t)
	return xt, t, u, y
}
