package trainer

import (
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/datasets"
)

// Source gives the data of a run, in order from the step it was opened at.
type Source interface {
	// Batch is the next batch on the device: x1: [B,...], y: [B] int64, or the
	// zero Tensor where there are no classes. It is called within a scope.
	Batch() (x1, y torch.Tensor, err error)
	// Waited is the time that Batch has spent waiting for data.
	Waited() time.Duration
	Close()
}

// imageSource hands the batches of a loader to the device.
type imageSource struct {
	loader *datasets.Loader
	shape  []int64
	device torch.Device
}

// Images opens a set of images as a source, batch start coming first.
func Images(im *datasets.Images, c Config, device torch.Device, start int) (Source, error) {
	l, err := datasets.NewLoader(im, datasets.LoaderConfig{
		BatchSize: c.BatchSize, Seed: c.Seed, StartStep: start, HorizontalFlip: c.HorizontalFlip,
	})
	if err != nil {
		return nil, err
	}
	s := im.Shape
	return &imageSource{l, []int64{int64(c.BatchSize), int64(s[0]), int64(s[1]), int64(s[2])}, device}, nil
}

func (s *imageSource) Batch() (x1, y torch.Tensor, err error) {
	b, err := s.loader.Next()
	if err != nil {
		return x1, y, err
	}
	defer b.Release()
	x1 = s.move(torch.FromSlice(b.X, s.shape...))
	if b.Y != nil {
		y = s.move(torch.FromSlice(b.Y, s.shape[0]))
	}
	return x1, y, nil
}

func (s *imageSource) move(t torch.Tensor) torch.Tensor {
	if !s.device.IsCUDA() {
		return t
	}
	return t.PinMemory().ToAsync(s.device)
}

func (s *imageSource) Waited() time.Duration { return s.loader.Waited() }
func (s *imageSource) Close()                { s.loader.Close() }
