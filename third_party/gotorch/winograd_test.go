package gotorch

import (
	"fmt"
	"testing"
)

// Convolutions by 3x3 of float32 whose channels lie side by side, against float64, which
// libtorch computes.

type winogradCase struct {
	samples, in, rows, columns, out int64
	bias                            bool
}

func (c winogradCase) String() string {
	return fmt.Sprint(c.samples, "x", c.in, "x", c.rows, "x", c.columns, " to ", c.out)
}

// inputs are x, w, perhaps a bias, and the gradient at the output.
func (c winogradCase) inputs() (in []Tensor, dy Tensor) {
	in = []Tensor{
		source{Shape: []int64{c.samples, c.in, c.rows, c.columns}, K: 1, Scale: 2, Offset: 0.1}.tensor().CastTo(Double),
		source{Shape: []int64{c.out, c.in, 3, 3}, K: 2, Scale: 1}.tensor().CastTo(Double),
	}
	if c.bias {
		in = append(in, source{Shape: []int64{c.out}, K: 3, Scale: 1}.tensor().CastTo(Double))
	}
	return in, source{Shape: []int64{c.samples, c.out, c.rows, c.columns}, K: 4, Scale: 1}.tensor().CastTo(Double)
}

func conv3x3(x, w, b Tensor) Tensor {
	one := []int64{1, 1}
	return RawConv2d(x, w, b, one, one, one, 1)
}

// run is the output and the gradients, in float64.
func (c winogradCase) run(dtype int8) (all []Tensor) {
	in, dy := c.inputs()
	for i := range in {
		in[i] = Clone(in[i].CastTo(dtype)).SetRequiresGrad(true)
	}
	b := Tensor{}
	if c.bias {
		b = in[2]
	}
	y := conv3x3(ChannelsLast(in[0]), in[1], b)
	for _, g := range append([]Tensor{y}, AutogradGrad([]Tensor{y}, in, AutogradOptions{GradOutputs: []Tensor{dy.CastTo(dtype)}})...) {
		all = append(all, g.Detach().CastTo(Double))
	}
	return all
}

var winogradParts = []string{"output", "gradient of x", "gradient of w", "gradient of b"}

func TestKernelWinograd(t *testing.T) {
	for _, c := range []winogradCase{
		{2, 32, 8, 8, 32, true},
		{3, 64, 7, 7, 32, true},    // the last tiles of rows and columns are partly outside
		{1, 96, 9, 14, 64, false},  // 12 tiles: no whole block
		{4, 32, 4, 4, 96, true},    // a tile a sample: less than a thread's block
		{5, 32, 13, 7, 160, false}, // panels and rows of no power of two
		{9, 32, 10, 11, 96, true},  // 81 tiles: several blocks, and a few that are not whole
		{2, 64, 29, 27, 32, true},  // 112 tiles
	} {
		t.Run(c.String(), func(t *testing.T) {
			Scoped(func() {
				if !calls(func() { c.run(Float) }, "gotorch::winograd") {
					t.Fatal("another convolution")
				}
				want, got := c.run(Double), c.run(Float)
				for i := range want {
					// Values at points are summed, not products: 8e-7 where a convolution has 3e-7.
					if d := off(got[i], want[i], want[i]); !(d <= 2e-6) {
						t.Errorf("%s: off by %.2g", winogradParts[i], d)
					}
				}
			})
		})
	}
}

func TestKernelWinogradOnLesserProcessors(t *testing.T) {
	onLesserProcessors(t, "^TestKernelWinograd$")
}

// calls tells whether f runs that operation.
func calls(f func(), name string) bool {
	for _, o := range Profile(f) {
		if o.Name == name {
			return true
		}
	}
	return false
}

// What the loops are not for is libtorch's: other layouts, types, kernels, steps and numbers of
// channels, pictures of which most of a tile would lie outside, and so few tiles that the weights
// would cost more.
func TestKernelWinogradIsForSome(t *testing.T) {
	Scoped(func() {
		ones := func(shape ...int64) Tensor { return Ones(shape, false) }
		last := func(shape ...int64) Tensor { return ChannelsLast(ones(shape...)) }
		w, none := ones(32, 32, 3, 3), Tensor{}
		one, two := []int64{1, 1}, []int64{2, 2}
		for name, f := range map[string]func(){
			"channel by channel": func() { conv3x3(ones(4, 32, 8, 8), w, none) },
			"bf16":               func() { conv3x3(last(4, 32, 8, 8).CastTo(BFloat16), w.CastTo(BFloat16), none) },
			"autocast":           func() { Autocast(CPU, BFloat16, func() { conv3x3(last(4, 32, 8, 8), w, none) }) },
			"float64":            func() { conv3x3(last(4, 32, 8, 8).CastTo(Double), w.CastTo(Double), none) },
			"in steps of 2":      func() { RawConv2d(last(4, 32, 8, 8), w, none, two, one, one, 1) },
			"padded by 2":        func() { RawConv2d(last(4, 32, 8, 8), w, none, one, two, one, 1) },
			"wider apart":        func() { RawConv2d(last(4, 32, 8, 8), w, none, one, one, two, 1) },
			"in groups":          func() { RawConv2d(last(4, 64, 8, 8), ones(64, 32, 3, 3), none, one, one, one, 2) },
			"3 channels":         func() { conv3x3(last(4, 3, 8, 8), ones(32, 3, 3, 3), none) },
			"2 tiles":            func() { conv3x3(last(1, 32, 4, 8), w, none) },
			"2x2":                func() { conv3x3(last(64, 32, 2, 2), w, none) },
			"nothing":            func() { conv3x3(last(0, 32, 8, 8), w, none) },
		} {
			if calls(f, "gotorch::winograd") {
				t.Errorf("%s: by our loops", name)
			}
		}
	})
}

