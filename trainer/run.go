package trainer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/models"
)

// Run is everything about a training run.
type Run struct {
	Config  Config         // what is not set in it is as in Defaults
	Network models.Network // on Device; afterwards it has the last weights, not their average
	Open    Opener         // the data: Data of a set, or a teacher's pairs
	Device  torch.Device

	Folder  *Folder       // of the run's files; nil: none are written
	Dataset DatasetRecord // what they say of the data: Describe of the set

	MaxSteps        int // stop after this step in all; 0: the planned end
	CheckpointEvery int // steps between saves; 0: five minutes

	// NoGraph does a GPU's steps operation by operation, where they are otherwise recorded
	// and replayed as one (CUDA graphs). The numbers are the same.
	NoGraph bool

	Interval  time.Duration // between looks at the device; 0: a second
	Observers []Observer    // told at those times; metrics.jsonl and the loss by time are there anyway
	Note      func(string)  // a line for the user; may be nil
	Warn      func(string)  // a line without which work may be lost; nil: Note

	instead func(*engine) // changes a new engine, for tests
}

// Result is what a run came to.
type Result struct {
	Steps     int       // in all
	New       int       // of them done now
	Losses    []float32 // of every step
	GradNorms []float32
	// TimeLosses are the losses by time of every 100 steps, [n,TimeBins].
	TimeLosses []float32
	Skipped    int           // steps without an update, because something was not finite
	Exploded   *Explosion    // the loss on the way, which came down again; nil where it did not explode
	Clipped    float64       // part of the steps whose gradients were scaled down
	Time       time.Duration // of the steps done now
	Waited     time.Duration // of it, waiting for data
	Pace       []Mark        // of the steps done now, from the first's begin on
	// GraphNodes and GraphKernels count the operations, and the kernels among them, of a
	// step that was recorded; 0 where none was.
	GraphNodes, GraphKernels int
	// Checkpoint is what the run has learnt, as in ckpt.pth: the averaged weights
	// where an average is kept.
	Checkpoint *Checkpoint
}

// InterruptedError ends a run that was asked to stop; its state is saved.
type InterruptedError struct {
	Step  int
	Bad   int   // of the last steps, which were no updates: the state before them is kept
	Cause error // context.Cause
}

func (e *InterruptedError) Error() string {
	if e.Bad > 0 {
		return fmt.Sprintf("stopped after step %d; steps at the end that were no updates: %d; the state before them is kept", e.Step, e.Bad)
	}
	return fmt.Sprintf("stopped after step %d, everything is saved", e.Step)
}
func (e *InterruptedError) Unwrap() error { return e.Cause }

