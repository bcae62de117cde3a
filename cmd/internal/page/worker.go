package page

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/cli"
)

// Urgency orders jobs: the greater goes first.
type Urgency int

// The urgencies.
const (
	Training Urgency = iota // minutes
	Measure                 // seconds
	Stream                  // what is being watched as it comes
	Instant                 // what a click waits for
)

// ErrSuperseded ends a job whose lane has got a newer one.
var ErrSuperseded = errors.New("a newer request took its place")

// errBusy refuses a job where too many wait already.
var errBusy = errors.New("too many requests are waiting")

// mostWaiting is how many jobs may wait.
const mostWaiting = 64

// Worker does jobs one after the other on one thread. It alone calls libtorch, but for the
// cores that share the samples of the job that goes on.
type Worker struct {
	mu      sync.Mutex
	wake    chan struct{} // of one place
	waiting []*job
	running []*job // those that breathe, and last the one that goes on
	quit    chan struct{}
	once    sync.Once // quit is closed
	done    chan struct{}
}

type job struct {
	lane    string
	urgency Urgency
	ctx     context.Context
	cancel  context.CancelCauseFunc
	run     func(context.Context) error
	ended   chan error // of one place
}

// NewWorker starts a worker. Its thread begins with init, if that is not nil; an error
// of it is NewWorker's.
func NewWorker(init func() error) (*Worker, error) {
	w := &Worker{wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{})}
	ready := make(chan error, 1)
	go func() {
		defer close(w.done)
		runtime.LockOSThread()
		if init != nil {
			if err := cli.Guard(init); err != nil {
				ready <- err
				return
			}
		}
		ready <- nil
		w.loop()
	}()
	return w, <-ready
}

// Close ends all jobs and waits for that.
func (w *Worker) Close() {
	w.once.Do(func() { close(w.quit) })
	w.mu.Lock()
	for _, j := range append(slices.Clone(w.running), w.waiting...) {
		j.cancel(context.Canceled)
	}
	w.mu.Unlock()
	<-w.done
}

// Do has run done by the worker and waits for its end. A job of the same lane that runs
// or waits ends with ErrSuperseded. run must look at its context now and then.
func (w *Worker) Do(ctx context.Context, lane string, u Urgency, run func(context.Context) error) error {
	j := &job{lane: lane, urgency: u, run: run, ended: make(chan error, 1)}
	j.ctx, j.cancel = context.WithCancelCause(ctx)
	defer j.cancel(nil)
	if err := w.put(j); err != nil {
		return err
	}
	select {
	case err := <-j.ended:
		return err
	case <-j.ctx.Done():
		if w.takeBack(j) {
			return context.Cause(j.ctx)
		}
		return <-j.ended // it runs, and may use what is the caller's
	case <-w.done:
		return context.Canceled
	}
}

func (w *Worker) put(j *job) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, old := range append(slices.Clone(w.running), w.waiting...) {
		if old.lane == j.lane {
			old.cancel(ErrSuperseded)
		}
	}
	if len(w.waiting) >= mostWaiting {
		return errBusy
	}
	w.waiting = append(w.waiting, j)
	select {
	case w.wake <- struct{}{}:
	default:
	}
	return nil
}

// Occupied tells whether a job of another lane and such an urgency goes on or waits.
func (w *Worker) Occupied(lane string, u Urgency) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(append(slices.Clone(w.running), w.waiting...), func(j *job) bool { return j.urgency == u && j.lane != lane })
}

// takeBack tells whether j still waited; then it never runs.
func (w *Worker) takeBack(j *job) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.waiting, j)
	if i < 0 {
		return false
	}
	w.waiting = slices.Delete(w.waiting, i, i+1)
	return true
}

// next takes the most urgent of the jobs at or above least, of equal ones the oldest.
func (w *Worker) next(least Urgency) *job {
	w.mu.Lock()
	defer w.mu.Unlock()
	best := -1
	for i, j := range w.waiting {
		if j.urgency >= least && (best < 0 || j.urgency > w.waiting[best].urgency) {
			best = i
		}
	}
	if best < 0 {
		return nil
	}
	j := w.waiting[best]
	w.waiting = slices.Delete(w.waiting, best, best+1)
	w.running = append(w.running, j)
	return j
}

func (w *Worker) loop() {
	for {
		if j := w.next(Training); j != nil {
			w.do(j, func(f func()) { f() })
			continue
		}
		select {
		case <-w.wake:
		case <-w.quit:
			return
		}
	}
}

// Breathe does the jobs that wait and are more urgent than the one that calls it. That may
// call it on any core, but on one at a time: others meanwhile touch no models.
func (w *Worker) Breathe() {
	w.mu.Lock()
	least := w.running[len(w.running)-1].urgency + 1
	w.mu.Unlock()
	for j := w.next(least); j != nil; j = w.next(least) {
		w.do(j, torch.Outside) // not in the scope of the one that breathes
	}
}

func (w *Worker) do(j *job, within func(func())) {
	err := context.Cause(j.ctx)
	if err == nil {
		err = cli.Guard(func() (err error) {
			within(func() { err = j.run(j.ctx) })
			return err
		})
		if cause := context.Cause(j.ctx); err != nil && cause != nil {
			err = cause
		}
	}
	w.mu.Lock()
	w.running = w.running[:len(w.running)-1]
	w.mu.Unlock()
	j.ended <- err
}
