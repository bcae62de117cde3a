package metrics

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn"
)

// Labelled is a set of images with classes. It need not be safe for several
// goroutines.
type Labelled interface {
	Len() int
	Floats(dst []float32, i int) // image i: [C,H,W] in [-1,1]
	Label(i int) int64
}

// ClassifierTraining trains a classifier. On one machine, with as many threads,
// the CPU comes to the same weights every time.
type ClassifierTraining struct {
	Config ClassifierConfig
	Set    Labelled
	Device torch.Device
	Seed   int64 // of the first weights and of the order of images

	Progress func(done, of int) // after every step; may be nil
}

const (
	classifierBatch = 64
	classifierRate  = 2e-3 // the highest
)

// classifierEpochs is how often the images are seen: 250,000 in all, but 4 to 20
// times.
func classifierEpochs(images int) int { return min(20, max(4, 250_000/max(1, images))) }

// Train runs AdamW under a learning rate that rises for a tenth of the steps and
// falls to 0 as a cosine. It seeds libtorch's default generators. It ends early
// with ctx's cause, and panics with *torch.Error where a tensor operation fails.
func (t ClassifierTraining) Train(ctx context.Context) (*Classifier, error) {
	n := t.Set.Len()
	if n < 1 {
		return nil, fmt.Errorf("metrics: there are no images to train a classifier on")
	}
	torch.ManualSeed(t.Seed)
	m, err := NewClassifier(t.Config)
	if err != nil {
		return nil, err
	}
	m.To(t.Device)
	m.Train(true)
	params := nn.Parameters(m)
	adamw := torch.NewAdamW(params, torch.AdamWOptions{WeightDecay: 0.01})
	defer func() {
		for _, ts := range [][]torch.Tensor{adamw.ExpAvg, adamw.ExpAvgSq, {adamw.StepCount}} {
			for _, x := range ts {
				x.Close()
			}
		}
	}()

	batch := min(classifierBatch, n)
	perEpoch := n / batch
	total := classifierEpochs(n) * perEpoch
	c := t.Config
	dim := c.Channels * c.Size * c.Size
	x, y := make([]float32, batch*dim), make([]int64, batch)
	var order []int
	for step := range total {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if step%perEpoch == 0 {
			order = rand.New(rand.NewPCG(uint64(t.Seed), uint64(step))).Perm(n)
		}
		for i := range batch {
			from := order[step%perEpoch*batch+i]
			t.Set.Floats(x[i*dim:(i+1)*dim], from)
			y[i] = t.Set.Label(from)
		}
		torch.Scoped(func() {
			torch.ZeroGrad(params)
			images := torch.FromSlice(x, int64(batch), int64(c.Channels), int64(c.Size), int64(c.Size)).To(t.Device)
			m.loss(images, torch.FromSlice(y, int64(batch)).To(t.Device)).Backward()
			torch.NoGrad(func() { adamw.Step(classifierRate*oneCycle(step, total), torch.AdamWGuards{}) })
		})
		if t.Progress != nil {
			t.Progress(step+1, total)
		}
	}
	torch.ZeroGrad(params)
	m.Train(false)
	return m, nil
}

// oneCycle is the part of the highest learning rate at a step.
func oneCycle(step, total int) float64 {
	at, rise := (float64(step)+0.5)/float64(total), 0.1
	if at < rise {
		return at / rise
	}
	return (1 + math.Cos(math.Pi*(at-rise)/(1-rise))) / 2
}
