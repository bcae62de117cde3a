package page

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	torch "github.com/wangkuiyi/gotorch"
)

func newWorker(t *testing.T) *Worker {
	t.Helper()
	w, err := NewWorker(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

// held keeps the worker busy until its context ends or release is called.
func held(w *Worker, lane string, u Urgency) (ended chan error, release func()) {
	ended = make(chan error, 1)
	started, free := make(chan struct{}), make(chan struct{})
	go func() {
		ended <- w.Do(context.Background(), lane, u, func(ctx context.Context) error {
			close(started)
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-free:
				return nil
			}
		})
	}()
	<-started
	return ended, sync.OnceFunc(func() { close(free) })
}

func (w *Worker) waitFor(t *testing.T, n int) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		w.mu.Lock()
		have := len(w.waiting)
		w.mu.Unlock()
		if have == n {
			return
		}
	}
	t.Fatalf("there are not %d jobs waiting", n)
}

// The newest request of a lane wins, over one that runs and over those that wait; other
// lanes are left alone.
func TestNewestWins(t *testing.T) {
	w := newWorker(t)
	running, _ := held(w, "a", Stream)
	var did []string
	do := func(name, lane string) chan error {
		ended := make(chan error, 1)
		go func() {
			ended <- w.Do(context.Background(), lane, Stream, func(context.Context) error {
				did = append(did, name)
				return nil
			})
		}()
		return ended
	}
	other, release := held2(t, w, running)
	second := do("second", "a")
	w.waitFor(t, 1)
	third := do("third", "a")
	if err := <-second; !errors.Is(err, ErrSuperseded) {
		t.Errorf("the second of the lane: %v", err)
	}
	w.waitFor(t, 1)
	release()
	if err := <-third; err != nil {
		t.Errorf("the third of the lane: %v", err)
	}
	if err := <-other; err != nil {
		t.Errorf("another lane: %v", err)
	}
	if !slices.Equal(did, []string{"third"}) {
		t.Errorf("done: %q", did)
	}
}

// held2 takes the place of the job that runs, in whose lane it puts a newer one.
func held2(t *testing.T, w *Worker, running chan error) (other chan error, release func()) {
	t.Helper()
	newer := make(chan error, 1)
	go func() {
		newer <- w.Do(context.Background(), "a", Stream, func(context.Context) error { return nil })
	}()
	if err := <-running; !errors.Is(err, ErrSuperseded) {
		t.Errorf("the one that ran: %v", err)
	}
	if err := <-newer; err != nil {
		t.Errorf("the newer one: %v", err)
	}
	return held(w, "b", Stream)
}

