package gotorch

import (
	"errors"
	"fmt"
	"math"
	"testing"
)

// RawGroupNormAct's own loops against float64: libtorch's operations, which
// compute whatever is of that type, and once a formula in plain Go.

type normCase struct {
	shape  []int64
	groups int64
	layout string // contiguous, channels last, view (neither), odd address
	act    bool
	shift  bool
	plain  bool // without weight and bias
	skip   bool // x itself is a second output
}

func (c normCase) String() string {
	return fmt.Sprint(c.shape, " in ", c.groups, ", ", c.layout, ", act ", c.act, ", shift ", c.shift, ", skip ", c.skip)
}

var normCases = []normCase{
	{[]int64{2, 64, 8, 8}, 32, "contiguous", true, true, false, false},
	{[]int64{2, 64, 8, 8}, 32, "channels last", true, true, false, false},
	{[]int64{3, 32, 7, 7}, 32, "channels last", true, true, false, false}, // a channel a group
	{[]int64{3, 15, 5, 13}, 3, "contiguous", true, true, false, false},
	{[]int64{3, 15, 5, 7}, 3, "channels last", true, true, false, false},  // no vector is full
	{[]int64{2, 84, 3, 3}, 4, "channels last", true, false, false, false}, // full vectors, and a part of one
	{[]int64{2, 6, 31, 37}, 2, "contiguous", false, true, false, false},
	{[]int64{2, 6, 31, 37}, 2, "channels last", false, false, true, false},
	{[]int64{2, 8, 8, 9}, 2, "view", true, true, false, false},
	{[]int64{4, 24, 100}, 8, "contiguous", false, false, false, false}, // as in attention
	{[]int64{4, 24, 50}, 8, "channels last", true, true, false, false},
	{[]int64{5, 20}, 4, "contiguous", true, true, true, false},
	{[]int64{1, 12, 5, 5}, 12, "contiguous", true, false, false, false}, // short rows
	{[]int64{1, 2, 37, 443}, 1, "contiguous", true, true, false, false}, // blocks, the last one less than a vector
}

// withSkips are the cases, each without a skip and with one.
func withSkips(cases []normCase) (all []normCase) {
	for _, c := range cases {
		all = append(all, c)
		c.skip = true
		all = append(all, c)
	}
	return all
}

// inputs are x, shift, weight, bias and the gradient at the output, in float64,
// rounded so that they are exact in the type. x is far from 0, as what comes
// before a normalisation may be.
func (c normCase) inputs(half bool) []Tensor {
	b, ch := c.shape[0], c.shape[1]
	in := []Tensor{
		source{Shape: c.shape, K: 1, Scale: 4, Offset: 7}.tensor(),
		source{Shape: []int64{b, ch}, K: 2, Scale: 2}.tensor(),
		source{Shape: []int64{ch}, K: 3, Scale: 1, Offset: 1}.tensor(),
		source{Shape: []int64{ch}, K: 4, Scale: 1}.tensor(),
		source{Shape: c.shape, K: 5, Scale: 2}.tensor(),
	}
	for i := range in {
		if half && i != 2 && i != 3 { // as under autocast
			in[i] = in[i].CastTo(BFloat16)
		}
		in[i] = in[i].CastTo(Double)
	}
	return in
}

// laid gives x, contiguous, the case's layout.
func (c normCase) laid(x Tensor) Tensor {
	last := int64(len(c.shape) - 1)
	switch {
	case c.layout == "channels last" && last == 3:
		return ChannelsLast(x)
	case c.layout == "channels last":
		return Transpose(Contiguous(Transpose(x, 1, last)), 1, last)
	case c.layout == "view":
		return Transpose(Contiguous(Transpose(x, 2, 3)), 2, 3)
	case c.layout == "odd address": // channels last, where no vector may be read
		all := Cat([]Tensor{Zeros([]int64{1}, Options{Dtype: x.Dtype(), Device: x.Device()}), View(Contiguous(Transpose(x, 1, last)), -1)}, 0)
		return Transpose(View(Narrow(all, 0, 1, x.Numel()), c.shape[0], c.shape[2], c.shape[1]), 1, last)
	}
	return x
}

// run is the output and the gradients of x, shift, weight and bias, as far as
// there are some, in float64. ours: in the types dtype and float32 by
// RawGroupNormAct; else in dtype by libtorch's operations alone.
func (c normCase) run(in []Tensor, dtype int8, ours bool) []Tensor {
	return c.runOn(CPU, in, dtype, ours)
}