// The output's channels lie side by side, too, so that what follows needs no copy.
func TestKernelWinogradLayout(t *testing.T) {
	Scoped(func() {
		y := conv3x3(ChannelsLast(Ones([]int64{2, 32, 8, 6}, false)), Ones([]int64{64, 32, 3, 3}, false), Tensor{})
		View(opPermute(y, []int64{0, 2, 3, 1}), -1) // fails where it is not so
	})
}

// Whatever the number of threads, and also where there are fewer tiles than these, the bits are
// the same.
func TestKernelWinogradThreads(t *testing.T) {
	n := NumThreads()
	defer SetNumThreads(int32(n))
	for _, c := range []winogradCase{{5, 64, 13, 11, 96, true}, {3, 64, 4, 4, 128, true}, {7, 32, 29, 27, 32, true}} {
		Scoped(func() {
			want := c.run(Double)
			var first []Tensor
			for _, threads := range []int32{1, 2, 5, 16} {
				SetNumThreads(threads)
				Scoped(func() { // takes the number
					for i, got := range c.run(Float) {
						if threads == 1 {
							if d := off(got, want[i], want[i]); !(d <= 2e-6) {
								t.Errorf("%v, %s: off by %.2g", c, winogradParts[i], d)
							}
							first = append(first, Keep(got))
						} else if !Equal(got, first[i]) {
							t.Errorf("%v, %d threads: another %s", c, threads, winogradParts[i])
						}
					}
				})
			}
		})
	}
}

// Sums over many tiles and inputs.
func TestKernelWinogradSums(t *testing.T) {
	Scoped(func() {
		c := winogradCase{4, 384, 12, 12, 32, true}
		want, got := c.run(Double), c.run(Float)
		for i := range want {
			if d := off(got[i], want[i], want[i]); !(d <= 4e-6) {
				t.Errorf("%s: off by %.2g", winogradParts[i], d)
			}
		}
	})
}

// Operands that are parts of others, in any order; gradients that are repeated in memory, as a
// sum's are; of some operands alone; and of gradients.
func TestKernelWinogradOperands(t *testing.T) {
	c := winogradCase{2, 32, 8, 6, 64, true}
	gradients := func(dtype int8, y func(x, w, b Tensor) Tensor, of []int, o AutogradOptions) []Tensor {
		in, _ := c.inputs()
		var leaves []Tensor
		for i := range in {
			in[i] = Clone(in[i].CastTo(dtype))
		}
		for _, i := range of {
			leaves = append(leaves, in[i].SetRequiresGrad(true))
		}
		return AutogradGrad([]Tensor{SumAll(y(in[0], in[1], in[2]))}, leaves, o)
	}
	plain := func(x, w, b Tensor) Tensor { return conv3x3(ChannelsLast(x), w, b) }
	for name, f := range map[string]func(dtype int8) []Tensor{
		"of a sum": func(dtype int8) []Tensor { return gradients(dtype, plain, []int{0, 1, 2}, AutogradOptions{}) },
		"of parts": func(dtype int8) []Tensor {
			return gradients(dtype, func(x, w, b Tensor) Tensor {
				both := Cat([]Tensor{w, w}, 0)
				return Square(conv3x3(ChannelsLast(x), ChannelsLast(Narrow(both, 0, 32, 64)), b))
			}, []int{0, 1, 2}, AutogradOptions{})
		},
		"of x":    func(dtype int8) []Tensor { return gradients(dtype, plain, []int{0}, AutogradOptions{}) },
		"of w":    func(dtype int8) []Tensor { return gradients(dtype, plain, []int{1}, AutogradOptions{}) },
		"of bias": func(dtype int8) []Tensor { return gradients(dtype, plain, []int{2}, AutogradOptions{}) },
		"of a gradient": func(dtype int8) []Tensor {
			in, _ := c.inputs()
			x := Clone(in[0].CastTo(dtype)).SetRequiresGrad(true)
			y := Square(conv3x3(ChannelsLast(x), in[1].CastTo(dtype), Tensor{}))
			g := AutogradGrad([]Tensor{SumAll(y)}, []Tensor{x}, AutogradOptions{CreateGraph: true})[0]
			return AutogradGrad([]Tensor{SumAll(Square(g))}, []Tensor{x}, AutogradOptions{})
		},
	} {
		Scoped(func() {
			want, got := f(Double), f(Float)
			for i := range want {
				if d := off(got[i].CastTo(Double), want[i], want[i]); !(d <= 1e-5) {
					t.Errorf("%s, %d: off by %.2g", name, i, d)
				}
			}
		})
	}
}

func TestKernelWinogradWithoutMemory(t *testing.T) {
	Scoped(func() {
		c := winogradCase{1, 32, 8, 8, 32, true}
		everyAllocationFails(t, 6, func() { c.run(Float) })
	})
}