// The more urgent goes first, and in the middle of a long one where that breathes.
func TestUrgency(t *testing.T) {
	w := newWorker(t)
	var did []string
	var jobs sync.WaitGroup
	do := func(name string, u Urgency) {
		jobs.Go(func() {
			err := w.Do(context.Background(), name, u, func(context.Context) error {
				did = append(did, name)
				return nil
			})
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	started, queued := make(chan struct{}), make(chan struct{})
	jobs.Go(func() {
		_ = w.Do(context.Background(), "long", Stream, func(context.Context) error {
			close(started)
			<-queued
			did = append(did, "long begins")
			w.Breathe()
			did = append(did, "long ends")
			return nil
		})
	})
	<-started
	do("training", Training)
	w.waitFor(t, 1)
	do("measure", Measure)
	w.waitFor(t, 2)
	do("click", Instant)
	w.waitFor(t, 3)
	do("stream", Stream)
	w.waitFor(t, 4)
	close(queued)
	jobs.Wait()
	want := []string{"long begins", "click", "long ends", "stream", "measure", "training"}
	if !slices.Equal(did, want) {
		t.Errorf("done in the order %q, want %q", did, want)
	}
}

// A job that computes on several cores may breathe on any of them.
func TestBreatheOnAnotherCore(t *testing.T) {
	w := newWorker(t)
	var did []string
	var jobs sync.WaitGroup
	started, queued := make(chan struct{}), make(chan struct{})
	jobs.Go(func() {
		err := w.Do(context.Background(), "long", Stream, func(context.Context) error {
			close(started)
			<-queued
			torch.Parallel(2, func(i int) {
				if i == 1 {
					w.Breathe()
				}
			})
			did = append(did, "long ends")
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-started
	kept := torch.Tensor{}
	jobs.Go(func() {
		err := w.Do(context.Background(), "click", Instant, func(context.Context) error {
			kept = torch.FromSlice([]float32{1, 2}, 2)
			did = append(did, "click")
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	w.waitFor(t, 1)
	close(queued)
	jobs.Wait()
	if !slices.Equal(did, []string{"click", "long ends"}) {
		t.Errorf("done in the order %q", did)
	}
	if got := torch.ToSlice[float32](kept); !slices.Equal(got, []float32{1, 2}) {
		t.Errorf("what the click made is %v afterwards", got)
	}
}

// What a newer request has taken the place of is answered without an error.
func TestSupersededAnswer(t *testing.T) {
	s := newServer(t, Options{})
	_, release := held(s.worker, "held", Instant)
	defer release()
	h := s.Handler()
	old := make(chan int, 1)
	const body = `{"models":["cfm/moons"],"points":[{"x":0,"y":0,"t":0}],"method":"euler","steps":1}`
	go func() { old <- ask(h, request("POST", "/api/paths", body, nil)).Code }()
	s.worker.waitFor(t, 1)
	newer := make(chan int, 1)
	go func() { newer <- ask(h, request("POST", "/api/paths", body, nil)).Code }()
	if code := <-old; code != 204 {
		t.Errorf("the older one: %d", code)
	}
	release()
	if code := <-newer; code != 200 {
		t.Errorf("the newer one: %d", code)
	}
}

// A job whose caller has gone is not run, and a panic of one is an error of it alone.
func TestWorkerGoesOn(t *testing.T) {
	w := newWorker(t)
	ended, release := held(w, "a", Stream)
	ctx, cancel := context.WithCancel(context.Background())
	gone := make(chan error, 1)
	go func() {
		gone <- w.Do(ctx, "b", Instant, func(context.Context) error { t.Error("a job was run for nobody"); return nil })
	}()
	w.waitFor(t, 1)
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("whose caller has gone: %v", err)
	}
	release()
	<-ended
	err := w.Do(context.Background(), "c", Stream, func(context.Context) error { panic("a fault") })
	if err == nil || !strings.Contains(err.Error(), "a fault") {
		t.Errorf("a panic: %v", err)
	}
	if err := w.Do(context.Background(), "c", Stream, func(context.Context) error { return nil }); err != nil {
		t.Errorf("after a panic: %v", err)
	}
}

func TestTooManyWait(t *testing.T) {
	w := newWorker(t)
	_, release := held(w, "held", Stream)
	var jobs sync.WaitGroup
	for i := range mostWaiting {
		jobs.Go(func() {
			_ = w.Do(context.Background(), itoa(i), Stream, func(context.Context) error { return nil })
		})
	}
	w.waitFor(t, mostWaiting)
	if err := w.Do(context.Background(), "more", Instant, nil); !errors.Is(err, errBusy) {
		t.Errorf("one too many: %v", err)
	}
	release()
	jobs.Wait()
}

func TestWorkerInit(t *testing.T) {
	if _, err := NewWorker(func() error { return errors.New("no libtorch") }); err == nil {
		t.Error("a worker that cannot begin")
	}
}

// A reader who does not read ends the job, and holds nobody up.
func TestSlowReader(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	s := newStream(cancel)
	frame := Floats(make([]float32, 1<<20))
	for range 20 {
		s.send("frame", frame)
	}
	if !errors.Is(context.Cause(ctx), errSlow) {
		t.Errorf("100 MB unread: %v", context.Cause(ctx))
	}
	if s.size > 2*mostUnread {
		t.Errorf("%d bytes are kept for nobody", s.size)
	}
}
