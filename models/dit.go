package models

import (
	"fmt"
	"math"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn"
)

// DiT is the velocity field of images as a transformer over patches (Peebles and
// Xie 2023, "Scalable Diffusion Models with Transformers"; with the times of
// flow matching, which lie in [0,1], as SiT, Ma et al. 2024). Tensors have the
// names of DiT's own code.
type DiT struct {
	nn.Module
	PosEmbed   torch.Tensor `gotorch:"buffer"` // [1,T,W], which is not trained
	XEmbedder  *patchEmbedder
	TEmbedder  *timeEmbedder
	YEmbedder  *labelEmbedder // nil: unconditional
	Blocks     []*ditBlock
	FinalLayer *finalLayer

	config DiTConfig
}

// NewDiT builds the network on the CPU, its numbers drawn from libtorch's default
// generator. A fresh one computes 0.
func NewDiT(c DiTConfig) (*DiT, error) {
	c = c.Defaults()
	if err := c.Check(); err != nil {
		return nil, err
	}
	var d *DiT
	err := torch.Try(func() { torch.Outside(func() { torch.NoGrad(func() { d = buildDiT(c) }) }) })
	return d, err
}

func buildDiT(c DiTConfig) *DiT {
	w := int64(c.Width)
	d := &DiT{
		config:    c,
		PosEmbed:  positions(c.Size/c.PatchSize, c.Width),
		XEmbedder: newPatchEmbedder(int64(c.Channels), w, int64(c.PatchSize)),
		TEmbedder: newTimeEmbedder(w),
	}
	if c.NumClasses > 0 {
		rows := int64(c.NumClasses)
		if c.NullClass {
			rows++
		}
		d.YEmbedder = newLabelEmbedder(rows, w)
	}
	for range c.Depth {
		d.Blocks = append(d.Blocks, newDiTBlock(w, int64(c.NumHeads)))
	}
	d.FinalLayer = newFinalLayer(w, int64(c.PatchSize*c.PatchSize*c.Channels))
	d.Init(d)
	return d
}

// Config is what the network was built from.
func (d *DiT) Config() Config { return d.config }

// To moves the network; the time frequencies, which are no parameter, too.
func (d *DiT) To(device torch.Device, dtype ...int8) {
	d.Module.To(device, dtype...)
	d.TEmbedder.freqs.SetData(d.TEmbedder.freqs.To(device))
}

// Velocity is Forward.
func (d *DiT) Velocity(x, t, y torch.Tensor) torch.Tensor { return d.Forward(x, t, y) }

// Forward: x: [B,C,H,W], t: [B], y: [B] int64 or none -> v: [B,C,H,W].
func (d *DiT) Forward(x, t, y torch.Tensor) torch.Tensor {
	if (d.YEmbedder != nil) != (y.T != nil) {
		panic(&torch.Error{Op: "DiT", Msg: "a class-conditional network needs labels, and no other takes them"})
	}
	return d.run(x, t, y, nil)
}

// Trace is Forward that shows the embeddings, the blocks and the last layer.
func (d *DiT) Trace(x, t, y torch.Tensor, see func(string, nn.IModule, torch.Tensor)) torch.Tensor {
	return d.run(x, t, y, see)
}

