package nn

import (
	"fmt"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
)

// furthest is the greatest difference of a from want, in parts of want's greatest
// number.
func furthest(a, want torch.Tensor) float64 {
	a, want = a.CastTo(torch.Double), want.CastTo(torch.Double)
	d := torch.MaxAll(torch.Abs(torch.Sub(a, want, 1)))
	m := torch.MaxAll(torch.Abs(want))
	return d.Item().(float64) / m.Item().(float64)
}

// TestFreeze compares frozen layers with the same layers in float64, in which the
// numbers that they are given are exact: float32 to 1e-5, bf16 to what rounding
// its operands and its result to 8 bits costs a sum.
func TestFreeze(t *testing.T) {
	type layer interface {
		IModule
		Forward(torch.Tensor) torch.Tensor
	}
	conv := ConvOptions{Padding: 1}
	for _, c := range []struct {
		name  string
		make  func() layer
		shape []int64
	}{
		{"linear", func() layer { return Linear(37, 65, true) }, []int64{9, 37}},
		{"linear of tokens", func() layer { return Linear(32, 96, true) }, []int64{3, 5, 32}},
		{"linear without bias", func() layer { return Linear(16, 33, false) }, []int64{4, 16}},
		{"from few", func() layer { return Linear(3, 77, true) }, []int64{11, 3}},
		{"to few", func() layer { return Linear(77, 2, true) }, []int64{11, 77}},
		{"from few to few", func() layer { return Linear(3, 5, true) }, []int64{11, 3}},
		{"from few without bias", func() layer { return Linear(3, 64, false) }, []int64{11, 3}},
		{"convolution", func() layer { return Conv2D(32, 48, 3, conv) }, []int64{2, 32, 7, 5}},
		{"strided", func() layer { return Conv2D(32, 32, 3, ConvOptions{Stride: 2, Padding: 1}) }, []int64{2, 32, 8, 8}},
		{"of one channel", func() layer { return Conv2D(1, 32, 3, conv) }, []int64{3, 1, 9, 9}},
		{"to one channel", func() layer { return Conv2D(32, 1, 3, conv) }, []int64{3, 32, 9, 9}},
		{"without bias", func() layer { return Conv2D(32, 32, 1, ConvOptions{NoBias: true}) }, []int64{2, 32, 4, 4}},
		{"of sequences", func() layer { return Conv1d(32, 96, 1, ConvOptions{}) }, []int64{2, 32, 11}},
		{"of sequences, padded", func() layer { return Conv1d(32, 16, 3, conv) }, []int64{2, 32, 11}},
	} {
		for _, dtype := range []int8{torch.Float, torch.BFloat16} {
			for _, layout := range []string{"contiguous", "channels last"} {
				torch.Scoped(func() {
					l := c.make()
					x := torch.RandN(c.shape, false)
					if dtype == torch.BFloat16 { // what both sides start from
						for _, p := range Parameters(l) {
							torch.NoGrad(func() { p.CopyI(p.CastTo(dtype).CastTo(torch.Float)) })
						}
						x = x.CastTo(dtype).CastTo(torch.Float)
					}
					if layout != "contiguous" {
						if len(c.shape) != 4 {
							return
						}
						x = torch.ChannelsLast(x)
					}
					exact := c.make()
					if err := exact.SetStateDict(l.StateDict()); err != nil {
						t.Fatal(err)
					}
					exact.To(torch.CPU, torch.Double)
					want := exact.Forward(x.CastTo(torch.Double))
					before := l.Forward(x)
					Freeze(l, dtype)
					tolerance := map[int8]float64{torch.Float: 1e-5, torch.BFloat16: 8e-3}[dtype]
					name := fmt.Sprintf("%s, type %d, %s", c.name, dtype, layout)
					torch.NoGrad(func() {
						if d := furthest(l.Forward(x), want); d > tolerance {
							t.Errorf("%s: %v off", name, d)
						}
						if l, ok := l.(*LinearModule); ok {
							if d := furthest(l.ForwardGELU(x), torch.GeluTanh(want)); d > tolerance {
								t.Errorf("%s with GELU: %v off", name, d)
							}
							if d := furthest(l.ForwardSiLU(x), torch.Silu(want)); d > tolerance {
								t.Errorf("%s with SiLU: %v off", name, d)
							}
						}
					})
					// With gradients it is the layer that it was.
					after := l.Forward(x)
					if !torch.Equal(after, before) {
						t.Errorf("%s: freezing changes what is computed with gradients", name)
					}
					torch.SumAll(after).Backward()
				})
			}
		}
	}
}

// TestFreezeIsFewOperations: casts and layouts of weights happen once. The number
// of tensors that Go is given for an evaluation may fall, not rise.
func TestFreezeIsFewOperations(t *testing.T) {
	l := Linear(64, 64, true)
	Freeze(l, torch.BFloat16)
	torch.Scoped(func() {
		torch.NoGrad(func() {
			x := torch.RandN([]int64{8, 64}, false).CastTo(torch.BFloat16)
			before := torch.Stats().Made
			l.ForwardSiLU(x)
			if made := torch.Stats().Made - before; made != 1 {
				t.Errorf("%d operations for a product with SiLU", made)
			}
		})
	})
}

// TestThaw: thawed layers compute by the weights that they have by then, and nothing of
// what Freeze made is left.
func TestThaw(t *testing.T) {
	torch.Scoped(func() {
		n := Sequential(Linear(3, 40, true), Linear(40, 40, true), Linear(40, 2, true), Linear(2, 64, false))
		x := torch.RandN([]int64{5, 3}, false)
		live := torch.Stats().Live
		for _, dtype := range []int8{torch.Float, torch.BFloat16, torch.Float} {
			Freeze(n, dtype)
			torch.NoGrad(func() {
				for _, p := range Parameters(n) {
					p.MulScalarI(2)
				}
			})
			if dtype == torch.BFloat16 {
				continue // frozen anew without Thaw
			}
			Thaw(n)
			if now := torch.Stats().Live; now != live {
				t.Errorf("%d tensors are left", now-live)
			}
			want := n.Forward(x).(torch.Tensor)
			want = want.Detach()
			torch.NoGrad(func() {
				if got := n.Forward(x).(torch.Tensor); !torch.Equal(got, want) {
					t.Errorf("type %d: a thawed network is %v off", dtype, furthest(got, want))
				}
			})
			live = torch.Stats().Live
		}
	})
}
