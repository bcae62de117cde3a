package trainer

import (
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/datasets"
)

// Batch is the data of a step, on the device.
type Batch struct {
	X1 torch.Tensor // [B,...]
	Y  torch.Tensor // [B] int64, or the zero Tensor where there are no classes
	// X0 is the noise that X1 comes from, [B,...], where the pairs are a
	// teacher's; the zero Tensor where it is to be drawn.
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

func (s *imageSource) Batch() (out Batch, err error) {
	b, err := s.loader.Next()
	if err != nil {
		return out, err
	}
	defer b.Release()
	out.X1 = s.move(torch.FromSlice(b.X, s.shape...))
	if b.Y != nil {
		out.Y = s.move(torch.FromSlice(b.Y, s.shape[0]))
	}
	return out, nil
}

func (s *imageSource) move(t torch.Tensor) torch.Tensor {
	if !s.device.IsCUDA() {
		return t
	}
	return t.PinMemory().ToAsync(s.device)
}

func (s *imageSource) Waited() time.Duration { return s.loader.Waited() }
func (s *imageSource) Close()                { s.loader.Close() }

// pointSource draws fresh points for every step.
type pointSource struct {
	set    *datasets.Set2D
	seed   int64
	device torch.Device
	next   int64 // number of the next point of the set's stream
	points []float32
	waited time.Duration
}

// Points opens a set of points of the plane as a source, batch start coming
// first: points are never used twice.
func Points(set *datasets.Set2D, c Config, device torch.Device, start int) Source {
	return &pointSource{
		set: set, seed: c.Seed, device: device, next: int64(start) * int64(c.BatchSize),
		points: make([]float32, 2*c.BatchSize),
	}
}

// Batch: X1: [B,2].
func (s *pointSource) Batch() (Batch, error) {
	begin := time.Now()
	s.set.Sample(s.points, s.seed, s.next)
	s.waited += time.Since(begin)
	n := int64(len(s.points) / 2)
	s.next += n
	return Batch{X1: torch.FromSlice(s.points, n, 2).To(s.device)}, nil
}

func (s *pointSource) Waited() time.Duration { return s.waited }
func (s *pointSource) Close()                {}