// run is Forward; see may be none.
func (d *DiT) run(x, t, y torch.Tensor, see func(string, nn.IModule, torch.Tensor)) torch.Tensor {
	watched := see != nil
	if !watched {
		see = func(string, nn.IModule, torch.Tensor) {}
	}
	tokens := frugal(func() torch.Tensor { return d.XEmbedder.Forward(x) }) // [B,T,W]
	see("x_embedder", d.XEmbedder, tokens)
	h := stream{x: torch.Add(tokens, d.PosEmbed, 1)}
	c := frugal(func() torch.Tensor { return d.TEmbedder.Forward(t) }) // [B,W]
	see("t_embedder", d.TEmbedder, c)
	if d.YEmbedder != nil {
		label := d.YEmbedder.Forward(y)
		see("y_embedder", d.YEmbedder, label)
		c = torch.Add(c, label, 1)
	}
	c = torch.Silu(c) // that of every adaLN_modulation.0
	all := d.modulations(c)
	for i, b := range d.Blocks {
		h = h.through(func() stream { return b.Forward(h, all(i)) })
		if watched {
			h = h.summed()
			see(fmt.Sprintf("blocks.%d", i), b, h.x)
		}
	}
	patches := frugal(func() torch.Tensor { return d.FinalLayer.Forward(h, all(len(d.Blocks))) }) // [B,T,p p C]
	see("final_layer", d.FinalLayer, patches)
	v := frugal(func() torch.Tensor { return d.unpatchify(patches) })
	if v.Dtype() != x.Dtype() {
		v = v.CastTo(x.Dtype())
	}
	return v
}

// unpatchify: [B,T,p p C], a patch row by row with channels innermost ->
// [B,C,H,W].
func (d *DiT) unpatchify(h torch.Tensor) torch.Tensor {
	c, p := int64(d.config.Channels), int64(d.config.PatchSize)
	side := int64(d.config.Size) / p
	h = torch.Reshape(h, []int64{-1, side, side, p, p, c})
	h = h.Permute([]int64{0, 5, 1, 3, 2, 4}) // [B,C,side,p,side,p]
	return torch.Reshape(h, []int64{-1, c, side * p, side * p})
}

// patchEmbedder makes a token of each patch.
type patchEmbedder struct {
	nn.Module
	Proj *nn.Conv2dModule
}

func newPatchEmbedder(channels, width, patch int64) *patchEmbedder {
	e := &patchEmbedder{Proj: nn.Conv2D(channels, width, patch, nn.ConvOptions{Stride: patch})}
	xavier(e.Proj.Weight, channels*patch*patch, width)
	e.Proj.Bias.FillI(0)
	e.Init(e)
	return e
}

// Forward: x: [B,C,H,W] -> [B,T,W], row by row.
func (e *patchEmbedder) Forward(x torch.Tensor) torch.Tensor {
	h := e.Proj.Forward(x) // [B,W,H/p,W/p]
	s := h.Shape()
	h = torch.Reshape(h, []int64{s[0], s[1], s[2] * s[3]})
	return h.Transpose(1, 2)
}

// timeEmbedder embeds times by their sines and cosines and an MLP.
type timeEmbedder struct {
	nn.Module
	Mlp []nn.IModule // Linear, SiLU, Linear: [B,256] -> [B,W]

	freqs torch.Tensor // [1,128]
}

// timeFeatures is the number of a time's cosines and sines.
const timeFeatures = 256

func newTimeEmbedder(width int64) *timeEmbedder {
	first, second := linear(timeFeatures, width), linear(width, width)
	first.Weight.NormalI(0, 0.02, nil)
	second.Weight.NormalI(0, 0.02, nil)
	e := &timeEmbedder{Mlp: []nn.IModule{first, nn.SiLU(), second}, freqs: timeFrequencies(timeFeatures)}
	e.Init(e)
	return e
}

// Forward: t: [B] -> [B,W].
func (e *timeEmbedder) Forward(t torch.Tensor) torch.Tensor {
	return forward(e.Mlp, timeEmbedding(t, e.freqs), embedding{}, nil)
}

// labelEmbedder embeds classes.
type labelEmbedder struct {
	nn.Module
	EmbeddingTable *nn.EmbeddingModule
}

func newLabelEmbedder(rows, width int64) *labelEmbedder {
	e := &labelEmbedder{EmbeddingTable: nn.Embedding(rows, width)}
	e.EmbeddingTable.Weight.NormalI(0, 0.02, nil)
	e.Init(e)
	return e
}

