package trainer

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/models"
)

// Run is everything about a training run.
type Run struct {
	Config  Config
	Network models.Network // on Device
	Dataset DatasetRecord
	// Open gives the data from batch start on.
	Open   func(start int) (Source, error)
	Device torch.Device
	Folder *Folder

	MaxSteps        int // stop after this step in all; 0: the planned end
	CheckpointEvery int // steps between saves; 0: five minutes

	Interval time.Duration  // between looks at the device for Progress; 0: a second
	Progress func(Progress) // called at those times and after the last step; may be nil
	Note     func(string)   // a line for the user; may be nil
}

// Progress is how far a run has come.
type Progress struct {
	Step, Total    int     // steps done, steps to do in all
	Loss           float64 // mean of the steps since the last call
	GradNorm       float64 // the same, before clipping
	Rate           float64 // learning rate
	StepsPerSecond float64 // of the last while
	Waiting        float64 // part of the time since the last call that was spent waiting for data, 0 to 1
	Left           time.Duration
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
	Clipped    float64       // part of the steps whose gradients were scaled down
	Time       time.Duration // of the steps done now
	Waited     time.Duration // of it, waiting for data
	Pace       []Mark        // of the steps done now, from the first's begin on
}

// InterruptedError ends a run that was asked to stop; its state is saved.
type InterruptedError struct {
	Step  int
	Cause error // context.Cause
}

func (e *InterruptedError) Error() string {
	return fmt.Sprintf("stopped after step %d, everything is saved", e.Step)
}
func (e *InterruptedError) Unwrap() error { return e.Cause }

// patience is the number of steps without an update after which a run has
// diverged.
const patience = 30

