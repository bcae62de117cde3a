package trainer

import (
	"errors"
	"runtime"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/datasets"
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

// Data is a set as the data of a run: the images of one epoch after the other, or points that
// are never used twice.
func Data(s datasets.Set) Opener {
	return func(c Config, d torch.Device, start int) (Source, error) {
		b, err := s.Batches(datasets.BatchConfig{
			Size: c.BatchSize, Seed: c.Seed, Start: start, HorizontalFlip: c.HorizontalFlip, Cores: coresForData(d),
		})
		if err != nil {
			return nil, err
		}
		shape := []int64{int64(c.BatchSize)}
		for _, n := range s.Describe().Shape {
			shape = append(shape, int64(n))
		}
		if p, ok := c.pairing(); ok {
			return newCoupled(c, p, shape, d, start, b), nil
		}
		return &setSource{b, shape, d}, nil
	}
}

// coresForData is how many cores make batches. A GPU takes less time for a step of points
// than one core for drawing them; a processor has better to do.
func coresForData(d torch.Device) int {
	if d.IsCUDA() {
		return max(1, min(runtime.GOMAXPROCS(0)-1, 8))
	}
	return 1
}

// setSource hands the batches of a set to the device.
type setSource struct {
	datasets.Batches
	shape  []int64 // [B,...]
	device torch.Device
}

func (s *setSource) Batch() (out Batch, err error) {
	x, y, err := s.Next()
	if err != nil {
		return out, err
	}
	out.X1 = toDevice(torch.FromSlice(x, s.shape...), s.device) // a copy
	if y != nil {
		out.Y = toDevice(torch.FromSlice(y, s.shape[0]), s.device)
	}
	return out, nil
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
