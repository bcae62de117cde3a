package trainer

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/flow"
)

// MemoryError ends a run whose steps need more memory than there is.
type MemoryError struct {
	Err   *torch.Error // what failed
	Batch int          // samples that were to go through the network together
	Fits  int          // the most of those tried that went through; 0: not known, or none
	None  bool         // not even one did
}

func (e *MemoryError) Error() string {
	switch {
	case e.Fits > 0:
		return fmt.Sprintf("%d samples do not go through the network together, %d do", e.Batch, e.Fits)
	case e.None:
		return "not even one sample goes through the network"
	}
	return e.Err.Error()
}

func (e *MemoryError) Unwrap() error { return e.Err }

// explain makes a *MemoryError of an error for want of memory: it tries which
// batches go through the network.
func (l *loop) explain(ctx context.Context, err error) error {
	var te *torch.Error
	if !errors.As(err, &te) || !te.OutOfMemory {
		return err
	}
	if !l.Device.IsCUDA() && addressesAreLimited() {
		// Where addresses run out Go itself may get no memory for the search.
		return &MemoryError{Err: te, Batch: l.Config.BatchSize}
	}
	l.e.forget() // it holds the memory of a whole step
	fits, none := l.fits(ctx)
	return &MemoryError{te, l.Config.BatchSize, fits, none}
}

// fits bisects for some seconds, with samples of zeros. Nothing is found where
// the whole batch goes through: then it was not the step that failed.
func (l *loop) fits(ctx context.Context) (fits int, none bool) {
	start := time.Now()
	try := func(n int) bool {
		torch.EmptyCache() // blocks that are kept are in the way of others
		if l.Device.IsCUDA() {
			torch.CUDAEmptyCache()
		}
		return torch.Try(func() {
			torch.Scoped(func() {
				torch.ZeroGrad(l.e.params)
				l.heaviest(n)
				torch.GradNorm(l.e.params)
				torch.Synchronize(l.Device)
			})
		}) == nil
	}
	defer torch.Try(func() { torch.ZeroGrad(l.e.params) })
	if !try(1) {
		return 0, true
	}
	low, high := 1, l.Config.BatchSize
	if high == 1 || ctx.Err() != nil || try(high) {
		return 0, false
	}
	for high-low > max(1, l.Config.BatchSize/32) && time.Since(start) < 10*time.Second && ctx.Err() == nil {
		if mid := (low + high) / 2; try(mid) {
			low = mid
		} else {
			high = mid
		}
	}
	// A step of the run needs a little more than the last that was tried, since
	// blocks lie otherwise: one width of the search less.
	low = max(1, low-l.Config.BatchSize/32)
	if low > 8 {
		low -= low % 8
	}
	return low, false
}

// heaviest takes as much memory as a batch of n samples can: parts of it that go
// through the network at once may each be at their most at the same moment, and
// mostly are not. One part goes through it while the others' most is held.
func (l *loop) heaviest(n int) {
	through := func(n int) {
		b, err := l.e.draw(0, &zeros{l.Network.Config().SampleShape(), n, l.e.classes, l.Device})
		if err != nil {
			panic(&torch.Error{Op: "fits", Msg: err.Error()})
		}
		flow.Loss(l.e.velocity(b), b.u).Backward()
	}
	parts := int(l.e.parts(int64(n)))
	part := (n + parts - 1) / parts
	if parts == 1 {
		through(n)
		return
	}
	var most int64
	torch.Scoped(func() {
		torch.ResetPeak()
		before := torch.Stats().BytesUsed
		through(part)
		most = torch.Stats().BytesPeak - before
	})
	torch.ZeroGrad(l.e.params)
	torch.Empty([]int64{(most*int64(parts-1) + 3) / 4}, false) // float32, until the scope's end
	through(part)
}

// addressesAreLimited tells whether the process may map only so much memory (ulimit -v, ulimit -d).
func addressesAreLimited() bool {
	const unlimited = ^uint64(0)
	for _, resource := range []int{syscall.RLIMIT_AS, syscall.RLIMIT_DATA} {
		var l syscall.Rlimit
		if syscall.Getrlimit(resource, &l) == nil && l.Cur != unlimited {
			return true
		}
	}
	return false
}

// zeros is data of one size and no content.
type zeros struct {
	shape   []int64
	n       int
	classes bool
	device  torch.Device
}

func (z *zeros) Batch() (b Batch, err error) {
	shape := append([]int64{int64(z.n)}, z.shape...)
	b.X1 = torch.Zeros(shape, torch.Options{Device: z.device})
	if z.classes {
		b.Y = torch.Zeros(shape[:1], torch.Options{Device: z.device, Dtype: torch.Long})
	}
	return b, nil
}

func (z *zeros) Waited() time.Duration { return 0 }
func (z *zeros) Close()                {}
