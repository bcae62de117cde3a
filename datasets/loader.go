package datasets

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"flowmatch/datasets/set"
)

// LoaderConfig says how batches are dealt. Only BatchSize must be set.
type LoaderConfig struct {
	BatchSize int   // images a batch; at most as many as the set has
	Seed      int64 // decides the order, with the epoch
	StartStep int   // batches already used by the run: the first batch is this one; default 0
	Workers   int   // goroutines that put batches together; default 1
	Prefetch  int   // buffers, so batches prepared ahead and in use; default Workers + 2

	// HorizontalFlip mirrors each image with probability 1/2, decided by
	// (Seed, step): augmentation too is the same after a resume.
	HorizontalFlip bool
}

// Batch is what one step trains on. It belongs to the caller until Release.
type Batch struct {
	Step  int       // its number in the run, from 0
	X     []float32 // [B,C,H,W] in [-1,1]
	Y     []int64   // [B] classes; nil for a set without classes
	Index []int32   // [B] which images of the set these are

	loader *Loader
	held   atomic.Bool
	err    error
}

// Release gives the batch's memory back to the loader, which fills it again. A
// second Release does nothing.
func (b *Batch) Release() {
	if b.held.CompareAndSwap(true, false) {
		b.loader.holding.Add(-1)
		b.loader.free <- b // never blocks: there are as many places as batches
	}
}

// ErrClosed is what Next gives after Close.
var ErrClosed = errors.New("datasets: the loader is closed")

// Loader deals a set out in batches that goroutines prepare ahead.
//
// There are as many batches as Prefetch says. A worker takes a free one, then the
// next step's number, fills the batch and puts it in the place of that number
// (modulo Prefetch); Next waits at the place of the step that is due. As a number
// is taken only with a batch in hand, fewer steps are under way than there are
// places, so nobody ever waits for a place, and the order is the numbers'.
type Loader struct {
	images   *Images
	cfg      LoaderConfig
	perEpoch int
	table    *[256]float32

	free    chan *Batch
	ready   []chan *Batch
	claimed atomic.Int64 // the next step that no worker has taken
	holding atomic.Int64 // batches with the caller
	waited  atomic.Int64 // nanoseconds that Next spent waiting

	due    int // the next step to hand out
	mu     sync.Mutex
	orders map[int][]int32 // epoch -> permutation, the newest few

	quit   chan struct{}
	once   sync.Once
	wg     sync.WaitGroup
	broken func(step int) // for tests: called before a batch is filled
}

// NewLoader starts the workers. Close stops them.
func NewLoader(images *Images, cfg LoaderConfig) (*Loader, error) {
	n := images.Len()
	switch {
	case cfg.BatchSize <= 0:
		return nil, fmt.Errorf("batch size %d: must be at least 1", cfg.BatchSize)
	case cfg.BatchSize > n:
		return nil, fmt.Errorf("batch size %d is larger than the set: %s has %d %s; use at most that", cfg.BatchSize, images.Name, n, set.Noun(n, "image"))
	case cfg.StartStep < 0:
		return nil, fmt.Errorf("start step %d: must not be negative", cfg.StartStep)
	}
	if fault := images.check(); fault != "" {
		return nil, fmt.Errorf("%s: %s", images.Name, fault)
	}
	l := newLoader(images, cfg)
	l.start()
	return l, nil
}

