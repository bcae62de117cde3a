package trainer

import (
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/datasets"
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
	data   datasets.Batches
	waited time.Duration
}

// coupledBatch is a batch in memory, the noise in the data's order.
type coupledBatch struct {
	x0, x1 []float32 // [B,...]
	y      []int64   // [B], or nil
	err    error
}

// newCoupled pairs batches of data, of which number start comes first, with noise. shape is
// [B,...].
func newCoupled(c Config, p flow.Pairing, shape []int64, d torch.Device, start int, data datasets.Batches) Source {
	s := &coupledSource{
		pairing: p, seed: int64(flow.Mix(uint64(c.Seed), drawCoupled) >> 1), shape: shape, device: d, data: data,
		queue: make(chan chan coupledBatch, runtime.GOMAXPROCS(0)), quit: make(chan struct{}),
	}
	s.wg.Go(func() { s.deal(int64(start)) })
	return s
}

// deal has batches paired, number start coming first.
func (s *coupledSource) deal(start int64) {
	for m := start; ; m++ {
		place := make(chan coupledBatch, 1)
		b := coupledBatch{}
		b.err = unpanicked(func() (err error) {
			x, y, err := s.data.Next()
			b.x1, b.y = slices.Clone(x), slices.Clone(y)
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
		s.data.Close()
	})
	s.wg.Wait()
}
