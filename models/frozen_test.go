package models

import (
	"math"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn"
)

// TestFrozenNetworks: every network evaluated for sampling is the network. In
// float32 to rounding; in bf16 as near as Autocast's to float32.
func TestFrozenNetworks(t *testing.T) {
	for name, c := range map[string]Config{
		"mlp":  MLPConfig{Dim: 2, HiddenDim: 96},
		"unet": UNetConfig{Channels: 1, Size: 8, NumChannels: 32, ChannelMult: []int{1, 2}, NumResBlocks: 1, AttentionResolutions: []int{8}, NumHeads: 2, NumClasses: 10},
		"dit":  DiTConfig{Channels: 1, Size: 8, PatchSize: 2, Width: 64, Depth: 2, NumHeads: 2, NumClasses: 10},
	} {
		torch.Scoped(func() {
			torch.ManualSeed(1)
			n, err := c.Build()
			if err != nil {
				t.Fatal(err)
			}
			n.Train(false)
			torch.ManualSeed(3)
			torch.NoGrad(func() {
				for _, p := range nn.Parameters(n) { // blocks that end in zeros are to be seen, too
					p.AddI(torch.MulScalar(torch.RandN(p.Shape(), false), 0.05), 1)
				}
			})
			const samples = 50 // errors of a few differ by chance
			x, at := torch.RandN(append([]int64{samples}, c.SampleShape()...), false), torch.Rand([]int64{samples}, false)
			var y torch.Tensor
			if c.Classes() > 0 {
				classes := make([]int64, samples)
				for i := range classes {
					classes[i] = int64(i % c.Classes())
				}
				y = torch.FromSlice(classes, samples)
			}
			evaluate := func() (v torch.Tensor) {
				torch.NoGrad(func() { v = n.Velocity(x, at, y) })
				return v
			}
			want := n.Velocity(x, at, y)
			want = want.Detach()
			off := func(v torch.Tensor) float64 {
				d := torch.Sub(v, want, 1)
				return math.Sqrt(torch.Mean(torch.Mul(d, d)).ItemFloat() / torch.Mean(torch.Mul(want, want)).ItemFloat())
			}
			var cast torch.Tensor
			torch.Autocast(torch.CPU, torch.BFloat16, func() { cast = evaluate() })
			if d := off(evaluate()); d > 1e-5 {
				t.Errorf("%s without gradients: %v off", name, d)
			}
			nn.Freeze(n, torch.Float)
			if d := off(evaluate()); d > 1e-5 {
				t.Errorf("%s in float32: %v off", name, d)
			}
			nn.Freeze(n, torch.BFloat16)
			v := evaluate()
			if v.Dtype() != torch.Float {
				t.Errorf("%s in bf16: the velocity is of type %d", name, v.Dtype())
			}
			if got, theirs := off(v), off(cast); got > 1.3*theirs {
				t.Errorf("%s in bf16: %v off, Autocast %v", name, got, theirs)
			} else {
				t.Logf("%s in bf16: %.2g off, Autocast %.2g", name, got, theirs)
			}
			if again := n.Velocity(x, at, y); off(again) > 1e-6 {
				t.Errorf("%s: with gradients it is another network", name)
			}
		})
	}
}
