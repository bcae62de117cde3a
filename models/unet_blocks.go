package models

import (
	"math"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn"
)

// groups is the number of groups of every normalisation.
const groups = 32

// zeroed sets the parameters of l to 0, so that the block that it ends adds
// nothing at first.
func zeroed[L nn.IModule](l L) L {
	torch.NoGrad(func() {
		for _, n := range nn.Tensors(l) {
			n.Tensor.FillI(0)
		}
	})
	return l
}

// resBlock is two convolutions around which the input is led; between them
// the embedding of time and class is added to every pixel.
type resBlock struct {
	nn.Module
	InLayers       []nn.IModule // GroupNorm, SiLU, Conv
	EmbLayers      []nn.IModule // SiLU, Linear
	OutLayers      []nn.IModule // GroupNorm, SiLU, Dropout, Conv
	SkipConnection *nn.Conv2dModule
}

func newResBlock(in, out, emb int64, dropout float64) *resBlock {
	r := &resBlock{
		InLayers:  []nn.IModule{nn.GroupNorm(groups, in), nn.SiLU(), nn.Conv2D(in, out, 3, nn.ConvOptions{Padding: 1})},
		EmbLayers: []nn.IModule{nn.SiLU(), nn.Linear(emb, out, true)},
		OutLayers: []nn.IModule{nn.GroupNorm(groups, out), nn.SiLU(), nn.Dropout(dropout), zeroed(nn.Conv2D(out, out, 3, nn.ConvOptions{Padding: 1}))},
	}
	if in != out {
		r.SkipConnection = nn.Conv2D(in, out, 1, nn.ConvOptions{})
	}
	r.Init(r)
	return r
}

// Forward: x: [B,in,H,W] -> [B,out,H,W].
func (r *resBlock) Forward(x torch.Tensor, emb embedding) torch.Tensor {
	shift, biased := emb.of(r)
	h, x := r.convolved(x, !biased)
	h = normalised(r.OutLayers, h, shift)
	if r.SkipConnection != nil {
		x = r.SkipConnection.Forward(x)
	}
	return torch.Add(x, h, 1)
}

// convolved runs InLayers, the last of them, the convolution, with its bias or without.
// skip is x, for the way around the block.
func (r *resBlock) convolved(x torch.Tensor, bias bool) (h, skip torch.Tensor) {
	conv := r.InLayers[2].(*nn.Conv2dModule)
	h = frugal(func() torch.Tensor {
		var in torch.Tensor
		in, skip = r.InLayers[0].(*nn.GroupNormModule).ForwardSkip(x, true)
		if bias {
			return conv.Forward(in)
		}
		return conv.ForwardWithoutBias(in)
	})
	return h, skip
}

// normalised runs layers that begin with GroupNorm and SiLU, these two as one
// operation on x + shift. x: [B,C,H,W], shift: [B,C] or none.
func normalised(layers []nn.IModule, x, shift torch.Tensor) torch.Tensor {
	h := layers[0].(*nn.GroupNormModule).ForwardSiLU(x, shift)
	out := forward(layers[2:], h, embedding{}, nil)
	if !torch.GradEnabled() {
		spend(out, h)
	}
	return out
}

// attention lets every pixel look at all others (Vaswani et al. 2017).
type attention struct {
	nn.Module
	Norm    *nn.GroupNormModule
	Qkv     *nn.Conv1dModule
	ProjOut *nn.Conv1dModule
	heads   int64
}

func newAttention(ch, heads int64) *attention {
	a := &attention{
		Norm:    nn.GroupNorm(groups, ch),
		Qkv:     nn.Conv1d(ch, 3*ch, 1, nn.ConvOptions{}),
		ProjOut: zeroed(nn.Conv1d(ch, ch, 1, nn.ConvOptions{})),
		heads:   heads,
	}
	a.Init(a)
	return a
}

// Forward: x: [B,C,H,W] -> the same.
func (a *attention) Forward(x torch.Tensor) torch.Tensor {
	shape := x.Shape()
	b, c, tokens := shape[0], shape[1], shape[2]*shape[3]
	flat := torch.Reshape(x, []int64{b, c, tokens})
	in, flat := a.Norm.ForwardSkip(flat, false)
	qkv := a.Qkv.Forward(in) // [B,3C,T], heads outermost
	ch := c / a.heads
	qkv = torch.Reshape(qkv, []int64{b, a.heads, 3, ch, tokens}).Transpose(3, 4)
	h := torch.RawAttention(qkv, 1/math.Sqrt(float64(ch))) // [B,heads,T,ch]
	h = a.ProjOut.Forward(torch.Reshape(h.Transpose(2, 3), []int64{b, c, tokens}))
	return torch.Reshape(torch.Add(flat, h, 1), shape)
}

// downsample halves height and width by a strided convolution.
type downsample struct {
	nn.Module
	Op *nn.Conv2dModule
}

func newDownsample(ch int64) *downsample {
	d := &downsample{Op: nn.Conv2D(ch, ch, 3, nn.ConvOptions{Stride: 2, Padding: 1})}
	d.Init(d)
	return d
}

// Forward: x: [B,C,H,W] -> [B,C,H/2,W/2].
func (d *downsample) Forward(x torch.Tensor) torch.Tensor { return d.Op.Forward(x) }

// upsample doubles height and width by repetition, then smooths.
type upsample struct {
	nn.Module
	Conv *nn.Conv2dModule
}

func newUpsample(ch int64) *upsample {
	u := &upsample{Conv: nn.Conv2D(ch, ch, 3, nn.ConvOptions{Padding: 1})}
	u.Init(u)
	return u
}

// Forward: x: [B,C,H,W] -> [B,C,2H,2W].
func (u *upsample) Forward(x torch.Tensor) torch.Tensor {
	s := x.Shape()
	return u.Conv.Forward(torch.RawUpsampleNearest2d(x, []int64{2 * s[2], 2 * s[3]}))
}
