package trainer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/weights"

	"flowmatch/flow"
)

// Teacher makes pairs (x0, x1) of noise and the sample that its flow carries it
// to, for a student to learn: the reflow procedure (Liu et al. 2023,
// algorithm 1).
type Teacher struct {
	Velocity flow.Velocity
	Solver   flow.Solver // from 0 to 1
	Device   torch.Device
	Shape    []int64 // of one sample
	Classes  int     // pair i has class i mod Classes; 0: no classes
	Batch    int     // samples solved together, as flow.Sampling.Batch; 0: all
	// Guidance of the pairs' classes, nil for none: the student learns the guided
	// flow, at the cost of one evaluation (Meng et al. 2023).
	Guidance *flow.Guidance
}

// ReflowConfig is what decides the pairs, for the record.
type ReflowConfig struct {
	Teacher string `json:"teacher"` // fingerprint of the teacher's weights
	Solver  string `json:"solver"`  // "midpoint, 20 steps"
	// Guidance is the teacher's, "" for none.
	Guidance string `json:"guidance,omitempty"`
	Pairs    int    `json:"pairs"` // drawn once and kept; 0: fresh ones for every step
	Round    int    `json:"round"` // from 1: the teacher of round 2 is the student of round 1
	Distill  bool   `json:"distill,omitempty"`
}

// Fingerprint names weights: hexadecimal digits of the SHA-256 over their names
// and bytes.
func Fingerprint(d *weights.Dict) string {
	h := sha256.New()
	for name, t := range d.All() {
		fmt.Fprintf(h, "%q %v %v\n", name, t.DType, t.Shape)
		h.Write(t.Data)
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// errTeacher is of a teacher whose weights are damaged, or that diverged.
var errTeacher = errors.New("the teacher's samples are not finite: it cannot teach")

// seedOf is the seed of the pairs' noise. It is another than that of samples
// drawn with the run's seed: a student is not to be judged by the pairs that it
// was trained on.
func (r ReflowConfig) seedOf(seed int64) int64 {
	return int64(flow.Mix(uint64(seed), drawPair, uint64(r.Round)) >> 1)
}

// noise fills dst, [n,Shape...], with the noise of pairs first, first+1, ...
func (t Teacher) noise(dst []float32, seed int64, first int) {
	dim := int(torch.Numel(t.Shape))
	for i := range len(dst) / dim {
		flow.Noise(dst[i*dim:(i+1)*dim], seed, int64(first+i))
	}
}

// labels are the classes of pairs first, first+1, ...: [n], or nil.
func (t Teacher) labels(first, n int) []int64 {
	if t.Classes == 0 {
		return nil
	}
	y := make([]int64, n)
	for i := range y {
		y[i] = int64((first + i) % t.Classes)
	}
	return y
}

// sampling is of the pairs of noise x0: [n,Shape...], and classes y.
func (t Teacher) sampling(x0 []float32, y []int64) flow.Sampling {
	return flow.Sampling{
		Velocity: t.Velocity, Device: t.Device, Solver: t.Solver, Shape: t.Shape, N: len(x0) / int(torch.Numel(t.Shape)),
		Labels: y, X0: x0, Batch: t.Batch, Guidance: t.Guidance,
	}
}

// draw solves for the pairs first to first+n: x1 of [n,Shape...].
func (t Teacher) draw(ctx context.Context, seed int64, first, n int, progress func(done int)) (x1 []float32, y []int64, err error) {
	x0 := make([]float32, int64(n)*torch.Numel(t.Shape))
	t.noise(x0, seed, first)
	y = t.labels(first, n)
	s := t.sampling(x0, y)
	s.Progress = func(done, _ int) {
		if progress != nil {
			progress(done)
		}
	}
	out, err := s.Draw(ctx)
	if err != nil {
		return nil, nil, err
	}
	return out.X, y, nil
}

// Fresh is a source of pairs that are drawn for every step and used once, as
// the reference system does; batch start comes first.
func (t Teacher) Fresh(c Config, start int) Source {
	return &freshPairs{t: t, seed: c.Reflow.seedOf(c.Seed), n: c.BatchSize, next: start * c.BatchSize}
}

type freshPairs struct {
	t       Teacher
	seed    int64
	n, next int
	solving stopwatch
}

// Batch solves one batch by the teacher. The time counts as waiting for data.
func (f *freshPairs) Batch() (b Batch, err error) {
	f.solving.start(f.t.Device)
	defer f.solving.stop(f.t.Device)
	shape := append([]int64{int64(f.n)}, f.t.Shape...)
	x0, y := make([]float32, torch.Numel(shape)), f.t.labels(f.next, f.n)
	f.t.noise(x0, f.seed, f.next)
	f.next += f.n
	b.X0 = toDevice(torch.FromSlice(x0, shape...), f.t.Device)
	if y != nil {
		b.Y = toDevice(torch.FromSlice(y, shape[0]), f.t.Device)
	}
	if b.X1, err = f.solve(b, x0, y); err != nil {
		if err == errTeacher {
			return b, err
		}
		return b, fmt.Errorf("the teacher's pairs: %w", err)
	}
	return b, nil
}

// solve gives the samples that the teacher makes of a batch's noise: [n,Shape...].
func (f *freshPairs) solve(b Batch, x0 []float32, y []int64) (torch.Tensor, error) {
	if !f.t.Device.IsCUDA() {
		s := f.t.sampling(x0, y)
		if len(f.t.Shape) == 1 {
			s.Batch = 0 // of points a training step's are few: cores are faster together
		}
		out, err := s.Draw(context.Background())
		if err != nil {
			return torch.Tensor{}, err
		}
		if !flow.Finite(out.X) {
			return torch.Tensor{}, errTeacher
		}
		return torch.FromSlice(out.X, b.X0.Shape()...), nil
	}
	// A GPU has the batch as a whole, and nothing waits for its end.
	field := f.t.Velocity.Field(b.Y)
	if g := f.t.Guidance; g != nil {
		field = g.Field(f.t.Velocity, b.Y)
	}
	x1, _, err := f.t.Solver.Solve(field, b.X0, nil, nil)
	return x1, err
}

func (f *freshPairs) Waited() time.Duration { return f.solving.total() }
func (f *freshPairs) Close()                {}