func newLoader(images *Images, cfg LoaderConfig) *Loader {
	cfg.Workers = max(1, cfg.Workers)
	if cfg.Prefetch <= 0 {
		cfg.Prefetch = cfg.Workers + 2
	}
	l := &Loader{
		images:   images,
		cfg:      cfg,
		perEpoch: StepsPerEpoch(images.Len(), cfg.BatchSize),
		table:    images.scale(),
		free:     make(chan *Batch, cfg.Prefetch),
		ready:    make([]chan *Batch, cfg.Prefetch),
		due:      cfg.StartStep,
		orders:   map[int][]int32{},
		quit:     make(chan struct{}),
	}
	l.claimed.Store(int64(cfg.StartStep))
	for i := range l.ready {
		l.ready[i] = make(chan *Batch, 1)
		b := &Batch{
			X:      make([]float32, cfg.BatchSize*images.Dim()),
			Index:  make([]int32, cfg.BatchSize),
			loader: l,
		}
		if images.Labels != nil {
			b.Y = make([]int64, cfg.BatchSize)
		}
		l.free <- b
	}
	return l
}

func (l *Loader) start() {
	for range l.cfg.Workers {
		l.wg.Go(l.work)
	}
}

// StepsPerEpoch is how many whole batches an epoch has.
func StepsPerEpoch(images, batchSize int) int { return images / batchSize }

// StepsPerEpoch is how many batches this loader's epochs have.
func (l *Loader) StepsPerEpoch() int { return l.perEpoch }

// Next is the batch of the next step, waiting for it if need be. It is for one
// goroutine. Release each batch once it is used; a caller that keeps Prefetch of
// them gets an error instead of a wait without end.
func (l *Loader) Next() (*Batch, error) {
	select {
	case <-l.quit:
		return nil, ErrClosed
	default:
	}
	if l.holding.Load() >= int64(l.cfg.Prefetch) {
		return nil, fmt.Errorf("datasets: all %d batches are with the caller: release one first", l.cfg.Prefetch)
	}
	place := l.ready[l.due%l.cfg.Prefetch]
	var b *Batch
	select {
	case b = <-place:
	default:
		began := time.Now()
		select {
		case b = <-place:
		case <-l.quit:
			return nil, ErrClosed
		}
		l.waited.Add(int64(time.Since(began)))
	}
	l.due++
	l.holding.Add(1)
	b.held.Store(true)
	if err := b.err; err != nil {
		b.Release()
		return nil, err
	}
	return b, nil
}

// Waited is the time that Next has spent waiting for workers.
func (l *Loader) Waited() time.Duration { return time.Duration(l.waited.Load()) }

// Close stops the workers and waits until they are gone. Batches with the caller
// stay readable. Closing twice is harmless.
func (l *Loader) Close() {
	l.once.Do(func() { close(l.quit) })
	l.wg.Wait()
}

func (l *Loader) work() {
	for {
		select {
		case <-l.quit:
			return
		case b := <-l.free:
			step := int(l.claimed.Add(1) - 1)
			b.err = l.fill(b, step)
			l.ready[step%len(l.ready)] <- b // never blocks, see Loader
		}
	}
}

// fill puts step's batch together. A panic comes back as an error.
func (l *Loader) fill(b *Batch, step int) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	if l.broken != nil {
		l.broken(step)
	}
	b.Step = step
	size := l.cfg.BatchSize
	first := step % l.perEpoch * size
	copy(b.Index, l.order(step / l.perEpoch)[first:first+size])

	d := l.images.Dim()
	for j, i := range b.Index {
		at := int(i) * d
		normalise(b.X[j*d:(j+1)*d], l.images.Pixels[at:at+d], l.table)
		if b.Y != nil {
			b.Y[j] = int64(l.images.Labels[i])
		}
	}
	if l.cfg.HorizontalFlip {
		flip(b.X, size, l.images.Shape, l.cfg.Seed, step)
	}
	return nil
}

// order is an epoch's permutation. Workers may be on both sides of an epoch's
// border, so the newest few are kept; any other is drawn again.
func (l *Loader) order(epoch int) []int32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if perm, ok := l.orders[epoch]; ok {
		return perm
	}
	const kept = 4
	for old := range l.orders {
		if old <= epoch-kept {
			delete(l.orders, old)
		}
	}
	perm := Permutation(l.images.Len(), l.cfg.Seed, epoch)
	l.orders[epoch] = perm
	return perm
}