func (c normCase) runOn(d Device, in []Tensor, dtype int8, ours bool) []Tensor {
	cast := func(t Tensor, to int8) Tensor { return Clone(t.CastTo(to)).To(d).SetRequiresGrad(true) }
	x := cast(in[0], dtype)
	leaves := []Tensor{x}
	var shift, w, b Tensor
	if c.shift {
		shift = cast(in[1], dtype)
		leaves = append(leaves, shift)
	}
	if !c.plain {
		parameters := dtype
		if dtype == BFloat16 {
			parameters = Float
		}
		w, b = cast(in[2], parameters), cast(in[3], parameters)
		leaves = append(leaves, w, b)
	}
	laid := c.laid(x)
	var y Tensor
	var outputs []Tensor
	gradients := []Tensor{in[4].CastTo(dtype).To(d)}
	if c.skip {
		gradients = append(gradients, source{Shape: c.shape, K: 6, Scale: 2}.tensor().CastTo(BFloat16).CastTo(dtype).To(d))
	}
	if ours && c.skip {
		var skip Tensor
		y, skip = RawGroupNormActSkip(laid, shift, c.groups, w, b, 1e-5, c.act)
		outputs = []Tensor{y, skip}
	} else if ours {
		y = RawGroupNormAct(laid, shift, c.groups, w, b, 1e-5, c.act)
		outputs = []Tensor{y}
	} else {
		h := laid
		if c.shift {
			sizes := append([]int64{c.shape[0], c.shape[1]}, make([]int64, len(c.shape)-2)...)
			for i := 2; i < len(sizes); i++ {
				sizes[i] = 1
			}
			h = Add(h, View(shift, sizes...), 1)
		}
		y = RawGroupNorm(h, c.groups, w, b, 1e-5)
		if c.act {
			y = Silu(y)
		}
		outputs = []Tensor{y, laid}[:len(gradients)]
	}
	out := append([]Tensor{y.Detach()}, AutogradGrad(outputs, leaves, AutogradOptions{GradOutputs: gradients})...)
	for i := range out {
		out[i] = out[i].To(CPU).CastTo(Double)
	}
	return out
}

var normParts = []string{"output", "gradient 0", "gradient 1", "gradient 2", "gradient 3"}

func TestKernelGroupNorm(t *testing.T) {
	for _, c := range withSkips(normCases) {
		t.Run(c.String(), func(t *testing.T) { Scoped(func() { c.check(t) }) })
	}
}

func (c normCase) check(t *testing.T) {
	in := c.inputs(false)
	want := c.run(in, Double, false)
	got := c.run(in, Float, true)
	for i := range want {
		if d := off(got[i], want[i], want[1]); !(d <= 1e-5) {
			t.Errorf("float32, %s: off by %.2g", normParts[i], d)
		}
	}
	in = c.inputs(true)
	want = c.run(in, Double, false)
	got, theirs := c.run(in, BFloat16, true), c.run(in, BFloat16, false)
	for i := range want {
		ours, libtorch := off(got[i], want[i], want[1]), off(theirs[i], want[i], want[1])
		// An output that is rounded once is off by 2^-9 at most; of few elements
		// libtorch's may be less by luck.
		if !(ours <= max(1.05*libtorch, 1.0/512)) {
			t.Errorf("bf16, %s: off by %.2g, libtorch's by %.2g", normParts[i], ours, libtorch)
		}
	}
}

// A group of one number has no gradient: what is taken off is what is there, in bf16
// too, and what is left is not to be multiplied by the group's deviation.
func TestKernelGroupNormOfOneNumber(t *testing.T) {
	for _, layout := range []string{"contiguous", "channels last"} {
		for _, channels := range []int64{32, 20} {
			c := normCase{shape: []int64{5, channels, 1, 1}, groups: channels, layout: layout, act: true}
			Scoped(func() {
				in := c.inputs(true)
				got := c.run(in, BFloat16, true)
				deviation := 1 / math.Sqrt(1e-5)
				for i, d := range ToSlice[float32](got[1].CastTo(Float)) {
					if most := 1e-4 * deviation; !(math.Abs(float64(d)) <= most) {
						t.Errorf("%v: gradient %d is %g, beyond %.2g", c, i, d, most)
						break
					}
				}
			})
		}
	}
}

// The formula itself, once: group normalisation is of x + shift.
func TestKernelGroupNormFormula(t *testing.T) {
	const b, ch, groups, pixels = 2, 6, 2, 5
	c := normCase{shape: []int64{b, ch, pixels}, groups: groups, layout: "contiguous", act: true, shift: true}
	Scoped(func() {
		in := c.inputs(false)
		x, s, w, bias := ToSlice[float64](in[0]), ToSlice[float64](in[1]), ToSlice[float64](in[2]), ToSlice[float64](in[3])
		want := make([]float64, len(x))
		const each = ch / groups * pixels
		for g := range b * groups {
			var sum, squares float64
			for i := g * each; i < (g+1)*each; i++ {
				v := x[i] + s[i/pixels]
				sum, squares = sum+v, squares+v*v
			}
			mean := sum / each
			std := math.Sqrt(squares/each - mean*mean + 1e-5)
			for i := g * each; i < (g+1)*each; i++ {
				k := i / pixels
				z := (x[i]+s[k]-mean)/std*w[k%ch] + bias[k%ch]
				want[i] = z / (1 + math.Exp(-z))
			}
		}
		nearSlice(t, "output", ToSlice[float32](c.run(in, Float, true)[0].CastTo(Float)), want, 1e-6)
	})
}

