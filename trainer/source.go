package trainer

import (
	"errors"
	"runtime/debug"
	"sync"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/datasets"
	"flowmatch/datasets/plane"
)

// Batch is the data of a step, on the device.
type Batch struct {
	X1 torch.Tensor // [B,...]
	Y  torch.Tensor // [B] int64, or the zero Tensor where there are no classes
	// X0 is the noise that X1 comes from, [B,...], where the pairs are a
	// teacher's or a coupling's; the zero Tensor where it is to be drawn.
	X0 torch.Tensor
}

// Source gives the data of a run, in order from the step it was opened at.
type Source interface {
	// Batch is the next batch. It is called within a scope.
	Batch() (Batch, error)
	// Waited is the time that Batch has spent waiting for data.
	Waited() time.Duration
	Close()
}

// Opener gives the data of a run on a device, batch start coming first. The
// configuration decides the batches.
type Opener func(c Config, d torch.Device, start int) (Source, error)

// imageSource hands the batches of a loader to the device.
type imageSource struct {
	loader *datasets.Loader
	shape  []int64
	device torch.Device
}

// Images is a set of images as the data of a run.
func Images(im *datasets.Images) Opener {
	return func(c Config, d torch.Device, start int) (Source, error) { return newImageSource(im, c, d, start) }
}

func newImageSource(im *datasets.Images, c Config, device torch.Device, start int) (Source, error) {
	l, err := datasets.NewLoader(im, datasets.LoaderConfig{
		BatchSize: c.BatchSize, Seed: c.Seed, StartStep: start, HorizontalFlip: c.HorizontalFlip,
	})
	if err != nil {
		return nil, err
	}
	s := im.Shape
	shape := []int64{int64(c.BatchSize), int64(s[0]), int64(s[1]), int64(s[2])}
	if p, ok := c.pairing(); ok {
		return coupledImages(c, p, l, shape, device, start), nil
	}
	return &imageSource{l, shape, device}, nil
}

func (s *imageSource) Batch() (out Batch, err error) {
	b, err := s.loader.Next()
	if err != nil {
		return out, err
	}
	defer b.Release()
	out.X1 = toDevice(torch.FromSlice(b.X, s.shape...), s.device)
	if b.Y != nil {
		out.Y = toDevice(torch.FromSlice(b.Y, s.shape[0]), s.device)
	}
	return out, nil
}

func (s *imageSource) Waited() time.Duration { return s.loader.Waited() }
func (s *imageSource) Close()                { s.loader.Close() }

// pointSource draws fresh points for every step, one batch ahead.
type pointSource struct {
	set         *plane.Set
	seed        int64
	device      torch.Device
	free, ready chan []float32 // [B,2] each
	failed      chan error
	waited      time.Duration

	quit chan struct{}
	once sync.Once
	wg   sync.WaitGroup
}

// Points is a set of points of the plane as the data of a run: points are never used
// twice.
func Points(set *plane.Set) Opener {
	return func(c Config, d torch.Device, start int) (Source, error) {
		return newPointSource(set, c, d, start), nil
	}
}

func newPointSource(set *plane.Set, c Config, device torch.Device, start int) Source {
	if p, ok := c.pairing(); ok {
		return coupledPoints(c, p, set, device, start)
	}
	const ahead = 2 // batches: one in use, one being drawn
	s := &pointSource{
		set: set, seed: c.Seed, device: device,
		free: make(chan []float32, ahead), ready: make(chan []float32, ahead),
		failed: make(chan error, 1), quit: make(chan struct{}),
	}
	for range ahead {
		s.free <- make([]float32, 2*c.BatchSize)
	}
	s.wg.Go(func() { s.draw(int64(start) * int64(c.BatchSize)) })
	return s
}

// draw fills free batches with the points of the set's stream, number next coming
// first.
func (s *pointSource) draw(next int64) {
	defer func() {
		if v := recover(); v != nil {
			s.failed <- &datasets.PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	for {
		select {
		case <-s.quit:
			return
		case points := <-s.free:
			s.set.Sample(points, s.seed, next)
			next += int64(len(points) / 2)
			s.ready <- points // never blocks: there are as many places as batches
		}
	}
}

// Batch: X1: [B,2].
func (s *pointSource) Batch() (Batch, error) {
	begin := time.Now()
	select {
	case points := <-s.ready:
		s.waited += time.Since(begin)
		x1 := torch.FromSlice(points, int64(len(points)/2), 2) // a copy
		s.free <- points
		return Batch{X1: toDevice(x1, s.device)}, nil
	case err := <-s.failed:
		return Batch{}, err
	}
}

func (s *pointSource) Waited() time.Duration { return s.waited }

func (s *pointSource) Close() {
	s.once.Do(func() { close(s.quit) })
	s.wg.Wait()
}

// toDevice moves a tensor without waiting for the steps that the device has still
// to do.
func toDevice(t torch.Tensor, device torch.Device) torch.Tensor {
	if !device.IsCUDA() {
		return t
	}
	pinned := t
	err := torch.Try(func() { pinned = t.PinMemory() })
	var lack *torch.Error
	if err != nil && !(errors.As(err, &lack) && lack.OutOfMemory) {
		panic(err)
	}
	return pinned.ToAsync(device) // which waits where there is no page-locked memory left
}