// Train does the run's steps, from a state or from the start. The files are
// saved at the end, at intervals, when ctx ends, and when the run fails. Its
// errors are *InterruptedError, *DivergedError, *torch.Error, or of files.
func (r *Run) Train(ctx context.Context, from *State) (res Result, err error) {
	if err := r.Config.Check(); err != nil {
		return res, err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	l := &loop{Run: r, start: time.Now(), lastSave: time.Now()}
	if failed := torch.Try(func() { err = l.open(from) }); failed != nil {
		err = failed
	}
	if err != nil {
		if l.log != nil {
			l.log.close()
		}
		return res, err
	}
	defer l.e.close()
	if failed := torch.Try(func() { err = l.run(ctx) }); failed != nil {
		// Memory runs out in a step's forward or backward pass: the weights
		// are still those of the step before.
		err = failed
		if saved := torch.Try(func() { err = errors.Join(err, l.save()) }); saved != nil {
			err = errors.Join(failed, saved)
		}
	}
	if cerr := l.log.close(); err == nil && cerr != nil {
		err = cerr
	}
	return l.result(), err
}

// loop is a run while it goes.
type loop struct {
	*Run
	e   *engine
	src Source
	log *metricsLog

	first, done   int // steps at the start and now
	losses, norms []float32
	skipped, row  int // steps without an update: in all, and in a row up to now
	badSince      int

	start, lastLook, lastSave time.Time
	lookStep                  int
	pace                      pace
	lookWaited                time.Duration // for data, up to lastLook
	rate                      float64       // steps a second, smoothed
}

func (l *loop) total() int {
	if l.MaxSteps > 0 {
		return min(l.MaxSteps, l.Config.Iterations)
	}
	return l.Config.Iterations
}

func (l *loop) open(from *State) error {
	l.e = newEngine(l.Config, l.Network, l.Device)
	if err := l.e.objective.Check(); err != nil {
		return err
	}
	if from != nil {
		if err := l.e.restore(from); err != nil {
			return err
		}
		l.first, l.done = from.Step(), from.Step()
		l.losses = append(l.losses, from.Losses...)
		l.norms = append(l.norms, from.GradNorms...)
	}
	var err error
	if l.log, err = openMetrics(l.Folder.path(MetricsFile), l.Config, from); err != nil {
		return err
	}
	l.src, err = l.Open(l.done * l.Config.Accumulate)
	return err
}

func (l *loop) run(ctx context.Context) error {
	defer l.src.Close()
	l.Network.Train(true)
	l.start, l.lastLook, l.lookStep = time.Now(), time.Now(), l.done
	l.pace.note(l.done, 0)
	for l.done < l.total() {
		if ctx.Err() != nil {
			if err := l.save(); err != nil {
				return err
			}
			return &InterruptedError{l.done, context.Cause(ctx)}
		}
		if err := l.e.step(l.done, l.src); err != nil {
			return errors.Join(err, l.save())
		}
		l.done++
		if l.e.byTime != nil && l.done%TimeWindow == 0 {
			l.e.byTime.window()
		}
		if l.e.filled == l.e.slots || l.done == l.total() || time.Since(l.lastLook) >= l.interval() {
			if err := l.look(); err != nil {
				return errors.Join(err, l.save())
			}
		}
		if l.saveDue() {
			if err := l.save(); err != nil {
				return err
			}
		}
	}
	if n := l.done - l.first; n > 0 && l.row >= n { // not one of them was an update
		return errors.Join(&DivergedError{l.badSince}, l.save())
	}
	return l.save()
}

func (l *loop) interval() time.Duration {
	if l.Interval > 0 {
		return l.Interval
	}
	return time.Second
}

func (l *loop) saveDue() bool {
	if l.done == l.total() {
		return false // saved after the loop
	}
	if l.CheckpointEvery > 0 {
		return l.done%l.CheckpointEvery == 0
	}
	return time.Since(l.lastSave) >= 5*time.Minute
}

// look reads the device: losses and norms of the steps since the last time.
func (l *loop) look() error {
	losses, norms := l.e.read()
	l.pace.note(l.done, time.Since(l.start))
	at := l.done - len(losses) // steps before these
	var sum, sumNorm float64
	n := 0
	for i := range losses {
		if finite(losses[i]) && finite(norms[i]) {
			l.row = 0
			sum += float64(losses[i])
			sumNorm += float64(norms[i])
			n++
			continue
		}
		if l.row == 0 {
			l.badSince = at + i + 1
			l.note(fmt.Sprintf("step %d: the loss or its gradient is not finite; steps without an update follow", l.badSince))
		}
		l.row++
		l.skipped++
	}
	l.losses = append(l.losses, losses...)
	l.norms = append(l.norms, norms...)
	if err := l.log.add(losses, norms, l.e.timeLosses()); err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	now, waited := time.Now(), l.src.Waited()
	waiting := min(1, (waited-l.lookWaited).Seconds()/now.Sub(l.lastLook).Seconds())
	if steps := l.done - l.lookStep; steps > 0 {
		r := float64(steps) / now.Sub(l.lastLook).Seconds()
		if l.rate == 0 {
			l.rate = r
		} else {
			l.rate += (r - l.rate) * min(1, 0.1+float64(steps)/50)
		}
	}
	l.lastLook, l.lookStep, l.lookWaited = now, l.done, waited
	if l.Progress != nil && n > 0 {
		left := time.Duration(float64(l.total()-l.done) / l.rate * float64(time.Second))
		l.Progress(Progress{
			Step: l.done, Total: l.total(), Loss: sum / float64(n), GradNorm: sumNorm / float64(n),
			Rate: l.Config.Rate(l.done - 1), StepsPerSecond: l.rate, Waiting: waiting, Left: left,
		})
	}
	if l.row >= patience {
		return &DivergedError{l.badSince}
	}
	return nil
}

func (l *loop) note(s string) {
	if l.Note != nil {
		l.Note(s)
	}
}

// save writes the folder's files.
func (l *loop) save() error {
	var found error // a divergence, which is no reason to save nothing
	if l.e.filled > 0 {
		found = l.look()
	}
	if err := l.log.flush(); err != nil {
		found = errors.Join(found, fmt.Errorf("metrics: %w", err))
	}
	s, err := l.e.snapshot(l.record(), l.losses, l.norms)
	if err != nil {
		return errors.Join(found, fmt.Errorf("the run's state cannot be saved: %w", err))
	}
	if err := l.Folder.Save(s); err != nil {
		return errors.Join(found, err)
	}
	l.lastSave = time.Now()
	return found
}

func (l *loop) record() Record {
	network := l.Network.Config()
	return Record{
		Format: 1, Kind: network.Kind(), Model: mustJSON(network), Dataset: l.Dataset,
		Training: TrainingRecord{l.Config.Recipe, l.Config, l.done, l.Config.Seed},
		MadeBy:   map[string]string{"version": Version, "libtorch": torch.Version},
	}
}

func (l *loop) result() Result {
	clipped := 0
	for _, n := range l.norms {
		if l.Config.GradClip > 0 && float64(n) > l.Config.GradClip {
			clipped++
		}
	}
	return Result{
		Steps: len(l.losses), New: len(l.losses) - l.first, Losses: l.losses, GradNorms: l.norms, Skipped: l.skipped,
		Clipped: float64(clipped) / float64(max(1, len(l.norms))),
		Time:    time.Since(l.start), Waited: l.src.Waited(), TimeLosses: l.e.timeLosses(), Pace: l.pace.marks,
	}
}
