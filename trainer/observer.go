package trainer

import (
	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/weights"

	"flowmatch/flow"
)

// Observer looks at a run while it goes: metrics.jsonl is one, a progress bar
// another. All of its methods are called by the training thread, which does
// nothing else meanwhile; an error ends the run, after its state is saved.
type Observer interface {
	// Start comes before the first step, with the steps of a run that goes on.
	Start(past []Metric) error
	// Look comes at log points and after the last step.
	Look(Look) error
	// Flush comes before the state is saved: what an observer was told is in its
	// files when it returns.
	Flush() error
	// Close ends it; it comes even where Start did not, or failed.
	Close() error
}

// Restarter is an observer whose errors do not end the run, as those of files are that
// find no room: they are noted, and after the next save it begins anew.
type Restarter interface {
	Observer
	Restart(past []Metric) error
}

// Look is what an observer is told.
type Look struct {
	Steps []Metric // done since the last look, in order
	Progress
	// Learnt calls f with what the network has learnt, for evaluation: by the averaged
	// weights where an average is kept. The run goes on as if it had not been called;
	// neither the function nor v is for use after Look has returned. Its errors are f's,
	// and *torch.Error, for want of memory above all.
	Learnt func(f func(v flow.Velocity) error) error
}

// Punctual is an observer that is told after certain steps, besides the usual times.
type Punctual interface {
	Observer
	// Due is the next step after which Look is to come, 0 for none.
	Due() int
}

// Watch is an observer that only looks.
type Watch func(Look)

// Start does nothing.
func (Watch) Start([]Metric) error { return nil }

// Look calls w.
func (w Watch) Look(l Look) error {
	w(l)
	return nil
}

// Flush does nothing.
func (Watch) Flush() error { return nil }

// Close does nothing.
func (Watch) Close() error { return nil }

// Diagnostic is an observer that looks at every batch as well, on the device. It
// adds to the metrics of steps, and its state is part of the run's.
type Diagnostic interface {
	Observer
	// Batch comes with the network's velocities, those that it should have given,
	// and the times: v, u: [B,...], t: [B]. It must not wait for the device.
	Batch(v, u, t torch.Tensor)
	// Step comes after every step; done is how many there are.
	Step(done int)
	// Read comes when the device is looked at anyway, before Annotate.
	Read()
	// Annotate adds to the metrics of a step.
	Annotate(*Metric)
	// Save adds the diagnostic's tensors to a state, and Restore takes them from it.
	Save(*weights.Dict) error
	Restore(*State) error
}
