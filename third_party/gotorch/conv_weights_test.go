package gotorch

import (
	"fmt"
	"os"
	"slices"
	"testing"
)

// The gradients at the weights of convolutions of bf16, which are sums of our own where
// the processor has tiles, against float64 and libtorch's own.

type convWeightsCase struct {
	samples, in, height, width, out, stride, padding int64
	noBias                                           bool
}

var convWeightsCases = []convWeightsCase{
	{32, 32, 4, 4, 32, 1, 1, false}, // full tiles
	{33, 33, 7, 5, 17, 1, 1, false}, // nothing is full: a sample, a channel too many
	{17, 16, 3, 9, 1, 1, 1, true},
	{40, 70, 5, 5, 50, 2, 1, false},
	{64, 48, 6, 8, 40, 2, 1, true},
	{20, 24, 5, 6, 8, 1, 0, false},
	{20, 24, 1, 3, 8, 1, 1, false}, // taps that see nothing
	{20, 24, 1, 1, 40, 1, 1, false},
	{20, 24, 2, 2, 8, 3, 2, false},
	{64, 160, 4, 4, 144, 1, 1, false},  // blocks, the last ones smaller
	{96, 32, 3, 2, 32, 1, 2, false},    // chunks across images
	{32, 128, 2, 70, 128, 1, 1, false}, // rows so long that blocks are halved
	{32, 32, 70, 2, 32, 1, 1, false},
}

func (c convWeightsCase) String() string {
	return fmt.Sprintf("%dx%dx%dx%d to %d by %d around %d", c.samples, c.in, c.height, c.width, c.out, c.stride, c.padding)
}

var convWeightsParts = []string{"output", "gradient of x", "gradient of w", "gradient of b"}

// inputs are x, w, b, and the gradient at the output, of bf16 numbers in float64.
func (c convWeightsCase) inputs() []Tensor {
	size := func(n int64) int64 { return (n+2*c.padding-3)/c.stride + 1 }
	var all []Tensor
	for k, shape := range [][]int64{
		{c.samples, c.in, c.height, c.width}, {c.out, c.in, 3, 3}, {c.out},
		{c.samples, c.out, size(c.height), size(c.width)},
	} {
		all = append(all, source{Shape: shape, K: uint32(k + 1), Scale: 2}.tensor().CastTo(BFloat16).CastTo(Double))
	}
	return all
}

func (c convWeightsCase) forward(x, w, b Tensor) Tensor {
	return RawConv2d(x, w, b, []int64{c.stride, c.stride}, []int64{c.padding, c.padding}, []int64{1, 1}, 1)
}

// pixelByPixel is x with channels side by side in memory.
func pixelByPixel(x Tensor) Tensor {
	return opPermute(Contiguous(opPermute(x, []int64{0, 2, 3, 1})), []int64{0, 3, 1, 2})
}

// run is the output and the gradients of x, w and b, in float64. last: x is laid out
// pixel by pixel, without which the gradients are libtorch's.
func (c convWeightsCase) run(in []Tensor, dtype int8, last bool) []Tensor {
	leaves := make([]Tensor, 0, 3)
	for _, t := range in[:3] {
		leaves = append(leaves, Clone(t.CastTo(dtype)).SetRequiresGrad(true))
	}
	x, b := leaves[0], leaves[2]
	if last {
		x = pixelByPixel(x)
	}
	if c.noBias {
		b, leaves = Tensor{}, leaves[:2]
	}
	y := c.forward(x, leaves[1], b)
	all := append([]Tensor{y.Detach()}, AutogradGrad([]Tensor{y}, leaves, AutogradOptions{GradOutputs: []Tensor{in[3].CastTo(dtype)}})...)
	for i := range all {
		all[i] = all[i].CastTo(Double)
	}
	return all
}

// hasTiles tells whether the loops are there.
func hasTiles() bool {
	for _, limit := range []string{"ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"} {
		if os.Getenv(limit) != "" {
			return false
		}
	}
	return slices.Contains(CPUFlags(), "amx_bf16")
}

// needsTiles skips what asks for their accuracy where libtorch computes in their place,
// which rounds more often on processors without bf16.
func needsTiles(t *testing.T) {
	t.Helper()
	if !hasTiles() {
		t.Skip("this processor has no tiles of bf16, or may not use them")
	}
}

// sumsWeights tells whether f makes a gradient by the loops.
func sumsWeights(f func()) bool {
	return slices.ContainsFunc(Profile(f), func(o OperationProfile) bool { return o.Name == "gotorch::conv_weights" })
}

// alone makes f run on one thread: oneDNN's sums over weights wait in turn for threads
// that others keep from running.
func alone(f func()) {
	n := NumThreads()
	defer SetNumThreads(int32(n))
	SetNumThreads(1)
	Scoped(f)
}

