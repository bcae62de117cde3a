package plane

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"flowmatch/datasets/set"
)

// Batches deals out fresh points, drawn a batch ahead: batch k has the points k*B to (k+1)*B
// of the stream that the seed names, so that none is used twice.
func (s *Set) Batches(c set.BatchConfig) (set.Batches, error) {
	if c.Size < 1 || c.Start < 0 {
		return nil, fmt.Errorf("batches of %d points from number %d on: at least 1, from 0 on", c.Size, c.Start)
	}
	const ahead = 2 // batches: one in use, one being drawn
	b := &batches{
		set: s, seed: c.Seed, cores: c.Cores,
		free: make(chan []float32, ahead), ready: make(chan []float32, ahead), failed: make(chan error, 1), quit: make(chan struct{}),
	}
	for range ahead {
		b.free <- make([]float32, 2*c.Size)
	}
	b.wg.Go(func() { b.draw(int64(c.Start) * int64(c.Size)) })
	return b, nil
}

type batches struct {
	set         *Set
	seed        int64
	cores       int
	free, ready chan []float32 // [B,2] each
	held        []float32      // with the caller
	failed      chan error
	waited      time.Duration

	quit chan struct{}
	once sync.Once
	wg   sync.WaitGroup
}

// draw fills free batches with the points of the set's stream, number next coming first.
func (b *batches) draw(next int64) {
	for {
		select {
		case <-b.quit:
			return
		case points := <-b.free:
			if !b.fill(points, next) {
				return
			}
			next += int64(len(points) / 2)
			b.ready <- points // never blocks: there are as many places as batches
		}
	}
}

// fill draws points: [n,2], number first coming first. Each depends on its number alone, so
// cores may share them. It is false where one of those failed.
func (b *batches) fill(points []float32, first int64) bool {
	const worthwhile = 512 // points
	n := len(points) / 2
	parts := max(1, min(b.cores, n/worthwhile))
	var done atomic.Int64
	var others sync.WaitGroup
	part := func(i int) {
		defer b.recovered()
		from, to := i*n/parts, (i+1)*n/parts
		b.set.Sample(points[2*from:2*to], b.seed, first+int64(from))
		done.Add(1)
	}
	for i := 1; i < parts; i++ {
		others.Go(func() { part(i) })
	}
	part(0)
	others.Wait()
	return done.Load() == int64(parts)
}

// recovered makes an error of a panic.
func (b *batches) recovered() {
	if v := recover(); v != nil {
		select {
		case b.failed <- &set.PanicError{Value: v, Stack: debug.Stack()}:
		default: // another was first
		}
	}
}

var errClosed = errors.New("plane: the batches are closed")

// Next: x: [B,2]; there are no classes.
func (b *batches) Next() (x []float32, _ []int64, err error) {
	if b.held != nil {
		b.free <- b.held
		b.held = nil
	}
	began := time.Now()
	select {
	case b.held = <-b.ready:
		b.waited += time.Since(began)
		return b.held, nil, nil
	case err := <-b.failed:
		return nil, nil, err
	case <-b.quit:
		return nil, nil, errClosed
	}
}

func (b *batches) Waited() time.Duration { return b.waited }

func (b *batches) Close() {
	b.once.Do(func() { close(b.quit) })
	b.wg.Wait()
}
