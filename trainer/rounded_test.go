package trainer

import (
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/datasets"
	"flowmatch/datasets/plane"
	"flowmatch/models"
)

// A run in bf16 by roundings that the optimiser keeps has the bits of one whose weights
// autocast casts in every step: in parts and as a whole, with batches accumulated.
func TestRoundingsChangeNoBit(t *testing.T) { roundingsChangeNoBit(t, torch.CPU) }

// The same on a GPU, whose roundings are made before each step, of convolutions and products
// that give the same bits twice.
func TestGPURoundingsChangeNoBit(t *testing.T) {
	d := gpu(t)
	torch.UseDeterministicAlgorithms(true)
	defer torch.UseDeterministicAlgorithms(false)
	roundingsChangeNoBit(t, d)
}

func roundingsChangeNoBit(t *testing.T, d torch.Device) {
	defer torch.SetNumThreads(int32(torch.NumThreads()))
	torch.SetNumThreads(2)
	moons, err := plane.Open("moons")
	if err != nil {
		t.Fatal(err)
	}
	images, err := datasets.Digits()
	if err != nil {
		t.Fatal(err)
	}
	for name, of := range map[string]struct {
		set     datasets.Set
		network models.Config
	}{"points": {moons, models.MLPConfig{HiddenDim: 32}}, "digits": {images, small()}} {
		t.Run(name, func(t *testing.T) {
			c := config(4)
			c.BatchSize, c.Accumulate, c.Precision = 16, 2, "bf16"
			src, err := Data(of.set)(c, d, 0)
			if err != nil {
				t.Fatal(err)
			}
			var batches []Batch
			for range 8 {
				b, err := src.Batch()
				if err != nil {
					t.Fatal(err)
				}
				batches = append(batches, b)
			}
			defer src.Close()
			run := func(change func(e *engine)) []torch.Tensor {
				torch.ManualSeed(1)
				n, err := of.network.Build()
				if err != nil {
					t.Fatal(err)
				}
				n.To(d)
				e := newEngine(c, n, d)
				change(e)
				data := &held{batches: batches}
				for k := range 4 {
					if err := e.step(k, data); err != nil {
						t.Fatal(err)
					}
				}
				return append(append([]torch.Tensor{}, e.params...), e.ema...)
			}
			var used int
			got := run(func(e *engine) {
				for i, p := range e.params {
					if !torch.Equal(p.Detach().CastTo(torch.BFloat16), e.rounded.Halves[i].Detach()) {
						t.Errorf("%s is not rounded at the start", e.names[i])
					}
				}
				used = len(e.rounded.Halves)
			})
			if used == 0 {
				t.Fatal("a run without roundings")
			}
			want := run(func(e *engine) {
				e.rounded.Close()
				e.rounded = nil
			})
			for i := range got {
				if !torch.Equal(got[i], want[i]) {
					t.Errorf("tensor %d has other bits", i)
				}
			}
		})
	}
}
