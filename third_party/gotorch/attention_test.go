package gotorch

import (
	"errors"
	"fmt"
	"math"
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
// RawAttention; else by libtorch's products and softmax.
func (c attentionCase) run(in []Tensor, dtype int8, ours bool) []Tensor {
	return c.scaled(in, dtype, ours, c.scale())
}

func (c attentionCase) scaled(in []Tensor, dtype int8, ours bool, scale float64) []Tensor {
	qkv := Clone(in[0].CastTo(dtype)).SetRequiresGrad(true)
	x := c.laid(qkv)
	var y Tensor
	if ours {
		y = RawAttention(x, scale)
	} else {
		root := math.Sqrt(scale)
		scores := MatMul(MulScalar(Select(x, 2, 0), root), MulScalar(Select(x, 2, 1), root).Transpose(2, 3))
		y = MatMul(Softmax(scores, -1), Select(x, 2, 2))
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
	in = c.inputs(true)
	want = c.run(in, Double, false)
	got, theirs := c.run(in, BFloat16, true), c.run(in, BFloat16, false)
	for i := range want {
		if c.tokens == 1 && (i == 1 || i == 2) {
			continue // nothing but rounding
		}
		ours, libtorch := off(got[i], want[i], want[i]), off(theirs[i], want[i], want[i])
		// What is rounded once is off by 2^-9 at most.
		if !(ours <= max(libtorch, 1.0/512)) {
			t.Errorf("bf16, %s: off by %.2g, libtorch's by %.2g", attentionParts[i], ours, libtorch)
		}
	}
}

// The output lies in memory as the operands do, so that what follows needs no copy.
func TestKernelAttentionLayout(t *testing.T) {
	Scoped(func() {
		for _, dtype := range []int8{Float, BFloat16} {
			qkv := Ones([]int64{2, 5, 3, 4, 6}, false).CastTo(dtype)
			for layout, order := range map[string][]int64{"pixels": {0, 2, 1, 3}, "channels": {0, 1, 3, 2}, "split": {0, 2, 1, 3}} {
				y := RawAttention(attentionCase{layout: layout}.laid(qkv), 1)
				View(opPermute(y, order), -1) // fails where it is not so
			}
		}
	})
}

// The formula itself, once: softmax is over the keys.
func TestKernelAttentionFormula(t *testing.T) {
	c := attentionCase{1, 1, 5, 3, "pixels"}
	Scoped(func() {
		in := c.inputs(false)
		x := ToSlice[float64](in[0])
		q, k, v := x[:15], x[15:30], x[30:]
		want := make([]float64, 15)
		for i := range 5 {
			var weights [5]float64
			sum := 0.0
			for j := range 5 {
				s := 0.0
				for ch := range 3 {
					s += q[3*i+ch] * k[3*j+ch]
				}
				weights[j] = math.Exp(s * c.scale())
				sum += weights[j]
			}
			for j := range 5 {
				for ch := range 3 {
					want[3*i+ch] += weights[j] / sum * v[3*j+ch]
				}
			}
		}
		nearSlice(t, "output", ToSlice[float32](c.run(in, Float, true)[0].CastTo(Float)), want, 1e-6)
	})
}

// Scores far apart leave one key; those that are equal, all.
func TestKernelAttentionExtremes(t *testing.T) {
	Scoped(func() {
		for _, dtype := range []int8{Float, BFloat16} {
			q := MulScalar(Eye(4, 4, false), 200)
			v := source{Shape: []int64{4, 4}, K: 1, Scale: 2}.tensor().CastTo(BFloat16).CastTo(Float)
			one := Stack([]Tensor{q, q, v}, 0).CastTo(dtype)
			if y := RawAttention(View(one, 1, 1, 3, 4, 4), 1); !AllClose(View(y, 4, 4).CastTo(Float), v) {
				t.Error("of far scores: ", y)
			}
			all := Stack([]Tensor{q, MulScalar(Ones([]int64{4, 4}, false), -500), v}, 0).CastTo(dtype)
			mean := opExpandAs(opMeanDims(v, []int64{0}, true), v)
			if d := off(View(RawAttention(View(all, 1, 1, 3, 4, 4), 1), 4, 4).CastTo(Float), mean, mean); !(d < 1.0/256) {
				t.Errorf("of equal scores: off by %.2g", d)
			}
		}
	})
}

// Scores that grow along the keys, so that weights must be made small again and again.
func TestKernelAttentionRisingScores(t *testing.T) {
	c := attentionCase{1, 1, 600, 4, "pixels"}
	Scoped(func() {
		x := ToSlice[float64](c.inputs(true)[0])
		for i := range int(c.tokens) {
			x[4*i], x[4*(600+i)] = float64(1-i%3), float64(i) // of q and of k; scores of 400
		}
		// What is rounded to bf16 here are also differences of larger numbers.
		for dtype, most := range map[int8]float64{Float: 1e-4, BFloat16: 1.0 / 32} {
			in := []Tensor{View(FromSlice(x, int64(len(x))), 1, 1, 3, 600, 4).CastTo(BFloat16).CastTo(Double), c.inputs(true)[1]}
			want, got := c.run(in, Double, false), c.run(in, dtype, true)
			for i := range want {
				if d := off(got[i], want[i], want[i]); !(d <= most) {
					t.Errorf("type %d, %s: off by %.2g", dtype, attentionParts[i], d)
				}
			}
		}
	})
}

// Scores that are as large as float32 counts end with the value of the key that has the greatest.
func TestKernelAttentionHugeScores(t *testing.T) {
	const tokens, channels = 600, 32
	for _, scale := range []float32{0x1p12, 0x1p20, 0x1p33, 0x1p50, 0x1p58} {
		for _, dtype := range []int8{Float, BFloat16} {
			Scoped(func() {
				x := ToSlice[float32](source{Shape: []int64{3, tokens, channels}, K: 3, Scale: 2}.tensor().CastTo(BFloat16).CastTo(Float))
				var v []float32
				for i := range 2 * tokens * channels {
					x[i] *= scale
				}
				v = x[2*tokens*channels:]
				y := ToSlice[float32](RawAttention(View(FromSlice(x, int64(len(x))), 1, 1, 3, tokens, channels).CastTo(dtype), 1).CastTo(Float))
				for q := range tokens {
					best, next, at := math.Inf(-1), 0.0, 0
					for k := range tokens {
						s := 0.0
						for c := range channels {
							s += float64(x[q*channels+c]) * float64(x[(tokens+k)*channels+c])
						}
						if s > best {
							best, next, at = s, best, k
						} else {
							next = max(next, s)
						}
					}
					if best-next < 1e-3*best {
						continue // float32 may not know
					}
					got, want := y[q*channels], v[at*channels]
					if !(math.Abs(float64(got-want)) <= 1e-2) {
						t.Errorf("type %d, scores of %.0g, query %d: %v, want %v", dtype, best, q, got, want)
						return
					}
				}
			})
		}
	}
}

// whole are inputs of which q and k are whole numbers up to most: sums of their products
// are exact.
func (c attentionCase) whole(most float64) []Tensor {
	in := c.inputs(true)
	return []Tensor{Cat([]Tensor{Round(MulScalar(Narrow(in[0], 2, 0, 2), most/3)), Narrow(in[0], 2, 2, 1)}, 2), in[1]}
}

// Scores of thousands, all exact, so that what is off is the weights and their gradients: those
// of products and softmax are off as little. Scores are whole numbers times scale, a power of 2.
func TestKernelAttentionLargeScores(t *testing.T) {
	for _, c := range []attentionCase{{2, 1, 49, 64, "pixels"}, {2, 3, 33, 17, "channels"}, {1, 2, 300, 32, "split"}} {
		for _, scale := range []float64{1.0 / 128, 1.0 / 8, 1.0 / 2} { // scores of 300, 4000, 16000
			if c.tokens == 33 && scale == 1.0/2 {
				continue // no query wavers between keys: no gradient is left
			}
			Scoped(func() {
				in := c.whole(64)
				want := c.scaled(in, Double, false, scale)
				for dtype, most := range map[int8]float64{Float: 2e-6, BFloat16: 1.0 / 32} {
					got := c.scaled(in, dtype, true, scale)
					for i := range want {
						if d := off(got[i], want[i], want[i]); !(d <= most) {
							t.Errorf("%v, scale %v, type %d, %s: off by %.2g", c, scale, dtype, attentionParts[i], d)
						}
					}
				}
			})
		}
	}
}

// Scores of up to 1e30, all exact: a query's weights are 1 and nothing, or shared by keys whose
// scores are equal, and so are their gradients, as those of products and softmax.
func TestKernelAttentionGreatestScores(t *testing.T) {
	for _, c := range []attentionCase{{2, 1, 49, 64, "pixels"}, {2, 3, 33, 17, "channels"}, {1, 1, 600, 32, "split"}} {
		for _, scale := range []float64{0x1p10, 0x1p20, 0x1p40, 0x1p80} {
			Scoped(func() {
				in := c.whole(64)
				want := c.scaled(in, Double, false, scale)
				for dtype, most := range map[int8]float64{Float: 2e-6, BFloat16: 1.0 / 32} {
					got := c.scaled(in, dtype, true, scale)
					for i := range want {
						// Where the truth is 0, what a weight of e^-86 gives may be left.
						if norm := Norm(want[i]).ItemFloat(); norm == 0 && !(Norm(got[i]).ItemFloat() < 1e-6) {
							t.Errorf("%v, scale %v, type %d, %s: %.2g, want 0", c, scale, dtype, attentionParts[i], Norm(got[i]).ItemFloat())
						} else if d := off(got[i], want[i], want[i]); norm > 0 && !(d <= most) {
							t.Errorf("%v, scale %v, type %d, %s: off by %.2g", c, scale, dtype, attentionParts[i], d)
						}
					}
				}
			})
		}
	}
}

// What is no number does not get lost.
func TestKernelAttentionNotANumber(t *testing.T) {
	Scoped(func() {
		for part := range 3 {
			x := make([]float32, 3*40*8)
			x[part*40*8+7] = float32(math.NaN())
			for _, dtype := range []int8{Float, BFloat16} {
				y := RawAttention(View(FromSlice(x, int64(len(x))), 1, 1, 3, 40, 8).CastTo(dtype), 1)
				if s := SumAll(y.CastTo(Float)).ItemFloat(); !math.IsNaN(float64(s)) {
					t.Errorf("type %d, part %d: %v", dtype, part, s)
				}
			}
		}
	})
}

// The number of threads changes no bit.
func TestKernelAttentionThreads(t *testing.T) {
	n := NumThreads()
	defer SetNumThreads(int32(n))
	Scoped(func() {
		for _, dtype := range []int8{Float, BFloat16} {
			c := attentionCase{5, 2, 70, 20, "pixels"}
			var first []Tensor
			for _, threads := range []int32{1, 2, 5} {
				SetNumThreads(threads)
				Scoped(func() { // takes the number
					got := c.run(c.inputs(true), dtype, true)
					if first == nil {
						first = got
						for _, g := range got {
							Keep(g)
						}
						return
					}
					for i := range got {
						if !Equal(got[i], first[i]) {
							t.Errorf("%d threads: %s differs", threads, attentionParts[i])
						}
					}
				})
			}
		}
	})
}

// Without gradients it changes none either where there are fewer heads than cores:
// samples are to be the same.
func TestKernelAttentionThreadsOfOneSample(t *testing.T) {
	n := NumThreads()
	defer SetNumThreads(int32(n))
	Scoped(func() {
		x := source{Shape: []int64{1, 1, 3, 20, 8}, K: 1, Scale: 4}.tensor().CastTo(Float)
		var first Tensor
		for _, threads := range []int32{1, 3, 7} {
			SetNumThreads(threads)
			Scoped(func() {
				NoGrad(func() {
					y := RawAttention(x, 0.3)
					if threads == 1 {
						first = y
						Keep(y)
					} else if !Equal(y, first) {
						t.Errorf("%d threads: the output differs", threads)
					}
				})
			})
		}
	})
}

// With more cores than heads libtorch's products serve in training, which use them all; so
// they do for gradients of gradients.
func TestKernelAttentionComposed(t *testing.T) {
	n := NumThreads()
	defer SetNumThreads(int32(n))
	SetNumThreads(5)
	Scoped(func() { attentionCase{1, 2, 20, 8, "pixels"}.check(t) })
	SetNumThreads(1)
	twice := func(dtype int8) Tensor {
		x := source{Shape: []int64{1, 1, 3, 6, 4}, K: 1, Scale: 4}.tensor().CastTo(dtype).SetRequiresGrad(true)
		g := AutogradGrad([]Tensor{SumAll(Square(RawAttention(x, 0.5)))}, []Tensor{x}, AutogradOptions{CreateGraph: true})[0]
		return AutogradGrad([]Tensor{SumAll(Square(g))}, []Tensor{x}, AutogradOptions{})[0].CastTo(Double)
	}
	Scoped(func() {
		want := twice(Double)
		if d := off(twice(Float), want, want); !(d <= 1e-5) {
			t.Errorf("twice: off by %.2g", d)
		}
	})
}

// A gradient that is repeated in memory, as that of a sum is.
func TestKernelAttentionGradientOfSum(t *testing.T) {
	of := func(dtype int8) Tensor {
		x := source{Shape: []int64{2, 1, 3, 9, 4}, K: 1, Scale: 4}.tensor().CastTo(dtype).SetRequiresGrad(true)
		return AutogradGrad([]Tensor{SumAll(RawAttention(x, 0.5))}, []Tensor{x}, AutogradOptions{})[0].CastTo(Double)
	}
	Scoped(func() {
		want := of(Double)
		if d := off(of(Float), want, want); !(d <= 1e-5) {
			t.Errorf("off by %.2g", d)
		}
	})
}

// Every allocation of it may fail, forward and backward.
func TestKernelAttentionOutOfMemory(t *testing.T) {
	c := attentionCases[1]
	Scoped(func() {
		in := c.inputs(true)
		everyAllocationFails(t, 5, func() { c.run(in, BFloat16, true) })
	})
}

// Without tiles, and on lesser processors.
func TestKernelAttentionOnLesserProcessors(t *testing.T) {
	onLesserProcessors(t, "^TestKernelAttention(|Formula|Extremes|RisingScores|LargeScores|GreatestScores|HugeScores|NotANumber|Threads)$")
}

func TestKernelAttentionRefuses(t *testing.T) {
	Scoped(func() {
		for name, shape := range map[string][]int64{"four dimensions": {2, 3, 4, 5}, "two operands": {1, 1, 2, 4, 4}} {
			var e *Error
			if err := Try(func() { RawAttention(Ones(shape, false), 1) }); !errors.As(err, &e) || e.Op != "RawAttention" {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, scale := range []float64{-1, math.NaN()} {
			if err := Try(func() { RawAttention(Ones([]int64{1, 1, 3, 4, 4}, false), scale) }); err == nil {
				t.Errorf("a scale of %v is taken", scale)
			}
		}
		if y := RawAttention(Ones([]int64{0, 2, 3, 4, 5}, false), 1); y.Numel() != 0 {
			t.Error("no samples give some")
		}
	})
}

// Attention and AttentionMasked of scores of thousands, all exact: gradients are those of
// products and softmax, from which libtorch's own kernel is far.
func TestKernelAttentionOfParts(t *testing.T) {
	c := attentionCase{2, 1, 49, 64, "pixels"}
	const scale = 1.0 / 16
	for name, of := range map[string]func(in []Tensor) Tensor{
		"whole":  func(in []Tensor) Tensor { return Attention(in[0], in[1], in[2], scale) },
		"causal": func(in []Tensor) Tensor { return AttentionMasked(in[0], in[1], in[2], Tensor{}, true, scale) },
		"masked": func(in []Tensor) Tensor {
			mask := GtScalar(Tril(Ones([]int64{49, 49}, false), 0), 0.5)
			return AttentionMasked(in[0], in[1], in[2], mask, false, scale)
		},
		"other keys": func(in []Tensor) Tensor {
			return Attention(Narrow(in[0], 2, 0, 33), in[1], in[2], scale)
		},
	} {
		t.Run(name, func(t *testing.T) {
			Scoped(func() {
				run := func(dtype int8) []Tensor {
					in := Unbind(c.whole(64)[0], 2)
					for i := range in {
						in[i] = Clone(in[i].CastTo(dtype)).SetRequiresGrad(true)
					}
					y := of(in)
					out := append([]Tensor{y.Detach()}, AutogradGrad([]Tensor{y}, in, AutogradOptions{GradOutputs: []Tensor{Narrow(c.whole(64)[1], 2, 0, y.Shape()[2]).CastTo(dtype)}})...)
					for i := range out {
						out[i] = out[i].CastTo(Double)
					}
					return out
				}
				want := run(Double)
				for i, got := range run(Float) {
					if d := off(got, want[i], want[i]); !(d <= 3e-6) {
						t.Errorf("%s: off by %.2g", attentionParts[i], d)
					}
				}
			})
		})
	}
}
