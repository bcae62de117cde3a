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

	frozen frozen
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
	if l.frozen.use() {
		return l.evaluate(x, noActivation)
	}
	return torch.RawLinear(x, l.Weight, l.Bias)
}

// ForwardSiLU is SiLU of Forward(x), the bias added in the pass that activates.
func (l *LinearModule) ForwardSiLU(x torch.Tensor) torch.Tensor {
	if l.frozen.use() {
		return l.evaluate(x, silu)
	}
	return torch.RawLinearSilu(x, l.Weight, l.Bias)
}

// ForwardGELU is GeluTanh of Forward(x), in the product where that is our own.
func (l *LinearModule) ForwardGELU(x torch.Tensor) torch.Tensor {
	if l.frozen.use() {
		return l.evaluate(x, gelu)
	}
	return torch.RawLinearGelu(x, l.Weight, l.Bias)
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
	return torch.RawGroupNormAct(x, torch.Tensor{}, g.Groups, g.Weight, g.Bias, g.Eps, false)
}

// ForwardSiLU is SiLU of Forward(x + shift) in one pass. x: [B,C,...],
// shift: [B,C] or none, added to every pixel.
func (g *GroupNormModule) ForwardSiLU(x, shift torch.Tensor) torch.Tensor {
	return torch.RawGroupNormAct(x, shift, g.Groups, g.Weight, g.Bias, g.Eps, true)
}

// ForwardSkip is Forward(x), or SiLU of it, and x for the skip connection around what follows,
// which costs no addition of gradients then. x: [B,C,...] -> both the same.
func (g *GroupNormModule) ForwardSkip(x torch.Tensor, silu bool) (y, skip torch.Tensor) {
	if !torch.GradEnabled() {
		return torch.RawGroupNormAct(x, torch.Tensor{}, g.Groups, g.Weight, g.Bias, g.Eps, silu), x
	}
	return torch.RawGroupNormActSkip(x, torch.Tensor{}, g.Groups, g.Weight, g.Bias, g.Eps, silu)
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
