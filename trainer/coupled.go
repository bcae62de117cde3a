package trainer

import (
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/datasets"
	"flowmatch/datasets/plane"
	"flowmatch/flow"
)

// coupledSource gives pairs of noise and data of a coupling. Each batch is paired
// by a goroutine of its own, some of them ahead of the steps: an assignment may
// take longer than a step. Nothing depends on which is done first.
type coupledSource struct {
	pairing flow.Pairing
	seed    int64 // of the noise
	shape   []int64
	device  torch.Device

	queue  chan chan coupledBatch // in the order of the batches
	quit   chan struct{}
	once   sync.Once
	wg     sync.WaitGroup
	stop   func() // ends the data
	waited time.Duration
}

// coupledBatch is a batch in memory, the noise in the data's order.
type coupledBatch struct {
	x0, x1 []float32 // [B,...]
	y      []int64   // [B], or nil
	err    error
}

// newCoupled pairs the data of next, which is called by one goroutine: x1: [B,...],
// its own, and y: [B] or nil. shape is [B,...]. Batch start comes first.
func newCoupled(c Config, p flow.Pairing, shape []int64, d torch.Device, start int, next func() ([]float32, []int64, error), stop func()) Source {
	s := &coupledSource{
		pairing: p, seed: int64(flow.Mix(uint64(c.Seed), drawCoupled) >> 1), shape: shape, device: d, stop: stop,
		queue: make(chan chan coupledBatch, runtime.GOMAXPROCS(0)), quit: make(chan struct{}),
	}
	s.wg.Go(func() { s.deal(int64(start), next) })
	return s
}

// deal has batches paired, number start coming first.
func (s *coupledSource) deal(start int64, next func() ([]float32, []int64, error)) {
	for m := start; ; m++ {
		place := make(chan coupledBatch, 1)
		b := coupledBatch{}
		b.err = unpanicked(func() (err error) {
			b.x1, b.y, err = next()
			return err
		})
		failed := b.err != nil
		if failed {
			place <- b
		} else {
			s.wg.Go(func() {
				b.err = unpanicked(func() error { s.pair(&b, m); return nil })
				place <- b // never blocks: it has a place
			})
		}
		select {
		case s.queue <- place:
		case <-s.quit:
			return
		}
		if failed {
			return
		}
	}
}

// pair draws the noise of batch m, a function of the seed and the sample's number,
// and puts it in the order of the data.
func (s *coupledSource) pair(b *coupledBatch, m int64) {
	n := int(s.shape[0])
	dim := len(b.x1) / n
	x0 := make([]float32, len(b.x1))
	for i := range n {
		flow.Noise(x0[i*dim:(i+1)*dim], s.seed, m*int64(n)+int64(i))
	}
	b.x0 = make([]float32, len(x0))
	for i, j := range s.pairing.Pair(x0, b.x1, n, b.y) {
		copy(b.x0[i*dim:(i+1)*dim], x0[int(j)*dim:])
	}
}

func unpanicked(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &datasets.PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return f()
}

func (s *coupledSource) Batch() (out Batch, err error) {
	begin := time.Now()
	b := <-<-s.queue
	s.waited += time.Since(begin)
	if b.err != nil {
		return out, b.err
	}
	out.X0, out.X1 = toDevice(torch.FromSlice(b.x0, s.shape...), s.device), toDevice(torch.FromSlice(b.x1, s.shape...), s.device)
	if b.y != nil {
		out.Y = toDevice(torch.FromSlice(b.y, s.shape[0]), s.device)
	}
	return out, nil
}

func (s *coupledSource) Waited() time.Duration { return s.waited }

func (s *coupledSource) Close() {
	s.once.Do(func() {
		close(s.quit)
		s.stop()
	})
	s.wg.Wait()
}

// coupledImages pairs the batches of a loader.
func coupledImages(c Config, p flow.Pairing, l *datasets.Loader, shape []int64, d torch.Device, start int) Source {
	return newCoupled(c, p, shape, d, start, func() ([]float32, []int64, error) {
		b, err := l.Next()
		if err != nil {
			return nil, nil, err
		}
		defer b.Release()
		return slices.Clone(b.X), slices.Clone(b.Y), nil
	}, l.Close)
}

// coupledPoints pairs fresh points of a set.
func coupledPoints(c Config, p flow.Pairing, set *plane.Set, d torch.Device, start int) Source {
	next := int64(start) * int64(c.BatchSize)
	return newCoupled(c, p, []int64{int64(c.BatchSize), 2}, d, start, func() ([]float32, []int64, error) {
		points := make([]float32, 2*c.BatchSize)
		set.Sample(points, c.Seed, next)
		next += int64(c.BatchSize)
		return points, nil, nil
	}, func() {})
}