func TestKernelConvWeights(t *testing.T) {
	for _, c := range convWeightsCases {
		t.Run(c.String(), func(t *testing.T) { alone(func() { c.check(t) }) })
	}
}

func (c convWeightsCase) check(t *testing.T) {
	in := c.inputs()
	var ours []Tensor
	if used := sumsWeights(func() { ours = c.run(in, BFloat16, true) }); used != hasTiles() {
		t.Errorf("loops of our own: %t", used)
	}
	if !hasTiles() {
		return
	}
	want, libtorch := c.run(in, Double, true), c.run(in, BFloat16, false)
	for i := range want {
		// What is rounded once is off by 2^-9 at most.
		if d, l := off(ours[i], want[i], want[i]), off(libtorch[i], want[i], want[i]); !(d <= max(l, 1.0/512)) {
			t.Errorf("%s: off by %.2g, libtorch's by %.2g", convWeightsParts[i], d, l)
		}
	}
}

// Each element by itself: what no norm shows, as a tap or a channel in another's place.
func TestKernelConvWeightsElements(t *testing.T) {
	needsTiles(t)
	alone(func() {
		for _, c := range convWeightsCases[:4] {
			in := c.inputs()
			want, got := ToSlice[float64](c.run(in, Double, true)[2]), ToSlice[float64](c.run(in, BFloat16, true)[2])
			most := slices.Max(want)
			for i := range want {
				if d := max(got[i]-want[i], want[i]-got[i]); !(d <= most/256) {
					t.Fatalf("%v: element %d is %g, not %g", c, i, got[i], want[i])
				}
			}
		}
	})
}

// The gradient lies in memory as the weights do, and is not brought there.
func TestKernelConvWeightsLayouts(t *testing.T) {
	if !hasTiles() {
		t.Skip("the loops are of a processor with AMX")
	}
	alone(func() {
		for _, c := range convWeightsCases[:4] {
			c.noBias = true
			in := c.inputs()
			x, dy := pixelByPixel(in[0].CastTo(BFloat16)), pixelByPixel(in[3].CastTo(BFloat16))
			gradient := func(w Tensor, order []int64) (g Tensor) {
				y := c.forward(x, w.SetRequiresGrad(true), Tensor{})
				for _, o := range Profile(func() {
					g = AutogradGrad([]Tensor{y}, []Tensor{w}, AutogradOptions{GradOutputs: []Tensor{dy}})[0]
					Contiguous(opPermute(g, order))
				}) {
					if o.Name == "aten::copy_" || o.Name == "aten::clone" {
						t.Errorf("%v, elements in the order %v: %s", c, order, o.Name)
					}
				}
				return g
			}
			w := in[1].CastTo(BFloat16)
			whole, pixels := gradient(Clone(w), []int64{0, 1, 2, 3}), gradient(pixelByPixel(w), []int64{0, 2, 3, 1})
			if !Equal(whole, pixels) {
				t.Errorf("%v: the order of elements changes numbers", c)
			}
		}
	})
}

// With any number of threads the same but for rounding, and with one number the same
// bits each time.
func TestKernelConvWeightsThreads(t *testing.T) {
	needsTiles(t)
	n := NumThreads()
	defer SetNumThreads(int32(n))
	Scoped(func() {
		for _, c := range []convWeightsCase{convWeightsCases[1], convWeightsCases[9], {17, 16, 1, 1, 8, 1, 1, false}} {
			in := c.inputs()
			want := c.run(in, Double, true)
			for _, threads := range []int32{1, 2, 3, 7} {
				SetNumThreads(threads)
				Scoped(func() { // takes the number
					got, again := c.run(in, BFloat16, true), c.run(in, BFloat16, true)
					for i := 2; i < len(got); i++ { // the others are libtorch's
						if d := off(got[i], want[i], want[i]); !(d <= 1.0/512) {
							t.Errorf("%v, %d threads, %s: off by %.2g", c, threads, convWeightsParts[i], d)
						}
						if !Equal(got[i], again[i]) {
							t.Errorf("%v, %d threads, %s: another one each time", c, threads, convWeightsParts[i])
						}
					}
				})
			}
		}
	})
}