// A gradient's product with a direction is the loss's slope along it.
func TestKernelGroupNormFiniteDifferences(t *testing.T) {
	c := normCase{shape: []int64{2, 12, 3, 3}, groups: 4, layout: "channels last", act: true, shift: true}
	Scoped(func() {
		in := c.inputs(false)
		grads := c.run(in, Float, true)[1:]
		for i, g := range grads {
			direction := source{Shape: in[i].Shape(), K: uint32(20 + i), Scale: 2}.tensor().CastTo(Double)
			const h = 1.0 / 64
			loss := func(by float32) float64 {
				moved := append([]Tensor{}, in...)
				moved[i] = Add(in[i], direction, by)
				return SumAll(Mul(c.run(moved, Float, true)[0], in[4])).ItemFloat()
			}
			slope := (loss(h) - loss(-h)) / (2 * h)
			want := SumAll(Mul(g, direction)).ItemFloat()
			if size := Norm(g).ItemFloat() * Norm(direction).ItemFloat(); math.Abs(slope-want) > 2e-3*size {
				t.Errorf("operand %d: slope %v, by the gradient %v, of at most %v", i, slope, want, size)
			}
		}
	})
}

// The number of threads changes no bit, however the work is cut.
func TestKernelGroupNormThreads(t *testing.T) {
	n := NumThreads()
	defer SetNumThreads(int32(n))
	for _, shape := range [][]int64{{1, 64, 16, 16}, {3, 32, 9, 9}, {40, 32, 4, 4}} {
		for _, layout := range []string{"contiguous", "channels last"} {
			c := normCase{shape: shape, groups: 32, layout: layout, act: true, shift: true}
			Scoped(func() {
				var first []Tensor
				for _, threads := range []int32{1, 2, 5} {
					SetNumThreads(threads)
					Scoped(func() { // takes the number
						got := c.run(c.inputs(false), Float, true)
						if first == nil {
							first = got
							for _, g := range got {
								Keep(g)
							}
							return
						}
						for i := range got {
							if !Equal(got[i], first[i]) {
								t.Errorf("%v, %d threads: %s differs", c, threads, normParts[i])
							}
						}
					})
				}
			})
		}
	}
}

// Gradients of gradients, as a gradient penalty needs them.
func TestKernelGroupNormTwice(t *testing.T) {
	twice := func(dtype int8) Tensor {
		x := source{Shape: []int64{2, 8, 11, 7}, K: 1, Scale: 2}.tensor().CastTo(dtype).SetRequiresGrad(true)
		w := source{Shape: []int64{8}, K: 2, Scale: 1, Offset: 1}.tensor().CastTo(dtype).SetRequiresGrad(true)
		h, skip := RawGroupNormActSkip(Transpose(x, 2, 3), Tensor{}, 2, w, Tensor{}, 1e-5, true)
		y := SumAll(Square(Add(h, Square(skip), 1)))
		g := AutogradGrad([]Tensor{y}, []Tensor{x}, AutogradOptions{CreateGraph: true})[0]
		return AutogradGrad([]Tensor{SumAll(Square(g))}, []Tensor{w}, AutogradOptions{})[0].CastTo(Double)
	}
	Scoped(func() {
		want := twice(Double)
		if d := off(twice(Float), want, want); !(d <= 1e-5) {
			t.Errorf("off by %.2g", d)
		}
	})
}

