package models

import (
	"slices"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
)

// Without gradients an evaluation gives the same numbers, and of its tensors the
// result alone is left, in a scope too.
func TestFrugal(t *testing.T) {
	for _, c := range []Config{
		MLPConfig{HiddenDim: 16}.Defaults(),
		UNetConfig{Channels: 1, Size: 8, NumChannels: 32, NumResBlocks: 1, AttentionResolutions: []int{4}, Dropout: 0.5}.Defaults(),
		DiTConfig{Channels: 1, Size: 8, Depth: 2, Width: 24, NumHeads: 2}.Defaults(),
	} {
		net, err := c.Build()
		if err != nil {
			t.Fatal(err)
		}
		net.Train(false)
		torch.Scoped(func() {
			x := torch.RandN(append([]int64{3}, c.SampleShape()...), false)
			times := torch.FromSlice([]float32{0.1, 0.5, 0.9}, 3)
			want := torch.ToSlice[float32](net.Velocity(x, times, torch.Tensor{}))
			torch.NoGrad(func() {
				before := torch.Stats().Live
				got := net.Velocity(x, times, torch.Tensor{})
				// What is not in a layer: the embeddings on their way, a view or two.
				if left := torch.Stats().Live - before; left > 16 {
					t.Errorf("%s: %d tensors are left", c.Kind(), left)
				}
				if !slices.Equal(torch.ToSlice[float32](got), want) {
					t.Errorf("%s: other numbers without gradients", c.Kind())
				}
			})
		})
	}
}
