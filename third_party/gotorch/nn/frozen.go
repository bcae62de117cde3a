package nn

import torch "github.com/wangkuiyi/gotorch"

// frozen is a layer's weight and bias as Freeze made them.
type frozen struct {
	dtype        int8
	weight, bias torch.Tensor
}

// Freeze makes the layers of m ready for many evaluations without gradients on a
// processor: the weights of linear layers and convolutions are cast to dtype,
// Float or BFloat16, and laid out as its products want them, once instead of in
// every product. What the layers are given is cast, too; linear layers of few
// inputs or outputs, which are a network's ends, compute in float32. Autocast is
// not needed then.
//
// It holds for evaluations under NoGrad; others are as before. Weights that change
// afterwards, and a move to a GPU, need another Freeze, or Thaw. The originals stay, so m
// holds both.
func Freeze(m IModule, dtype int8) {
	torch.NoGrad(func() {
		m.Apply(func(c IModule) {
			if l, ok := c.(freezer); ok {
				torch.Scoped(func() { l.freeze(dtype) })
			}
		})
	})
}

// Thaw undoes Freeze: the layers of m compute by their own weights again, and those
// that were laid out are given back.
func Thaw(m IModule) {
	m.Apply(func(c IModule) {
		if l, ok := c.(freezer); ok {
			l.thaw()
		}
	})
}

// freezer is a layer that Freeze makes ready.
type freezer interface {
	freeze(dtype int8)
	thaw()
}

// use tells whether the frozen weights are the ones to compute with.
func (f *frozen) use() bool { return f.weight.T != nil && !torch.GradEnabled() }

// cast is x in f's type.
func (f *frozen) cast(x torch.Tensor) torch.Tensor {
	if x.Dtype() == f.dtype {
		return x
	}
	return x.CastTo(f.dtype)
}

// set fills f; bias may be none. What it is given may be the scope's or the layer's own:
// f has handles of its own, outside all scopes.
func (f *frozen) set(dtype int8, weight, bias torch.Tensor) {
	f.thaw()
	f.dtype = dtype
	torch.Outside(func() {
		f.weight = weight.Detach()
		if bias.T != nil {
			f.bias = bias.Detach()
		}
	})
}

func (f *frozen) thaw() {
	f.weight.Close()
	f.bias.Close()
	*f = frozen{}
}

// castBias is a bias for products in a type, none where there is none.
func castBias(b torch.Tensor, dtype int8) torch.Tensor {
	if b.T == nil {
		return b
	}
	return torch.Clone(b.CastTo(dtype))
}

// thin is the most inputs or outputs of a linear layer that Freeze takes for an
// end of the network.
const thin = 8

func (l *LinearModule) freeze(dtype int8) {
	switch {
	case l.Bias.T != nil && l.InFeatures <= thin && l.OutFeatures > thin:
		l.frozen.set(dtype, torch.Contiguous(l.Weight.Transpose(0, 1)), l.Bias)
	case l.Bias.T != nil && l.OutFeatures <= thin:
		l.frozen.set(dtype, l.Weight, l.Bias)
	default:
		l.frozen.set(dtype, torch.PackLinear(l.Weight.CastTo(dtype)), castBias(l.Bias, dtype))
	}
}

func (l *LinearModule) thaw() { l.frozen.thaw() }

// What follows a frozen layer, as torch.RawLinearPacked counts it.
const (
	noActivation int64 = iota
	silu
	gelu
)

// activated is act of x.
func activated(x torch.Tensor, act int64) torch.Tensor {
	switch act {
	case silu:
		return torch.Silu(x)
	case gelu:
		return torch.GeluTanh(x)
	}
	return x
}

// evaluate is the frozen layer, and what activates.
func (l *LinearModule) evaluate(x torch.Tensor, act int64) torch.Tensor {
	f := &l.frozen
	switch {
	case l.Bias.T != nil && l.InFeatures <= thin && l.OutFeatures > thin:
		y := torch.RawWiden(x.CastTo(torch.Float), f.weight, f.bias, f.dtype, act == silu)
		if act == silu {
			return y
		}
		return activated(y, act)
	case l.Bias.T != nil && l.OutFeatures <= thin:
		return activated(torch.RawNarrow(f.cast(x), f.weight, f.bias), act)
	}
	return torch.RawLinearPacked(f.cast(x), f.weight, f.bias, act)
}

func (c *Conv2dModule) freeze(dtype int8) {
	s, p, d := [2]int64{c.Stride, c.Stride}, [2]int64{c.Padding, c.Padding}, [2]int64{c.Dilation, c.Dilation}
	c.frozen.set(dtype, torch.PackConv2d(c.Weight.CastTo(dtype), s[:], p[:], d[:], c.Groups), castBias(c.Bias, dtype))
}

func (c *Conv2dModule) thaw() { c.frozen.thaw() }

// freeze makes a product of each place of a convolution over one element.
func (c *Conv1dModule) freeze(dtype int8) {
	if s := c.Weight.Shape(); s[2] == 1 && c.Stride == 1 && c.Padding == 0 && c.Groups == 1 {
		c.frozen.set(dtype, torch.PackLinear(torch.Reshape(c.Weight, s[:2]).CastTo(dtype)), castBias(c.Bias, dtype))
	}
}

func (c *Conv1dModule) thaw() { c.frozen.thaw() }