// Of the two outputs either may be left unused; one that is x itself gives no gradient to others.
func TestKernelGroupNormSkipAlone(t *testing.T) {
	for _, dtype := range []int8{Float, Double} { // ours and libtorch's
		Scoped(func() {
			x := Ones([]int64{2, 6, 64}, false).CastTo(dtype).SetRequiresGrad(true)
			w := Ones([]int64{6}, false).CastTo(dtype).SetRequiresGrad(true)
			y, skip := RawGroupNormActSkip(x, Tensor{}, 2, w, Tensor{}, 1e-5, true)
			if !Equal(skip, x) || !Equal(y, RawGroupNormAct(x, Tensor{}, 2, w, Tensor{}, 1e-5, true)) {
				t.Error("the outputs are not those of the operation without a skip, and x")
			}
			three := Full(x.Shape(), 3, false).CastTo(dtype)
			g := AutogradGrad([]Tensor{skip}, []Tensor{x, w}, AutogradOptions{GradOutputs: []Tensor{three}})
			if !Equal(g[0], three) || g[1].Defined() && Norm(g[1]).ItemFloat() != 0 {
				t.Error("the gradient of x is not what came, or there is one of the weight")
			}
			NoGrad(func() { skip.FillI(0) })
			if err := Try(func() { AutogradGrad([]Tensor{y}, []Tensor{x}, AutogradOptions{GradOutputs: []Tensor{three}}) }); err == nil {
				t.Error("x, changed through the second output, was taken for what it was")
			}
			NoGrad(func() {
				if _, skip := RawGroupNormActSkip(x, Tensor{}, 2, w, Tensor{}, 1e-5, true); address(skip) != address(x) {
					t.Error("without gradients x is not itself")
				}
			})
		})
	}
}

func TestKernelGroupNormRefuses(t *testing.T) {
	Scoped(func() {
		x, four := Ones([]int64{2, 6, 3}, false), Ones([]int64{4}, false)
		for name, f := range map[string]func(){
			"groups that do not divide": func() { RawGroupNormAct(x, Tensor{}, 4, Tensor{}, Tensor{}, 1e-5, true) },
			"no groups":                 func() { RawGroupNormAct(x, Tensor{}, 0, Tensor{}, Tensor{}, 1e-5, true) },
			"a weight of another size":  func() { RawGroupNormAct(x, Tensor{}, 2, four, Tensor{}, 1e-5, true) },
			"a bias of another size":    func() { RawGroupNormAct(x, Tensor{}, 2, Tensor{}, four, 1e-5, true) },
			"a shift of another size":   func() { RawGroupNormAct(x, four, 2, Tensor{}, Tensor{}, 1e-5, true) },
			"no channels":               func() { RawGroupNormAct(four, Tensor{}, 2, Tensor{}, Tensor{}, 1e-5, true) },
		} {
			var e *Error
			if err := Try(f); !errors.As(err, &e) || e.Op != "RawGroupNormAct" {
				t.Errorf("%s: %v", name, err)
			}
		}
		if y := RawGroupNormAct(Ones([]int64{0, 6, 3}, false), Tensor{}, 2, Tensor{}, Tensor{}, 1e-5, true); y.Numel() != 0 {
			t.Error("no samples give some")
		}
	})
}

// Every allocation of it may fail, forward and backward.
func TestKernelGroupNormOutOfMemory(t *testing.T) {
	c := normCases[8] // a view: everything is copied first
	Scoped(func() {
		in := c.inputs(true)
		everyAllocationFails(t, 9, func() { c.run(in, BFloat16, true) })
	})
}

func TestKernelGroupNormOnLesserProcessors(t *testing.T) {
	onLesserProcessors(t, "^TestKernelGroupNorm(|Formula|Threads)$")
}

// What libtorch computes itself: gradients of weights alone where channels lie side by side,
// which it writes beyond what there is, and of a bias without a weight, at which it fails.
func TestGroupNormGradientsOfLibtorch(t *testing.T) {
	grads := func(y, dy Tensor, of ...Tensor) []Tensor {
		return AutogradGrad([]Tensor{y}, of, AutogradOptions{GradOutputs: []Tensor{dy}})
	}
	c := normCase{shape: []int64{3, 23, 2, 194}, groups: 23}
	for what, norm := range map[string]func(x, w, b Tensor) Tensor{
		"RawGroupNorm":    func(x, w, b Tensor) Tensor { return RawGroupNorm(x, 23, w, b, 1e-5) },
		"RawGroupNormAct": func(x, w, b Tensor) Tensor { return RawGroupNormAct(x, Tensor{}, 23, w, b, 1e-5, false) },
	} {
		Scoped(func() {
			in := c.inputs(false)
			x, w, b, dy := in[0], in[2].SetRequiresGrad(true), in[3].SetRequiresGrad(true), in[4]
			want := grads(norm(x, w, b), dy, w, b)
			for range 20 { // it is not seen each time
				got := grads(norm(ChannelsLast(x), w, b), ChannelsLast(dy), w, b)
				for i := range want {
					if e := off(got[i], want[i], want[i]); !(e < 1e-12) {
						t.Fatalf("%s: gradient %d is %g off where channels lie side by side", what, i, e)
					}
				}
			}
			bare := grads(norm(x, Tensor{}, b), dy, b)
			if e := off(bare[0], want[1], want[1]); !(e < 1e-12) {
				t.Errorf("%s: the gradient of a bias without a weight is %g off", what, e)
			}
		})
	}
}
