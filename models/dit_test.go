package models

import (
	"math"
	"strings"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn"
)

func TestDiTConfigCheck(t *testing.T) {
	good := DiTConfig{Channels: 1, Size: 8, NumClasses: 10}.Defaults()
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*DiTConfig)
		want   string
	}{
		"no channels":     {func(c *DiTConfig) { c.Channels = 0 }, "no network"},
		"patches":         {func(c *DiTConfig) { c.PatchSize = 3 }, "does not divide 8 pixels"},
		"a negative one":  {func(c *DiTConfig) { c.PatchSize = -2 }, "patch_size"},
		"too many":        {func(c *DiTConfig) { c.Size, c.PatchSize = 256, 1 }, "65536 patches"},
		"no blocks":       {func(c *DiTConfig) { c.Depth = -1 }, "depth"},
		"width":           {func(c *DiTConfig) { c.Width = 42 }, "width 42"},
		"heads":           {func(c *DiTConfig) { c.NumHeads = 5 }, "num_heads 5"},
		"null of nothing": {func(c *DiTConfig) { c.NumClasses, c.NullClass = 0, true }, "0 classes"},
	} {
		changed := good
		c.change(&changed)
		if _, err := NewDiT(changed); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Rows and columns of the table against its formula: column first, sines before
// cosines (get_2d_sincos_pos_embed of DiT's own code).
func TestPositions(t *testing.T) {
	const side, width = 3, 16
	table := torch.ToSlice[float32](positions(side, width))
	for _, c := range []struct {
		row, column, feature int
		want                 float64
	}{
		{0, 0, 0, 0}, {0, 0, 4, 1}, // sin 0, cos 0
		{1, 2, 0, math.Sin(2)}, {1, 2, 4, math.Cos(2)},
		{1, 2, 1, math.Sin(2. / 10)}, {1, 2, 7, math.Cos(2. / 1000)},
		{1, 2, 8, math.Sin(1)}, {1, 2, 14, math.Cos(1. / 100)},
		{2, 0, 11, math.Sin(2. / 1000)},
	} {
		if got := float64(table[(c.row*side+c.column)*width+c.feature]); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("row %d, column %d, feature %d: %v, want %v", c.row, c.column, c.feature, got, c.want)
		}
	}
}

// What a network with labels is given without, and the other way round.
func TestDiTLabels(t *testing.T) {
	for _, classes := range []int{0, 2} {
		d, err := NewDiT(DiTConfig{Channels: 1, Size: 4, Depth: 1, Width: 8, NumHeads: 1, NumClasses: classes})
		if err != nil {
			t.Fatal(err)
		}
		var y torch.Tensor
		if classes == 0 {
			y = torch.FromSlice([]int64{0}, 1)
		}
		err = torch.Try(func() {
			d.Velocity(torch.Zeros([]int64{1, 1, 4, 4}, torch.Options{}), torch.Zeros([]int64{1}, torch.Options{}), y)
		})
		if err == nil || !strings.Contains(err.Error(), "needs labels") {
			t.Errorf("%d classes: %v", classes, err)
		}
	}
}

// Gradients in float32 where q and k are tenfold, against float64, which libtorch's operations
// compute: off by 4e-7 (by libtorch's own attention on a processor by 1.2e-6).
func TestDiTOfLargeScores(t *testing.T) {
	gradients := func(dtype int8) (all []torch.Tensor) {
		torch.ManualSeed(3)
		d, err := NewDiT(DiTConfig{Channels: 1, Size: 8, PatchSize: 1, Depth: 2, Width: 64, NumHeads: 2, NumClasses: 2})
		if err != nil {
			t.Fatal(err)
		}
		g := torch.NewGenerator(torch.CPU, 5)
		defer g.Close()
		torch.NoGrad(func() {
			for _, p := range nn.Tensors(d) {
				if torch.MaxAll(torch.Abs(p.Tensor)).ItemFloat() == 0 { // a gate, which would hide what comes before
					p.Tensor.NormalI(0, 0.05, g)
				}
			}
			for _, b := range d.Blocks {
				torch.Narrow(b.Attn.Qkv.Weight, 0, 0, 128).MulScalarI(10) // of q and k
			}
		})
		d.To(torch.CPU, dtype)
		params := []torch.Tensor{d.Blocks[0].Attn.Qkv.Weight, d.Blocks[1].Attn.Qkv.Weight}
		x := torch.RandNWith(g, []int64{4, 1, 8, 8}, torch.Options{}).CastTo(dtype)
		at := torch.FromSlice([]float32{0.1, 0.4, 0.6, 0.9}, 4).CastTo(dtype)
		v := d.Forward(x, at, torch.FromSlice([]int64{0, 1, 1, 0}, 4))
		for _, g := range torch.AutogradGrad([]torch.Tensor{torch.SumAll(torch.Square(v))}, params, torch.AutogradOptions{}) {
			all = append(all, torch.Reshape(g, []int64{-1}).CastTo(torch.Double))
		}
		return all
	}
	torch.Scoped(func() {
		want, got := torch.Cat(gradients(torch.Double), 0), torch.Cat(gradients(torch.Float), 0)
		if off := torch.Norm(torch.Sub(got, want, 1)).ItemFloat() / torch.Norm(want).ItemFloat(); !(off <= 8e-7) {
			t.Errorf("off by %.2g", off)
		}
	})
}
