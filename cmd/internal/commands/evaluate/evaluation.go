package evaluate

import (
	"context"
	"io"
	"sync"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/terminal"
	"flowmatch/datasets"
	"flowmatch/flow"
	"flowmatch/flow/metrics"
	"flowmatch/trainer"
	"flowmatch/trainer/trained"
)

// evaluation takes the measures of one model.
type evaluation struct {
	f       *flags
	file    *trained.Model
	info    datasets.Info
	chosen  map[string]bool // measures by name
	solvers []cli.NamedSolver
	// guidance is that of the samples that are judged, nil for none.
	guidance *flow.Guidance
	device   torch.Device
	velocity flow.Velocity // in float32
	// samplers are the same for samples, by precision.
	samplers map[string]flow.Velocity
	warned   bool // that the precision is not what was asked for
	out      *report
	stderr   io.Writer
}

func (e *evaluation) batch() int {
	if e.f.batchSize > 0 {
		return e.f.batchSize
	}
	return e.file.Batch(e.device)
}

// task starts a bar for a slow measure, with the time that is left. done takes it
// away.
func (e *evaluation) task(what string) (progress func(done, of int), done func()) {
	bar := terminal.New(e.stderr, e.f.cmd.Quiet, what, 1)
	var start, shown time.Time
	first := 0
	return func(done, of int) {
		if start.IsZero() { // what comes before the first part is not the parts' time
			start, first = time.Now(), done
		}
		if done < of && time.Since(shown) < bar.Interval() {
			return
		}
		shown = time.Now()
		left := ""
		if done > first {
			each := time.Since(start) / time.Duration(done-first)
			left = "about " + terminal.Duration(each*time.Duration(of-done)) + " left"
		}
		bar.Set(done, of, left)
	}, bar.Done
}

// counting is a model that tells of its evaluations of samples, of n in all: cores call it at
// once.
func counting(of flow.Velocity, n int, progress func(done, of int)) flow.Velocity {
	var mu sync.Mutex
	done := 0
	return func(x, t, y torch.Tensor) torch.Tensor {
		v := of(x, t, y)
		mu.Lock()
		defer mu.Unlock()
		done += int(x.Shape()[0])
		progress(done, max(n, done))
		return v
	}
}

// unsolved notes a measure whose solver could not go on, so that the others are
// still told of; other errors it gives back.
func (e *evaluation) unsolved(what string, err error) error {
	if flow.Unsolved(err) {
		e.out.unsolved = append(e.out.unsolved, what+": "+cli.Text(err))
		return nil
	}
	return err
}

// precision is that of samples by a solver.
func (e *evaluation) precision(s cli.NamedSolver) (string, error) {
	p, _, err := trainer.SamplingPrecision(e.f.cmd.Precision, e.device, e.file.Config, flow.IsAdaptive(s.Method))
	return p, err
}

// sampler is the model for samples by a solver.
func (e *evaluation) sampler(s cli.NamedSolver) (flow.Velocity, error) {
	p, warning, err := trainer.SamplingPrecision(e.f.cmd.Precision, e.device, e.file.Config, flow.IsAdaptive(s.Method))
	if err != nil {
		return nil, err
	}
	if warning != "" && !e.warned {
		e.warned = true
		e.f.cmd.Note("%s", warning)
	}
	return e.samplerIn(p)
}

// samplerIn is the model for samples in a precision.
func (e *evaluation) samplerIn(p string) (v flow.Velocity, err error) {
	if v = e.samplers[p]; v != nil {
		return v, nil
	}
	if v, err = e.file.Sampler(e.device, p); err == nil {
		e.samplers[p] = v
	}
	return v, err
}

// samples draws n of them by a solver.
func (e *evaluation) samples(ctx context.Context, s cli.NamedSolver, n int, labels []int64) (*flow.Samples, error) {
	velocity, err := e.sampler(s)
	if err != nil {
		return nil, err
	}
	nfe := 0.0 // not known
	if m, ok := flow.FixedStepMethod(s.Method); ok {
		nfe = e.evaluations(s.Steps * m.Stages())
	}
	draw := flow.Sampling{
		Device: e.device, Solver: s, Shape: e.file.Dims(), N: n, Labels: labels, Seed: e.f.cmd.Seed, Batch: e.batch(),
		Guidance: e.guidance,
	}
	var done func()
	draw.Velocity, draw.Progress, done = e.watched(s.String(), velocity, n, nfe)
	defer done()
	return draw.Draw(ctx)
}

// watched starts a bar for n samples of so many evaluations each, 0 where that is not
// known: the velocity and the progress are for their draw, done takes the bar away. A batch
// of large samples takes minutes, so that evaluations are told of.
func (e *evaluation) watched(what string, v flow.Velocity, n int, evaluations float64) (_ flow.Velocity, progress func(done, of int), done func()) {
	progress, done = e.task(what)
	if evaluations == 0 {
		return v, progress, done
	}
	return counting(v, int(float64(n)*evaluations), progress), nil, done
}

// straightness measures it on n paths and returns their ends.
func (e *evaluation) straightness(ctx context.Context, n int, labels []int64) ([]float32, error) {
	s := metrics.Straightness{Device: e.device, Shape: e.file.Dims(), N: n, Labels: labels, Seed: e.f.cmd.Seed, Batch: e.batch()}
	var done func()
	s.Velocity, s.Progress, done = e.watched("straightness", e.velocity, n, straightNFE)
	defer done()
	p, err := s.Measure(ctx)
	if err != nil {
		return nil, err
	}
	e.out.counts["straightness"] = n
	e.out.set(&e.out.Straightness, "straightness", p.S)
	return p.X, nil
}

// Its paths are those of midpoint:20.
const (
	straightSolver = "midpoint"
	straightSteps  = 20
	straightNFE    = 2 * straightSteps
	straightPaths  = 1000
)
