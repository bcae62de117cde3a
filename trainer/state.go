package trainer

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/pth"
	"github.com/wangkuiyi/gotorch/weights"
)

// State is all that resuming needs. In state.pth its tensors are named
// model.<parameter>, ema.<parameter>, exp_avg.<parameter>,
// exp_avg_sq.<parameter>, losses, grad_norms, loss_by_time and
// loss_by_time_sum.
type State struct {
	Record    *Record
	Losses    []float32 // of every step
	GradNorms []float32 // before clipping
	file      *weights.File
}

// Step is the number of steps done.
func (s *State) Step() int { return s.Record.Training.Step }

const (
	partModel = "model."
	partEMA   = "ema."
	partAvg   = "exp_avg."
	partAvgSq = "exp_avg_sq."

	adamwSteps = "adamw_step"
)

// snapshot copies the run's tensors out.
func (e *engine) snapshot(r Record, losses, norms []float32) (*State, error) {
	d := &weights.Dict{}
	put := func(prefix string, ts []torch.Tensor) error {
		for i, t := range ts {
			w, err := torch.ToWeights(t)
			if err != nil {
				return err
			}
			if !w.Finite() {
				return &DivergedError{Step: r.Training.Step, Why: prefix + e.names[i] + " is not finite"}
			}
			d.Set(prefix+e.names[i], w)
		}
		return nil
	}
	for _, p := range []struct {
		prefix string
		ts     []torch.Tensor
	}{{partModel, e.params}, {partEMA, e.ema}, {partAvg, e.adamw.ExpAvg}, {partAvgSq, e.adamw.ExpAvgSq}} {
		var err error
		if failed := torch.Try(func() { err = put(p.prefix, p.ts) }); failed != nil {
			err = failed
		}
		if err != nil {
			return nil, err
		}
	}
	steps, err := torch.ToWeights(e.adamw.StepCount)
	if err != nil {
		return nil, err
	}
	d.Set(adamwSteps, steps)
	d.Set("losses", weights.FromFloat32(losses, int64(len(losses))))
	d.Set("grad_norms", weights.FromFloat32(norms, int64(len(norms))))
	st := &State{Record: &r, Losses: losses, GradNorms: norms}
	for _, o := range e.diagnostics {
		if err := o.Save(d); err != nil {
			return nil, err
		}
	}
	b, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	st.file = &weights.File{Tensors: d, Record: b}
	return st, nil
}

// restore copies a state into the run's tensors. All of them are looked at before the
// first one is changed.
func (e *engine) restore(s *State) error {
	type part struct {
		prefix string
		into   []torch.Tensor
	}
	parts := []part{{partModel, e.params}, {partEMA, e.ema}, {partAvg, e.adamw.ExpAvg}, {partAvgSq, e.adamw.ExpAvgSq}}
	for _, p := range parts {
		if n := s.count(p.prefix); n != len(p.into) {
			return fmt.Errorf("the state has %d tensors %s*, the run has %d", n, p.prefix, len(p.into))
		}
		for i, t := range p.into {
			if err := s.fits(p.prefix+e.names[i], t); err != nil {
				return err
			}
		}
	}
	for _, p := range parts {
		for i, t := range p.into {
			if err := s.load(p.prefix+e.names[i], t); err != nil {
				return err
			}
		}
	}
	n, err := s.file.Tensors.Get(adamwSteps).Float32s()
	if err != nil {
		return fmt.Errorf("%s: %w", adamwSteps, err)
	}
	torch.NoGrad(func() { e.adamw.StepCount.FillI(float64(n[0])) })
	for _, d := range e.diagnostics {
		if err := d.Restore(s); err != nil {
			return err
		}
	}
	return nil
}

// count is the number of tensors whose names have the prefix.
func (s *State) count(prefix string) (n int) {
	for name := range s.file.Tensors.All() {
		if strings.HasPrefix(name, prefix) {
			n++
		}
	}
	return n
}

