package trainer

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/pth"
	"github.com/wangkuiyi/gotorch/weights"

	"flowmatch/models"
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
)

// snapshot copies the run's tensors out.
func (e *engine) snapshot(r Record, losses, norms []float32) (*State, error) {
	d := &weights.Dict{}
	put := func(prefix string, ts []torch.Tensor) error {
		for i, t := range ts {
			w, err := models.ToWeights(t)
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
	steps, err := models.ToWeights(e.adamw.StepCount)
	if err != nil {
		return nil, err
	}
	d.Set("adamw_step", steps)
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

// restore copies a state into the run's tensors.
func (e *engine) restore(s *State) error {
	load := func(prefix string, ts []torch.Tensor) error {
		for i, t := range ts {
			w := s.file.Tensors.Get(prefix + e.names[i])
			if w == nil {
				return fmt.Errorf("the state has no %s%s", prefix, e.names[i])
			}
			src, err := models.FromWeights(w)
			if err != nil {
				return err
			}
			err = torch.Try(func() { torch.NoGrad(func() { t.CopyI(src) }) })
			src.Close()
			if err != nil {
				return fmt.Errorf("%s%s: %w", prefix, e.names[i], err)
			}
		}
		return nil
	}
	if err := load(partModel, e.params); err != nil {
		return err
	}
	if err := load(partEMA, e.ema); err != nil {
		return err
	}
	if err := load(partAvg, e.adamw.ExpAvg); err != nil {
		return err
	}
	if err := load(partAvgSq, e.adamw.ExpAvgSq); err != nil {
		return err
	}
	w := s.file.Tensors.Get("adamw_step")
	if w == nil {
		return errors.New("the state has no adamw_step")
	}
	n, err := w.Float32s()
	if err != nil || len(n) != 1 {
		return fmt.Errorf("the state's adamw_step is no single number")
	}
	e.adamw.StepCount.FillI(float64(n[0]))
	for _, d := range e.diagnostics {
		if err := d.Restore(s); err != nil {
			return err
		}
	}
	return nil
}

// ReadState reads a state file and checks that it is one.
func ReadState(path string) (*State, error) {
	f, err := pth.Read(path)
	if err != nil {
		return nil, err
	}
	if f.Record == nil {
		return nil, fmt.Errorf("%s: a file of weights, not the state of a run", path)
	}
	r, err := ParseRecord(f.Record)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s := &State{Record: r, file: f}
	for name, into := range map[string]*[]float32{"losses": &s.Losses, "grad_norms": &s.GradNorms} {
		w := f.Tensors.Get(name)
		if w == nil {
			return nil, fmt.Errorf("%s: it has no %s: not the state of a run", path, name)
		}
		if *into, err = w.Float32s(); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", path, name, err)
		}
		if len(*into) != r.Training.Step {
			return nil, fmt.Errorf("%s: %d %s for %d steps", path, len(*into), name, r.Training.Step)
		}
	}
	if _, err := s.timeLosses(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
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
	return &weights.File{Tensors: d, Record: s.file.Record}
}

func finite(v float32) bool { return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0) }