// Forward: y: [B] int64 -> [B,W].
func (e *labelEmbedder) Forward(y torch.Tensor) torch.Tensor { return e.EmbeddingTable.Forward(y) }

// modulation gives n shifts, scales or gates of a token's features for time and
// class ("adaLN"). Fresh ones are 0, so that blocks add nothing at first
// ("adaLN-Zero"; Peebles and Xie 2023, section 3.2).
func modulation(width, n int64) []nn.IModule {
	return []nn.IModule{nn.SiLU(), zeroed(nn.Linear(width, n*width, true))}
}

// modulations are what the layers m[1] of the blocks' modulations and then the last layer's
// give, by number: [B,n W]. On a GPU one product makes all of them. c: [B,W], after SiLU.
func (d *DiT) modulations(c torch.Tensor) func(i int) torch.Tensor {
	layer := func(i int) *nn.LinearModule {
		if i == len(d.Blocks) {
			return d.FinalLayer.AdaLNModulation[1].(*nn.LinearModule)
		}
		return d.Blocks[i].AdaLNModulation[1].(*nn.LinearModule)
	}
	if !c.Device().IsCUDA() {
		return func(i int) torch.Tensor { return layer(i).Forward(c) }
	}
	var weights, biases []torch.Tensor
	for i := range len(d.Blocks) + 1 {
		weights, biases = append(weights, layer(i).Weight), append(biases, layer(i).Bias)
	}
	all := torch.RawLinears(c, weights, biases, nil)
	return func(i int) torch.Tensor { return all[i] }
}

// chunks of a modulation: [B,n W] -> n tensors [B,W].
func chunks(m torch.Tensor, n int64) []torch.Tensor { return torch.Chunk(m, n, -1) }

// stream is what blocks read and add to: x + gate branch, a sum that the normalisation that
// reads it makes. x, branch: [B,T,W], gate: [B,W], or of these two neither.
type stream struct{ x, branch, gate torch.Tensor }

// normalized is h's LayerNorm without numbers of its own, then scaled and shifted, and h as its
// sum. shift, scale: [B,W] -> [B,T,W].
func (h stream) normalized(shift, scale torch.Tensor) (stream, torch.Tensor) {
	sum, n := torch.RawModulatedNorm(h.x, h.branch, h.gate, shift, scale, 1e-6)
	return stream{x: sum}, n
}

// summed is h with nothing left to be added.
func (h stream) summed() stream {
	if h.branch.T == nil {
		return h
	}
	return stream{x: torch.Add(h.x, torch.Mul(torch.Unsqueeze(h.gate, 1), h.branch), 1)}
}

// through is frugal for a part that makes another stream of h, which is spent.
func (h stream) through(part func() stream) (out stream) {
	if torch.GradEnabled() {
		return part()
	}
	torch.Scoped(func() {
		out = part()
		for _, t := range []torch.Tensor{out.x, out.branch, out.gate} {
			if t.T != nil {
				torch.Keep(t)
			}
		}
	})
	for _, t := range []torch.Tensor{h.x, h.branch, h.gate} {
		if t.T != nil {
			spend(out.x, t)
		}
	}
	return out
}

// ditBlock is attention and an MLP, each led around and modulated.
type ditBlock struct {
	nn.Module
	Attn            *selfAttention
	Mlp             *ditMLP
	AdaLNModulation []nn.IModule `gotorch:"name=adaLN_modulation"`
}

func newDiTBlock(width, heads int64) *ditBlock {
	b := &ditBlock{Attn: newSelfAttention(width, heads), Mlp: newDiTMLP(width), AdaLNModulation: modulation(width, 6)}
	b.Init(b)
	return b
}