// fits tells what is wrong with a tensor of the state for a run's: libtorch would
// stretch one of another shape.
func (s *State) fits(name string, t torch.Tensor) error {
	w := s.file.Tensors.Get(name)
	switch {
	case w == nil:
		return fmt.Errorf("the state has no %s", name)
	case !slices.Equal(w.Shape, t.Shape()):
		return fmt.Errorf("%s has the shape %v in the state, %v in the run", name, w.Shape, t.Shape())
	case w.DType != weights.Float:
		return fmt.Errorf("%s is of %v in the state, not of float32", name, w.DType)
	case !w.Finite():
		return fmt.Errorf("%s is not finite in the state", name)
	}
	return nil
}

// load copies a tensor of the state into a run's, which it fits.
func (s *State) load(name string, t torch.Tensor) error {
	if err := s.fits(name, t); err != nil {
		return err
	}
	src, err := torch.FromWeights(s.file.Tensors.Get(name))
	if err != nil {
		return err
	}
	defer src.Close()
	if err := torch.Try(func() { torch.NoGrad(func() { t.CopyI(src) }) }); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// errWeights is of a file like ckpt.pth.
var errWeights = errors.New("the weights of a run, not the state to go on from")

// ReadState reads a state file and checks that it is one: a file that is not is
// weights.ErrDamaged.
func ReadState(path string) (*State, error) {
	f, err := pth.Read(path)
	if err != nil {
		return nil, err
	}
	s, err := stateOf(f)
	if err != nil {
		return nil, &NotStateError{path, errors.Is(err, errWeights), err}
	}
	return s, nil
}

// NotStateError is of a whole file that is no state. In a state's place it is damaged.
type NotStateError struct {
	Path    string
	Weights bool // it has a run's weights, as ckpt.pth
	Why     error
}

func (e *NotStateError) Error() string {
	if e.Weights {
		return fmt.Sprintf("%s: %v", e.Path, e.Why)
	}
	return fmt.Sprintf("%s: %v: %v", e.Path, weights.ErrDamaged, e.Why)
}

// Unwrap is weights.ErrDamaged and Why.
func (e *NotStateError) Unwrap() []error { return []error{weights.ErrDamaged, e.Why} }

func stateOf(f *weights.File) (*State, error) {
	if f.Record == nil {
		return nil, errors.New("a file of weights, not the state of a run")
	}
	r, err := ParseRecord(f.Record)
	if err != nil {
		return nil, err
	}
	s := &State{Record: r, file: f}
	if s.count(partModel) == 0 && f.Tensors.Get(adamwSteps) == nil {
		return nil, errWeights
	}
	for name, into := range map[string]*[]float32{"losses": &s.Losses, "grad_norms": &s.GradNorms} {
		w := f.Tensors.Get(name)
		if w == nil {
			return nil, fmt.Errorf("it has no %s: not the state of a run", name)
		}
		if *into, err = w.Float32s(); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if len(w.Shape) != 1 || len(*into) != r.Training.Step {
			return nil, fmt.Errorf("%s of the shape %v for %d steps", name, w.Shape, r.Training.Step)
		}
	}
	if _, err := s.timeLosses(); err != nil {
		return nil, err
	}
	return s, s.consistent()
}

// checkpoint is what ckpt.pth holds: the averaged weights under PyTorch's
// names, or the weights as they are where no average is kept.
func (s *State) checkpoint() *weights.File {
	prefix := partModel
	if s.Record.Training.Configuration.EMADecay > 0 {
		prefix = partEMA
	}
	d := &weights.Dict{}
	for name, t := range s.file.Tensors.All() {
		if len(name) > len(prefix) && name[:len(prefix)] == prefix {
			d.Set(name[len(prefix):], t)
		}
	}
	return &weights.File{Tensors: d, Record: ofCheckpoint(s.Record, s.file.Record)}
}

func finite(v float32) bool { return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0) }
