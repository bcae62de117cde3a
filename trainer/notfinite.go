package trainer

import (
	"errors"

	torch "github.com/wangkuiyi/gotorch"
)

// badStep is a step without an update, and what was not finite in it.
type badStep struct {
	step int
	what string
}

// suspect notes what is not finite in step k, 0 being the first, where that can be seen without waiting for a device.
func (e *engine) suspect(k int, loss, norm torch.Tensor) {
	if e.device.IsCUDA() {
		return
	}
	if l, n := float32(loss.ItemFloat()), float32(norm.ItemFloat()); !finite(l) || !finite(n) {
		e.bad = append(e.bad, badStep{k + 1, e.notFinite(l)})
	}
}

// notFinite names the first that is not finite: of the run's own tensors, which spoil all else, then the loss, then the
// gradients, which are those of the last step.
func (e *engine) notFinite(loss float32) string {
	for _, own := range []struct {
		of string
		ts []torch.Tensor
	}{{"", e.params}, {"the first moment of ", e.adamw.ExpAvg}, {"the second moment of ", e.adamw.ExpAvgSq}} {
		for i, t := range own.ts {
			if spoilt(t) {
				return own.of + e.names[i]
			}
		}
	}
	if !finite(loss) {
		return "the loss"
	}
	for i, p := range e.params {
		if g := p.Grad(); g.Defined() && spoilt(g) {
			return "the gradient of " + e.names[i]
		}
	}
	return "a gradient"
}

// spoilt tells whether a tensor has anything that is not finite: 0 times that is NaN.
func spoilt(t torch.Tensor) (bad bool) {
	torch.Scoped(func() {
		torch.NoGrad(func() { bad = !finite(float32(torch.SumAll(torch.MulScalar(t, 0)).ItemFloat())) })
	})
	return bad
}

// whatWas names what was not finite in a step of those that were just read.
func (e *engine) whatWas(step int, loss float32) string {
	for _, b := range e.bad {
		if b.step == step {
			return b.what
		}
	}
	return e.notFinite(loss)
}

// named says in the end of a run whose steps were no updates what was the first of it.
func (l *loop) named(err error) error {
	var d *DivergedError
	if errors.As(err, &d) && d.Why == "" && l.bad != "" {
		d.Why = l.bad + " is not finite"
	}
	return err
}
