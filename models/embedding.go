package models

import (
	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn"
)

// embedding is what residual blocks are told of time and class.
type embedding struct {
	all torch.Tensor // [B,E], SiLU of it: the first of every block's EmbLayers
	// On a GPU, what each block adds to its pixels: one product makes all of them.
	shifts map[*resBlock]torch.Tensor
}

// embedded is the embedding of a UNet's blocks. emb: [B,E], after SiLU.
func (u *UNet) embedded(emb torch.Tensor) embedding {
	e := embedding{all: emb}
	if !emb.Device().IsCUDA() {
		return e
	}
	var blocks []*resBlock
	for _, list := range append(append(append([][]nn.IModule{}, u.InputBlocks...), u.MiddleBlock), u.OutputBlocks...) {
		for _, l := range list {
			if r, ok := l.(*resBlock); ok {
				blocks = append(blocks, r)
			}
		}
	}
	// Pixels are given the bias of the convolution before by this way, too, which is a pass over
	// them, and in training another for its gradient, that is not needed.
	var weights, biases, before []torch.Tensor
	for _, r := range blocks {
		l := r.EmbLayers[1].(*nn.LinearModule)
		weights, biases = append(weights, l.Weight), append(biases, l.Bias)
		before = append(before, r.InLayers[2].(*nn.Conv2dModule).Bias)
	}
	e.shifts = make(map[*resBlock]torch.Tensor, len(blocks))
	for i, shift := range torch.RawLinears(emb, weights, biases, before) {
		e.shifts[blocks[i]] = shift
	}
	return e
}

// of is what r adds to every pixel after its first convolution, [B,out], and whether that
// has the convolution's bias in it.
func (e embedding) of(r *resBlock) (shift torch.Tensor, biased bool) {
	if e.shifts != nil {
		return e.shifts[r], true
	}
	return forward(r.EmbLayers[1:], e.all, e, nil), false
}