// Forward: h: [B,T,W], modulation: [B,6 W] -> [B,T,W].
func (b *ditBlock) Forward(h stream, modulation torch.Tensor) stream {
	m := chunks(modulation, 6) // shift, scale, gate of attention, then of the MLP
	h, n := h.normalized(m[0], m[1])
	h.branch, h.gate = b.Attn.Forward(n), m[2]
	h, n = h.normalized(m[3], m[4])
	h.branch, h.gate = b.Mlp.Forward(n), m[5]
	return h
}

// selfAttention lets every token look at all others (Vaswani et al. 2017).
type selfAttention struct {
	nn.Module
	Qkv, Proj *nn.LinearModule
	heads     int64
}

func newSelfAttention(width, heads int64) *selfAttention {
	a := &selfAttention{Qkv: linear(width, 3*width), Proj: linear(width, width), heads: heads}
	a.Init(a)
	return a
}

// Forward: x: [B,T,W] -> the same.
func (a *selfAttention) Forward(x torch.Tensor) torch.Tensor {
	s := x.Shape()
	b, tokens, ch := s[0], s[1], s[2]/a.heads
	qkv := torch.Reshape(a.Qkv.Forward(x), []int64{b, tokens, 3, a.heads, ch})
	// [B,heads,T,ch], which lies token by token, as what it is made of does.
	h := torch.RawAttention(qkv.Permute([]int64{0, 3, 2, 1, 4}), 1/math.Sqrt(float64(ch)))
	return a.Proj.Forward(torch.Reshape(h.Transpose(1, 2), s))
}

// ditMLP: [B,T,W] -> [B,T,4W] -> [B,T,W].
type ditMLP struct {
	nn.Module
	Fc1, Fc2 *nn.LinearModule
}

func newDiTMLP(width int64) *ditMLP {
	m := &ditMLP{Fc1: linear(width, mlpRatio*width), Fc2: linear(mlpRatio*width, width)}
	m.Init(m)
	return m
}

// Forward: x: [B,T,W] -> the same.
func (m *ditMLP) Forward(x torch.Tensor) torch.Tensor {
	return m.Fc2.Forward(m.Fc1.ForwardGELU(x))
}

// finalLayer makes patches of tokens.
type finalLayer struct {
	nn.Module
	Linear          *nn.LinearModule
	AdaLNModulation []nn.IModule `gotorch:"name=adaLN_modulation"`
}

func newFinalLayer(width, features int64) *finalLayer {
	l := &finalLayer{Linear: zeroed(nn.Linear(width, features, true)), AdaLNModulation: modulation(width, 2)}
	l.Init(l)
	return l
}

// Forward: h: [B,T,W], modulation: [B,2 W] -> [B,T,p p C].
func (l *finalLayer) Forward(h stream, modulation torch.Tensor) torch.Tensor {
	m := chunks(modulation, 2)
	_, n := h.normalized(m[0], m[1])
	return l.Linear.Forward(n)
}

// linear is a layer whose weight is drawn as Glorot and Bengio (2010) have it,
// with bias 0.
func linear(in, out int64) *nn.LinearModule {
	l := nn.Linear(in, out, true)
	xavier(l.Weight, in, out)
	l.Bias.FillI(0)
	return l
}

func xavier(w torch.Tensor, in, out int64) {
	bound := math.Sqrt(6 / float64(in+out))
	w.UniformI(-bound, bound, nil)
}

// positions embeds the places of side x side patches: [1,T,W]. The first half of
// the features tells the column, the second the row, each by sines and then
// cosines of W/4 frequencies.
func positions(side, width int) torch.Tensor {
	quarter := width / 4
	table := make([]float32, 0, side*side*width)
	add := func(at int) {
		for _, f := range []func(float64) float64{math.Sin, math.Cos} {
			for i := range quarter {
				table = append(table, float32(f(float64(at)/math.Pow(10000, float64(i)/float64(quarter)))))
			}
		}
	}
	for row := range side {
		for column := range side {
			add(column)
			add(row)
		}
	}
	return torch.FromSlice(table, 1, int64(side*side), int64(width))
}
