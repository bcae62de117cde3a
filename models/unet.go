package models

import (
	"fmt"
	"math"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn"
)

// UNet is the velocity field of images. Its levels halve the picture: going
// down, each has residual blocks and then a strided convolution; going up,
// each takes what its counterpart put aside, joined by channels.
type UNet struct {
	nn.Module
	TimeEmbed    []nn.IModule // Linear, SiLU, Linear: [B,64] -> [B,E]
	LabelEmb     *nn.EmbeddingModule
	InputBlocks  [][]nn.IModule
	MiddleBlock  []nn.IModule
	OutputBlocks [][]nn.IModule
	Out          []nn.IModule // GroupNorm, SiLU, Conv

	config UNetConfig
	freqs  torch.Tensor // [1,num_channels/2], of the time embedding
}

// NewUNet builds the network on the CPU, its numbers drawn from libtorch's
// default generator.
func NewUNet(c UNetConfig) (*UNet, error) {
	c = c.Defaults()
	if err := c.Check(); err != nil {
		return nil, err
	}
	var u *UNet
	err := torch.Try(func() { torch.Outside(func() { u = buildUNet(c) }) })
	return u, err
}

func buildUNet(c UNetConfig) *UNet {
	base := int64(c.NumChannels)
	emb := 4 * base
	u := &UNet{
		config:    c,
		TimeEmbed: []nn.IModule{nn.Linear(base, emb, true), nn.SiLU(), nn.Linear(emb, emb, true)},
	}
	if c.NumClasses > 0 {
		rows := int64(c.NumClasses)
		if c.NullClass {
			rows++
		}
		u.LabelEmb = nn.Embedding(rows, emb)
	}

	ch := base * int64(c.ChannelMult[0])
	u.InputBlocks = [][]nn.IModule{{nn.Conv2D(int64(c.Channels), ch, 3, nn.ConvOptions{Padding: 1})}}
	aside := []int64{ch} // channels of each input block's output
	factor := 1
	for level, mult := range c.ChannelMult {
		for range c.NumResBlocks {
			out := base * int64(mult)
			block := []nn.IModule{newResBlock(ch, out, emb, c.Dropout)}
			ch = out
			if c.attention(factor) {
				block = append(block, newAttention(ch, int64(c.NumHeads)))
			}
			u.InputBlocks = append(u.InputBlocks, block)
			aside = append(aside, ch)
		}
		if level < len(c.ChannelMult)-1 {
			u.InputBlocks = append(u.InputBlocks, []nn.IModule{newDownsample(ch)})
			aside = append(aside, ch)
			factor *= 2
		}
	}

	u.MiddleBlock = []nn.IModule{
		newResBlock(ch, ch, emb, c.Dropout),
		newAttention(ch, int64(c.NumHeads)),
		newResBlock(ch, ch, emb, c.Dropout),
	}

	for level := len(c.ChannelMult) - 1; level >= 0; level-- {
		for i := range c.NumResBlocks + 1 {
			out := base * int64(c.ChannelMult[level])
			last := len(aside) - 1
			block := []nn.IModule{newResBlock(ch+aside[last], out, emb, c.Dropout)}
			aside = aside[:last]
			ch = out
			if c.attention(factor) {
				block = append(block, newAttention(ch, int64(c.NumHeads)))
			}
			if level > 0 && i == c.NumResBlocks {
				block = append(block, newUpsample(ch))
				factor /= 2
			}
			u.OutputBlocks = append(u.OutputBlocks, block)
		}
	}

	u.Out = []nn.IModule{nn.GroupNorm(groups, ch), nn.SiLU(), zeroed(nn.Conv2D(ch, int64(c.Channels), 3, nn.ConvOptions{Padding: 1}))}
	u.freqs = timeFrequencies(base)
	u.Init(u)
	return u
}

// Config is what the network was built from.
func (u *UNet) Config() Config { return u.config }

// To moves the network; the time frequencies, which are no parameter, too.
func (u *UNet) To(device torch.Device, dtype ...int8) {
	u.Module.To(device, dtype...)
	u.freqs.SetData(u.freqs.To(device))
}

// Velocity is Forward.
func (u *UNet) Velocity(x, t, y torch.Tensor) torch.Tensor { return u.Forward(x, t, y) }

// Forward: x: [B,C,H,W], t: [B], y: [B] int64 or none -> v: [B,C,H,W].
func (u *UNet) Forward(x, t, y torch.Tensor) torch.Tensor {
	if (u.LabelEmb != nil) != (y.T != nil) {
		panic(&torch.Error{Op: "UNet", Msg: "a class-conditional network needs labels, and no other takes them"})
	}
	return u.run(x, t, y, nil)
}

