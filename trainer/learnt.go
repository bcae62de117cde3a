package trainer

import (
	"time"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn"

	"flowmatch/flow"
)

// learnt calls f with what the network has learnt so far: by the averaged weights
// where an average is kept, in the run's precision. The training goes on as if it had
// not been called, whatever becomes of f: no weight changes, and no generator of the
// run is asked.
func (l *loop) learnt(f func(flow.Velocity) error) (err error) {
	began := time.Now()
	defer func() { l.aside += time.Since(began) }()
	path, err := l.Config.path()
	if err != nil {
		return err
	}
	e := l.e
	failed := torch.Try(func() {
		torch.Scoped(func() {
			torch.NoGrad(func() {
				defer e.average()()
				velocity, thaw := e.freeze()
				defer thaw()
				err = f(flow.Within(path, velocity))
			})
		})
	})
	if failed != nil {
		return failed
	}
	return err
}

// freeze gives the network's velocity in the run's precision, for many evaluations
// without gradients until thaw is called, by weights that are laid out or cast for
// them once.
func (e *engine) freeze() (v flow.Velocity, thaw func()) {
	if e.device.IsCUDA() {
		e.rounded.Refresh() // as the next step does, again, recorded or not
		return func(x, t, y torch.Tensor) torch.Tensor { return e.velocity(batch{xt: x, t: t, y: y}) }, func() {}
	}
	done := false
	thaw = func() { nn.Thaw(e.network) }
	defer func() {
		if !done {
			thaw()
		}
	}()
	nn.Freeze(e.network, frozenType(e.c.Precision))
	done = true
	return e.network.Velocity, thaw
}

// average makes the network one for evaluation, with the averaged weights where there
// are any, until undo is called. Nothing is copied: parameters share the elements of
// their averages meanwhile, and their own are as they were.
func (e *engine) average() (undo func()) {
	var own []torch.Tensor
	undo = func() {
		for k, t := range own {
			e.params[k].SetData(t)
		}
		e.network.Train(true)
	}
	done := false
	defer func() {
		if !done {
			undo()
		}
	}()
	e.network.Train(false)
	for k, average := range e.ema {
		own = append(own, e.params[k].Detach())
		e.params[k].SetData(average)
	}
	done = true
	return undo
}
