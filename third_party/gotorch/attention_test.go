package gotorch

import (
	"errors"
	"fmt"
	"testing"
)

// RawAttention against float64, which is computed from libtorch's operations.

type attentionCase struct {
	samples, heads, tokens, channels int64
	layout                           string // pixels: a token's channels in a row; channels: a channel's tokens; split: tokens outermost, as in transformers
}

var attentionCases = []attentionCase{
	{2, 1, 49, 64, "pixels"},
	{2, 1, 49, 64, "channels"},
	{1, 2, 100, 32, "pixels"},
	{3, 4, 16, 16, "split"},
	{1, 1, 1, 1, "pixels"},
	{2, 3, 7, 5, "channels"}, // nothing fills a vector
	{2, 3, 33, 17, "pixels"},
	{1, 1, 65, 66, "channels"},
	{1, 1, 784, 64, "pixels"},
	{1, 2, 257, 128, "pixels"},
	{1, 1, 130, 200, "split"},
}

func (c attentionCase) String() string {
	return fmt.Sprint(c.samples, "x", c.heads, "x", c.tokens, "x", c.channels, " ", c.layout)
}

// laid gives qkv: [B,heads,3,T,C], contiguous, the case's layout.
func (c attentionCase) laid(qkv Tensor) Tensor {
	order := map[string][]int64{"pixels": {0, 3, 1, 2, 4}, "channels": {0, 1, 2, 4, 3}, "split": {0, 3, 2, 1, 4}}[c.layout]
	back := make([]int64, len(order))
	for i, o := range order {
		back[o] = int64(i)
	}
	return opPermute(Contiguous(opPermute(qkv, order)), back)
}

// inputs are qkv and the gradient at the output, in float64 and exact in the type.
func (c attentionCase) inputs(half bool) []Tensor {
	in := []Tensor{
		source{Shape: []int64{c.samples, c.heads, 3, c.tokens, c.channels}, K: 1, Scale: 6}.tensor(),
		source{Shape: []int64{c.samples, c.heads, c.tokens, c.channels}, K: 2, Scale: 2}.tensor(),
	}
	for i := range in {
		if half {
			in[i] = in[i].CastTo(BFloat16)
		}
		in[i] = in[i].CastTo(Double)
	}
	return in
}

func (c attentionCase) scale() float64 { return 0.9 / float64(c.channels) * 3 }

// run is the output and the gradients of q, k and v, in float64. ours: by
// RawAttention; else by libtorch's own attention.
func (c attentionCase) run(in []Tensor, dtype int8, ours bool) []Tensor {
	qkv := Clone(in[0].CastTo(dtype)).SetRequiresGrad(true)
	x := c.laid(qkv)
	var y Tensor
	if ours {
		y = RawAttention(x, c.scale())
	} else {
		y = Attention(Select(x, 2, 0), Select(x, 2, 1), Select(x, 2, 2), c.scale())
	}
	g := AutogradGrad([]Tensor{y}, []Tensor{qkv}, AutogradOptions{GradOutputs: []Tensor{in[1].CastTo(dtype)}})[0]
	out := []Tensor{y.Detach(), Select(g, 2, 0), Select(g, 2, 1), Select(g, 2, 2)}
	for i := range out {
		out[i] = out[i].CastTo(Double)
	}
	return out
}

var attentionParts = []string{"output", "gradient of q", "gradient of k", "gradient of v"}

func TestKernelAttention(t *testing.T) {
	for _, c := range attentionCases {
		t.Run(c.String(), func(t *testing.T) { Scoped(func() { c.check(t) }) })
	}
}

func (c attentionCase) check(t *testing.T) {
	in := c.inputs(false)
	want, got := c.run(in, Double, false), c.run(in, Float, true)
	for i := range want {
		if d := off(got[i], want[i], want[i]); !(d <= 1e-5) && !(c.tokens == 1 && Norm(got[i]).ItemFloat() < 1e-5) {
			t.Errorf("float32, %s: off by %.2g", attentionParts[i], d)
		}
	}
}

func TestKernelAttentionRefuses(t *testing.T) {
	Scoped(func() {
		for name, shape := range map[string][]int64{"four dimensions": {2, 3, 4, 5}, "two operands": {1, 1, 2, 4, 4}} {
			var e *Error
			if err := Try(func() { RawAttention(Ones(shape, false), 1) }); !errors.As(err, &e) || e.Op != "RawAttention" {
				t.Errorf("%s: %v", name, err)
			}
		}
		if y := RawAttention(Ones([]int64{0, 2, 3, 4, 5}, false), 1); y.Numel() != 0 {
			t.Error("no samples give some")
		}
	})
}