// Trace is Forward that shows each layer of the blocks.
func (u *UNet) Trace(x, t, y torch.Tensor, see func(string, nn.IModule, torch.Tensor)) torch.Tensor {
	names := layerNames{}
	names.add("time_embed", u.TimeEmbed)
	if u.LabelEmb != nil {
		names[u.LabelEmb] = "label_emb"
	}
	for i, b := range u.InputBlocks {
		names.add(fmt.Sprintf("input_blocks.%d", i), b)
	}
	names.add("middle_block", u.MiddleBlock)
	for i, b := range u.OutputBlocks {
		names.add(fmt.Sprintf("output_blocks.%d", i), b)
	}
	names.add("out", u.Out)
	return u.run(x, t, y, names.seen(see))
}

// run is Forward that shows each layer of the blocks and what it gives to see,
// if that is not nil.
func (u *UNet) run(x, t, y torch.Tensor, see func(layer nn.IModule, out torch.Tensor)) torch.Tensor {
	emb := forward(u.TimeEmbed, timeEmbedding(t, u.freqs), embedding{}, see) // [B,E]
	computed := emb.Dtype()
	if u.LabelEmb != nil {
		label := u.LabelEmb.Forward(y)
		if see != nil {
			see(u.LabelEmb, label)
		}
		emb = torch.Add(emb, label, 1)
	}
	// Each residual block begins with the same SiLU, in the type of its products.
	emb = torch.Silu(emb)
	if emb.Dtype() != computed {
		emb = emb.CastTo(computed)
	}
	free := see == nil && !torch.GradEnabled()
	e := u.embedded(emb)
	var aside []torch.Tensor
	h := x
	for i, block := range u.InputBlocks {
		h = forward(block, h, e, see)
		if i == 0 {
			laid := laidOut(h)
			if free {
				spend(laid, h)
			}
			h = laid
		}
		aside = append(aside, h)
	}
	h = forward(u.MiddleBlock, h, e, see)
	for _, block := range u.OutputBlocks {
		last := len(aside) - 1
		both := torch.Cat([]torch.Tensor{h, aside[last]}, 1)
		if free {
			spend(both, h, aside[last])
		}
		aside = aside[:last]
		h = forward(block, both, e, see)
		if free {
			spend(h, both)
		}
	}
	var v torch.Tensor
	if see == nil {
		v = normalised(u.Out, h, torch.Tensor{})
	} else {
		v = forward(u.Out, h, e, see)
	}
	if v.Dtype() != x.Dtype() {
		v = v.CastTo(x.Dtype())
	}
	v = torch.Contiguous(v) // whatever the layout inside
	return v
}

// forward runs the layers of a block; residual blocks also take the embedding. What
// nobody sees is not made: a linear layer and its SiLU are one operation.
func forward(layers []nn.IModule, h torch.Tensor, emb embedding, see func(nn.IModule, torch.Tensor)) torch.Tensor {
	free := see == nil && !torch.GradEnabled()
	for i := 0; i < len(layers); i++ {
		in, layer, first := h, layers[i], i == 0
		activated := see == nil && i+1 < len(layers) && isSiLU(layers[i+1])
		h = frugal(func() torch.Tensor {
			switch l := layer.(type) {
			case *resBlock:
				return l.Forward(in, emb)
			case *nn.LinearModule:
				if activated {
					i++
					return l.ForwardSiLU(in)
				}
				return l.Forward(in)
			case interface {
				Forward(torch.Tensor) torch.Tensor
			}:
				return l.Forward(in)
			}
			panic(&torch.Error{Op: "UNet", Msg: "a layer without Forward"})
		})
		if see != nil {
			see(layer, h)
		} else if free && !first { // the first one's input is the caller's
			spend(h, in)
		}
	}
	return h
}

// timeFrequencies is exp(-ln(10000) i / half), i = 0..half-1: [1,half].
func timeFrequencies(dim int64) torch.Tensor {
	half := dim / 2
	i := torch.Arange(0, float32(half), 1, false)
	return torch.Exp(torch.MulScalar(i, -math.Log(10000)/float64(half))).View(1, half)
}

// timeEmbedding: t: [B] -> cat[cos, sin](t f): [B,2 half]. Times are not
// scaled: they lie in [0,1].
func timeEmbedding(t, freqs torch.Tensor) torch.Tensor {
	args := torch.Mul(t.View(-1, 1), freqs)
	return torch.Cat([]torch.Tensor{torch.Cos(args), torch.Sin(args)}, 1)
}