// Where the loops do not serve, gradients are libtorch's.
func TestKernelConvWeightsElsewhere(t *testing.T) {
	whole := convWeightsCase{32, 32, 4, 4, 32, 1, 1, false}
	one := []int64{1, 1}
	of := func(dtype int8, shape ...int64) Tensor {
		return source{Shape: shape, K: 1, Scale: 2}.tensor().CastTo(dtype)
	}
	leaf := func(t Tensor) Tensor { return t.SetRequiresGrad(true) }
	backward := func(y Tensor, w Tensor) {
		AutogradGrad([]Tensor{SumAll(y)}, []Tensor{w}, AutogradOptions{})
	}
	conv := func(x, w Tensor, padding, dilation []int64, groups int64) func() {
		return func() { backward(RawConv2d(x, leaf(w), Tensor{}, one, padding, dilation, groups), w) }
	}
	alone(func() {
		x := pixelByPixel(of(BFloat16, 32, 32, 4, 4))
		w := func() Tensor { return of(BFloat16, 32, 32, 3, 3) }
		for name, f := range map[string]func(){
			"float32":          conv(pixelByPixel(of(Float, 32, 32, 4, 4)), of(Float, 32, 32, 3, 3), one, one, 1),
			"channels":         conv(Contiguous(x), w(), one, one, 1),
			"part of channels": conv(Narrow(pixelByPixel(of(BFloat16, 32, 40, 4, 4)), 1, 3, 32), w(), one, one, 1),
			"groups":           conv(x, of(BFloat16, 32, 16, 3, 3), one, one, 2),
			"dilation":         conv(x, w(), []int64{2, 2}, []int64{2, 2}, 1),
			"padding":          conv(x, w(), []int64{1, 0}, one, 1),
			"kernel":           conv(x, of(BFloat16, 32, 32, 5, 5), []int64{2, 2}, one, 1),
			"few samples":      conv(pixelByPixel(of(BFloat16, 15, 32, 4, 4)), w(), one, one, 1),
			"few channels":     conv(pixelByPixel(of(BFloat16, 32, 3, 4, 4)), of(BFloat16, 32, 3, 3, 3), one, one, 1),
			"no gradient": func() {
				NoGrad(func() { RawConv2d(x, leaf(w()), Tensor{}, one, one, one, 1) })
			},
			"of x alone": func() {
				x := leaf(pixelByPixel(of(BFloat16, 32, 32, 4, 4)))
				backward(whole.forward(x, w(), Tensor{}), x)
			},
		} {
			if sumsWeights(f) {
				t.Error(name)
			}
		}
		for name, f := range map[string]func(){
			// Of a sum, whose gradient is repeated in memory.
			"all":             conv(x, w(), one, one, 1),
			"part of samples": conv(Narrow(pixelByPixel(of(BFloat16, 40, 32, 4, 4)), 0, 3, 32), w(), one, one, 1),
		} {
			if sumsWeights(f) != hasTiles() {
				t.Error(name)
			}
		}
	})
}

// Under autocast, as in training: each weight is cast once, and its gradient is float32.
func TestKernelConvWeightsAutocast(t *testing.T) {
	c := convWeightsCases[0]
	alone(func() {
		in := c.inputs()
		w, b := Clone(in[1].CastTo(Float)).SetRequiresGrad(true), Clone(in[2].CastTo(Float)).SetRequiresGrad(true)
		x := pixelByPixel(in[0].CastTo(Float))
		var y Tensor
		casts := 0
		for _, o := range Profile(func() {
			Autocast(CPU, BFloat16, func() { y = c.forward(c.forward(x, w, b), w, b) })
		}) {
			if o.Name == "aten::_to_copy" {
				casts += o.Calls
			}
		}
		if y.Dtype() != BFloat16 || casts != 3 {
			t.Errorf("%d casts", casts)
		}
		for _, g := range AutogradGrad([]Tensor{y}, []Tensor{w, b}, AutogradOptions{GradOutputs: []Tensor{in[3].CastTo(BFloat16)}}) {
			if g.Dtype() != Float {
				t.Error(g.Dtype())
			}
		}
	})
}

// Gradients of gradients are libtorch's.
func TestKernelConvWeightsTwice(t *testing.T) {
	c := convWeightsCase{20, 16, 4, 3, 8, 1, 1, false}
	alone(func() {
		in := c.inputs()
		twice := func(dtype int8) Tensor {
			x, w := pixelByPixel(in[0].CastTo(dtype)), Clone(in[1].CastTo(dtype)).SetRequiresGrad(true)
			g := AutogradGrad([]Tensor{SumAll(Square(c.forward(x, w, Tensor{})))}, []Tensor{w}, AutogradOptions{CreateGraph: true})[0]
			return AutogradGrad([]Tensor{SumAll(Square(g))}, []Tensor{w}, AutogradOptions{})[0].CastTo(Double)
		}
		want := twice(Double)
		if d := off(twice(BFloat16), want, want); !(d <= 1.0/64) { // rounded four times
			t.Errorf("off by %.2g", d)
		}
	})
}

// Every allocation of it may fail, forward and backward.
func TestKernelConvWeightsOutOfMemory(t *testing.T) {
	c := convWeightsCases[1]
	alone(func() {
		in := c.inputs()
		everyAllocationFails(t, 5, func() { c.run(in, BFloat16, true) })
	})
}

func TestKernelConvWeightsOnLesserProcessors(t *testing.T) {
	onLesserProcessors(t, "^TestKernelConvWeights(|Elsewhere)$")
}
