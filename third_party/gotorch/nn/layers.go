package nn

import (
	"math"

	torch "github.com/wangkuiyi/gotorch"
)

// uniform is a parameter of the shape, uniform in [-1/sqrt(fanIn),
// 1/sqrt(fanIn)]: PyTorch's initialisation of linear layers and convolutions.
func uniform(fanIn int64, shape ...int64) torch.Tensor {
	bound := 0.0
	if fanIn > 0 {
		bound = 1 / math.Sqrt(float64(fanIn))
	}
	t := torch.Empty(shape, false)
	t.UniformI(-bound, bound, nil)
	return t.SetRequiresGrad(true)
}

func constant(value float32, shape ...int64) torch.Tensor { return torch.Full(shape, value, true) }

// LinearModule is x w' + b.
type LinearModule struct {
	Module
	InFeatures, OutFeatures int64
	Weight, Bias            torch.Tensor // [out,in], [out]
}

// Linear makes a linear layer.
func Linear(in, out int64, bias bool) *LinearModule {
	l := &LinearModule{InFeatures: in, OutFeatures: out, Weight: uniform(in, out, in)}
	if bias {
		l.Bias = uniform(in, out)
	}
	l.Init(l)
	return l
}

// Forward: x: [...,in] -> [...,out].
func (l *LinearModule) Forward(x torch.Tensor) torch.Tensor {
	return torch.RawLinear(x, l.Weight, l.Bias)
}

// Conv1dModule is a convolution over length.
type Conv1dModule struct {
	Module
	Weight, Bias torch.Tensor // [out,in,k], [out]
}

// ConvOptions configure Conv2D, and the bias of Conv1d.
type ConvOptions struct {
	Stride  int64 // 1
	Padding int64 // 0, of zeros
	NoBias  bool
}

func (o ConvOptions) stride() int64 { return max(1, o.Stride) }

// Conv1d makes a convolution over length.
func Conv1d(in, out, kernel int64, o ConvOptions) *Conv1dModule {
	if o.Stride > 1 || o.Padding != 0 {
		panic(&torch.Error{Op: "Conv1d", Msg: "stride and padding are not offered"})
	}
	c := &Conv1dModule{Weight: uniform(in*kernel, out, in, kernel)}
	if !o.NoBias {
		c.Bias = uniform(in*kernel, out)
	}
	c.Init(c)
	return c
}

// Forward: x: [B,in,L] -> [B,out,L-k+1].
func (c *Conv1dModule) Forward(x torch.Tensor) torch.Tensor {
	return torch.RawConv1d(x, c.Weight, c.Bias, []int64{1}, []int64{0}, []int64{1}, 1)
}

// Conv2dModule is a convolution over height and width.
type Conv2dModule struct {
	Module
	InChannels, OutChannels, KernelSize, Stride, Padding, Dilation, Groups int64
	PaddingMode                                                            string
	Weight, Bias                                                           torch.Tensor // [out,in/groups,k,k], [out]
}

// Conv2d makes a convolution. paddingMode is ignored: padding is of zeros.
func Conv2d(inChannels, outChannels, kernelSize, stride, padding, dilation, groups int64, bias bool, paddingMode string) *Conv2dModule {
	fan := inChannels / groups * kernelSize * kernelSize
	c := &Conv2dModule{
		InChannels: inChannels, OutChannels: outChannels, KernelSize: kernelSize, Stride: stride,
		Padding: padding, Dilation: dilation, Groups: groups, PaddingMode: paddingMode,
		Weight: uniform(fan, outChannels, inChannels/groups, kernelSize, kernelSize),
	}
	if bias {
		c.Bias = uniform(fan, outChannels)
	}
	c.Init(c)
	return c
}

// Conv2D is Conv2d by options, with dilation and groups of 1.
func Conv2D(in, out, kernel int64, o ConvOptions) *Conv2dModule {
	return Conv2d(in, out, kernel, o.stride(), o.Padding, 1, 1, !o.NoBias, "zeros")
}

// Forward: x: [B,in,H,W] -> [B,out,H',W'].
func (c *Conv2dModule) Forward(x torch.Tensor) torch.Tensor {
	s, p, d := [2]int64{c.Stride, c.Stride}, [2]int64{c.Padding, c.Padding}, [2]int64{c.Dilation, c.Dilation}
	return torch.RawConv2d(x, c.Weight, c.Bias, s[:], p[:], d[:], c.Groups)
}

// GroupNormModule normalises groups of channels (Wu and He 2018).
type GroupNormModule struct {
	Module
	Groups       int64
	Eps          float64
	Weight, Bias torch.Tensor // [channels]
}

// GroupNorm makes a group normalisation with eps 1e-5, scale 1 and shift 0.
func GroupNorm(groups, channels int64) *GroupNormModule {
	g := &GroupNormModule{Groups: groups, Eps: 1e-5, Weight: constant(1, channels), Bias: constant(0, channels)}
	g.Init(g)
	return g
}

// Forward: x: [B,C,...] -> the same. Sums are taken in float32 whatever x's
// type is.
func (g *GroupNormModule) Forward(x torch.Tensor) torch.Tensor {
	return torch.RawGroupNorm(x, g.Groups, g.Weight, g.Bias, g.Eps)
}

// LayerNormModule normalises the last dimension (Ba et al. 2016).
type LayerNormModule struct {
	Module
	Eps          float64
	Weight, Bias torch.Tensor // [features]
}

// LayerNorm makes a layer normalisation with eps 1e-5, scale 1 and shift 0.
func LayerNorm(features int64) *LayerNormModule {
	l := &LayerNormModule{Eps: 1e-5, Weight: constant(1, features), Bias: constant(0, features)}
	l.Init(l)
	return l
}

// Forward: x: [...,features] -> the same.
func (l *LayerNormModule) Forward(x torch.Tensor) torch.Tensor {
	return torch.RawLayerNorm(x, l.Weight.Shape(), l.Weight, l.Bias, l.Eps)
}

// EmbeddingModule is a table of vectors.
type EmbeddingModule struct {
	Module
	Weight torch.Tensor // [rows,features]
}

// Embedding makes a table of normal numbers.
func Embedding(rows, features int64) *EmbeddingModule {
	w := torch.RandN([]int64{rows, features}, true)
	e := &EmbeddingModule{Weight: w}
	e.Init(e)
	return e
}

// Forward: index: int64 [...] -> [...,features].
func (e *EmbeddingModule) Forward(index torch.Tensor) torch.Tensor {
	return torch.RawEmbedding(e.Weight, index)
}

// DropoutModule sets elements to 0 in training (Srivastava et al. 2014).
type DropoutModule struct {
	Module
	P float64
}

// Dropout makes a dropout of probability p.
func Dropout(p float64) *DropoutModule {
	d := &DropoutModule{P: p}
	d.Init(d)
	return d
}

// Forward: x -> the same shape.
func (d *DropoutModule) Forward(x torch.Tensor) torch.Tensor {
	return torch.Dropout(x, d.P, d.IsTraining())
}

// FunctionalModule makes a layer of a function.
type FunctionalModule struct {
	Module
	Function func(torch.Tensor) torch.Tensor
}

// Functional makes a layer of f.
func Functional(f func(torch.Tensor) torch.Tensor) *FunctionalModule {
	m := &FunctionalModule{Function: f}
	m.Init(m)
	return m
}

// Forward is f.
func (m *FunctionalModule) Forward(input torch.Tensor) torch.Tensor { return m.Function(input) }

// SiLU is x sigmoid(x) as a layer.
func SiLU() *FunctionalModule { return Functional(torch.Silu) }