// Train does the run's steps, from a state or from the start. The files are
// saved at the end, at intervals, when ctx ends, and when the run fails. Its
// errors are *InterruptedError, *DivergedError, *MemoryError, *torch.Error, or of
// files.
func (r *Run) Train(ctx context.Context, from *State) (res Result, err error) {
	own := *r
	own.Config = r.Config.Defaults()
	r = &own
	if err := r.Config.Check(); err != nil {
		return res, err
	}
	if r.Network == nil || r.Open == nil {
		return res, errors.New("trainer: a run needs a Network and Open, which gives its data")
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	onStream(r.Device, !r.NoGraph, func() { res, err = r.train(ctx, from) })
	return res, err
}

// onStream runs f, where steps may be recorded with its work going to a stream other
// than the GPU's usual one, which cannot be recorded.
func onStream(d torch.Device, record bool, f func()) {
	if !d.IsCUDA() || !record {
		f()
		return
	}
	torch.WithStream(torch.NewCUDAStream(d), f)
}

func (r *Run) train(ctx context.Context, from *State) (res Result, err error) {
	l := &loop{Run: r, start: time.Now(), lastSave: time.Now()}
	if failed := torch.Try(func() { err = l.open(from) }); failed != nil {
		err = failed
	}
	if err != nil {
		return res, errors.Join(err, l.close())
	}
	var d *DivergedError
	if failed := torch.Try(func() { err = l.run(ctx) }); failed != nil {
		// Memory runs out in a step's forward or backward pass: the weights
		// are still those of the step before.
		var unsaved error
		if e := torch.Try(func() { unsaved = l.save() }); e != nil {
			unsaved = e
		}
		err = errors.Join(l.explain(ctx, failed), unsaved)
	} else if errors.As(err, &d) {
		err = errors.Join(err, l.stepBack(d))
	}
	res = l.result()
	if cerr := l.close(); err == nil {
		err = cerr
	}
	return res, err
}

// loop is a run while it goes.
type loop struct {
	*Run
	e         *engine
	src       Source
	observers []Observer // the run's own, then those of the user
	byTime    *timeLoss  // one of them, nil where all times are the same

	first, done   int // steps at the start and now
	losses, norms []float32
	watch         divergence
	bad           string      // what was not finite in the first of the last steps without an update
	saved         int         // step of the newest state that this process saved
	torn          []Restarter // something is missing in their files

	checkpoint      *Checkpoint // of the last save
	start, lastSave time.Time
	unsaved         string        // why the last save failed
	aside           time.Duration // since the start, in which observers looked at what was learnt
	pace            pace
	meter           meter
}

func (l *loop) total() int {
	if l.MaxSteps > 0 {
		return min(l.MaxSteps, l.Config.Iterations)
	}
	return l.Config.Iterations
}

func (l *loop) open(from *State) error {
	l.e = newEngine(l.Config, l.Network, l.Device)
	if !l.NoGraph && l.Device.IsCUDA() {
		l.e.recorder = graphs{l.Device}
	}
	if l.instead != nil {
		l.instead(l.e)
	}
	if err := l.e.objective.Check(); err != nil {
		return err
	}
	l.observe()
	if l.Config.Reflow != nil {
		l.watch.least = ofZeros
	}
	if from != nil {
		if err := l.e.restore(from); err != nil {
			return err
		}
		l.first, l.done = from.Step(), from.Step()
		l.losses = append(l.losses, from.Losses...)
		l.norms = append(l.norms, from.GradNorms...)
		for i := range l.losses {
			l.watch.add(i+1, l.losses[i], l.norms[i])
		}
		l.watch.skipped, l.watch.row, l.watch.high = 0, 0, 0
	}
	l.noteSpace()
	past := l.metrics(l.losses, l.norms, 0)
	for _, o := range l.observers {
		if err := o.Start(past); err != nil {
			return err
		}
	}
	var err error
	l.src, err = l.Open(l.Config, l.Device, l.done*l.Config.Accumulate)
	return err
}

// observe gathers the observers.
func (l *loop) observe() {
	if !l.Config.distills() {
		l.byTime = newTimeLoss(l.Device, l.e.slots)
		l.observers = append(l.observers, l.byTime)
	}
	if l.Folder != nil {
		l.observers = append(l.observers, &metricsLog{path: l.Folder.path(MetricsFile)})
	}
	l.observers = append(l.observers, l.Observers...)
	for _, o := range l.observers {
		if d, ok := o.(Diagnostic); ok {
			l.e.diagnostics = append(l.e.diagnostics, d)
		}
	}
}

func (l *loop) close() error {
	var err error
	for _, o := range l.observers {
		err = errors.Join(err, o.Close())
	}
	if l.e != nil {
		l.e.close()
	}
	return err
}

// metrics are those of the steps after the first ones.
func (l *loop) metrics(losses, norms []float32, first int) []Metric {
	steps := make([]Metric, len(losses))
	for i := range steps {
		steps[i] = l.Config.metric(first+i+1, losses[i], norms[i])
		for _, d := range l.e.diagnostics {
			d.Annotate(&steps[i])
		}
	}
	return steps
}

func (l *loop) run(ctx context.Context) error {
	defer l.src.Close()
	l.Network.Train(true)
	defer l.Network.Train(false)
	l.start = time.Now()
	l.meter = meter{first: l.done, at: l.start, step: l.done}
	l.pace.note(l.done, 0)
	for l.done < l.total() {
		if ctx.Err() != nil {
			if err := l.save(); err != nil {
				return err
			}
			return &InterruptedError{l.done, l.watch.row, context.Cause(ctx)}
		}
		if err := l.e.step(l.done, l.src); err != nil {
			return errors.Join(err, l.save())
		}
		l.done++
		l.noteUnrecorded()
		for _, d := range l.e.diagnostics {
			d.Step(l.done)
		}
		if l.e.filled == l.e.slots || l.done == l.total() || l.due() || time.Since(l.meter.at) >= l.interval() {
			if err := l.look(); err != nil {
				return l.writeAfter(errors.Join(err, l.settle()))
			}
		}
		if l.saveDue() {
			if err := l.interim(); err != nil {
				return err
			}
		}
	}
	if err := l.settle(); err != nil {
		return l.writeAfter(err)
	}
	if l.done > l.first {
		losses := l.losses
		if len(losses) == 1 {
			// Nothing has looked at what the only update has made of the network.
			losses = append(slices.Clone(losses), l.afterwards())
		}
		if err := l.named(l.watch.atEnd(losses)); err != nil {
			if d, ok := err.(*DivergedError); ok {
				d.Step = min(d.Step, l.done)
			}
			if !l.Folder.HoldsState() {
				err = l.writeAfter(err)
			}
			return err
		}
	}
	return l.write()
}

// afterwards is the loss of one more batch, of zeros, which is data as good as any to
// see whether the weights still are.
func (l *loop) afterwards() (loss float32) {
	diagnostics := l.e.diagnostics
	l.e.diagnostics = nil // it is no step
	defer func() { l.e.diagnostics = diagnostics }()
	torch.Scoped(func() {
		torch.NoGrad(func() {
			v, err := l.e.loss(l.Config.Accumulate, &zeros{l.Network.Config().SampleShape(), min(l.Config.BatchSize, 16), l.e.classes, l.Device})
			if err == nil {
				loss = float32(v.ItemFloat())
			}
		})
	})
	if !finite(loss) {
		return float32(math.Inf(1))
	}
	return loss
}

func (l *loop) interval() time.Duration {
	if l.Interval > 0 {
		return l.Interval
	}
	return time.Second
}

// due tells whether an observer wants to be told after this step.
func (l *loop) due() bool {
	return slices.ContainsFunc(l.observers, func(o Observer) bool {
		p, ok := o.(Punctual)
		return ok && p.Due() == l.done
	})
}

// look reads the device: losses and norms of the steps since the last time.
func (l *loop) look() error {
	losses, norms := l.e.read()
	l.pace.note(l.done, time.Since(l.start)-l.aside)
	at := l.done - len(losses) // steps before these
	var sum, sumNorm float64
	n := 0
	for i := range losses {
		l.watch.add(at+i+1, losses[i], norms[i])
		switch l.watch.row {
		case 0:
			sum += float64(losses[i])
			sumNorm += float64(norms[i])
			n++
		case 1:
			l.bad = l.e.whatWas(at+i+1, losses[i])
			l.note(fmt.Sprintf("step %d: %s is not finite; steps without an update follow", at+i+1, l.bad))
		}
	}
	l.e.bad = nil
	l.losses = append(l.losses, losses...)
	l.norms = append(l.norms, norms...)
	p := Progress{
		Step: l.done, Total: l.total(), Loss: sum / float64(n), GradNorm: sumNorm / float64(n), Rate: l.Config.Rate(l.done - 1),
	}
	l.meter.look(&p, time.Now(), l.src.Waited(), l.aside)
	told := Look{Steps: l.metrics(losses, norms, at), Progress: p, Learnt: l.learnt}
	for _, o := range l.observers {
		if err := o.Look(told); err != nil && !l.tolerate(o, err) {
			return err
		}
	}
	return l.named(l.watch.verdict())
}

// noteUnrecorded says once why steps are not recorded.
func (l *loop) noteUnrecorded() {
	if why := l.e.unrecorded; why != nil {
		l.e.unrecorded = nil
		l.note(fmt.Sprintf("the step cannot be recorded as a graph, so that each operation is launched by itself: %v", why))
	}
}

func (l *loop) note(s string) {
	if l.Note != nil {
		l.Note(s)
	}
}

func (l *loop) warn(s string) {
	if l.Warn == nil {
		l.note(s)
		return
	}
	l.Warn(s)
}

func (l *loop) record() Record {
	network := l.Network.Config()
	return Record{
		Format: 1, Kind: network.Kind(), Model: mustJSON(network), Dataset: l.Dataset,
		Training: TrainingRecord{l.Config.Recipe, l.Config, l.done, l.Config.Seed},
		MadeBy:   madeBy(l.Device),
	}
}

func (l *loop) result() Result {
	clipped := 0
	for _, n := range l.norms {
		if l.Config.GradClip > 0 && float64(n) > l.Config.GradClip {
			clipped++
		}
	}
	res := Result{
		Steps: len(l.losses), New: len(l.losses) - l.first, Losses: l.losses, GradNorms: l.norms, Skipped: l.watch.skipped, Exploded: l.watch.exploded(),
		Clipped: float64(clipped) / float64(max(1, len(l.norms))),
		Time:    time.Since(l.start), Waited: l.src.Waited(), Pace: l.pace.marks, Checkpoint: l.checkpoint,
	}
	if l.e != nil && l.e.graph != nil {
		res.GraphNodes, res.GraphKernels = l.e.graph.work.Nodes()
	}
	if l.byTime != nil {
		res.TimeLosses = l.byTime.history
	}
	return res
}
