package gotorch

import (
	"errors"
	"fmt"
	"math"
	"testing"
)

// RawBiasSilu's own loops against float64, which libtorch's operations compute.

type biasCase struct {
	shape  []int64
	layout string // contiguous, view (columns of a wider tensor), turned (a transposed one)
	plain  bool   // without bias
}

func (c biasCase) String() string { return fmt.Sprint(c.shape, ", ", c.layout, ", plain ", c.plain) }

var biasCases = []biasCase{
	{[]int64{64, 512}, "contiguous", false},
	{[]int64{1, 1}, "contiguous", false},
	{[]int64{33, 17}, "contiguous", false}, // a block of one row, a vector and one element
	{[]int64{100, 7}, "contiguous", false}, // no vector is full
	{[]int64{7}, "contiguous", false},
	{[]int64{3, 5, 40}, "contiguous", false},
	{[]int64{70, 48}, "view", false},
	{[]int64{40, 70}, "turned", false},
	{[]int64{70, 20}, "contiguous", true},
}

// inputs are x, bias and the gradient at the output, in float64 and exact in the
// type.
func (c biasCase) inputs(half bool) []Tensor {
	in := []Tensor{
		source{Shape: c.shape, K: 1, Scale: 12}.tensor(),
		source{Shape: c.shape[len(c.shape)-1:], K: 2, Scale: 2}.tensor(),
		source{Shape: c.shape, K: 3, Scale: 2}.tensor(),
	}
	for i := range in {
		if half && i != 1 { // as under autocast
			in[i] = in[i].CastTo(BFloat16)
		}
		in[i] = in[i].CastTo(Double)
	}
	return in
}

// laid gives x, contiguous, the case's layout.
func (c biasCase) laid(x Tensor) Tensor {
	switch c.layout {
	case "view":
		return Narrow(Cat([]Tensor{x, x}, 1), 1, 0, c.shape[1])
	case "turned":
		return Transpose(Contiguous(Transpose(x, 0, 1)), 0, 1)
	}
	return x
}

// run is the output and the gradients of x and bias, in float64. ours: in the
// types dtype and float32 by RawBiasSilu; else in dtype by libtorch's operations.
func (c biasCase) run(in []Tensor, dtype int8, ours bool) []Tensor {
	x := Clone(in[0].CastTo(dtype)).SetRequiresGrad(true)
	leaves := []Tensor{x}
	var b Tensor
	if !c.plain {
		of := dtype
		if ours && dtype == BFloat16 {
			of = Float
		}
		b = Clone(in[1].CastTo(of)).SetRequiresGrad(true)
		leaves = append(leaves, b)
	}
	var y Tensor
	switch {
	case ours:
		y = RawBiasSilu(c.laid(x), b)
	case c.plain:
		y = Silu(c.laid(x))
	default:
		y = Silu(Add(c.laid(x), b, 1))
	}
	if y.Dtype() != dtype {
		failf("run", "type %d became %d", dtype, y.Dtype())
	}
	out := append([]Tensor{y.Detach()}, AutogradGrad([]Tensor{y}, leaves, AutogradOptions{GradOutputs: []Tensor{in[2].CastTo(dtype)}})...)
	for i := range out {
		out[i] = out[i].CastTo(Double)
	}
	return out
}

var biasParts = []string{"output", "gradient of x", "gradient of the bias"}

func TestKernelBiasSilu(t *testing.T) {
	for _, c := range biasCases {
		t.Run(c.String(), func(t *testing.T) { Scoped(func() { c.check(t) }) })
	}
}

func (c biasCase) check(t *testing.T) {
	in := c.inputs(false)
	want, got := c.run(in, Double, false), c.run(in, Float, true)
	for i := range want {
		if d := off(got[i], want[i], want[i]); !(d <= 1e-6) {
			t.Errorf("float32, %s: off by %.2g", biasParts[i], d)
		}
	}
	in = c.inputs(true)
	want = c.run(in, Double, false)
	got, theirs := c.run(in, BFloat16, true), c.run(in, BFloat16, false)
	for i := range want {
		ours, libtorch := off(got[i], want[i], want[i]), off(theirs[i], want[i], want[i])
		// An output that is rounded once is off by 2^-9 at most.
		if !(ours <= max(1.05*libtorch, 1.0/512)) {
			t.Errorf("bf16, %s: off by %.2g, libtorch's by %.2g", biasParts[i], ours, libtorch)
		}
	}
	// Without gradients, and into x itself, there is the same to the bit.
	NoGrad(func() {
		for _, dtype := range []int8{Float, BFloat16} {
			x, b := c.laid(in[0].CastTo(dtype)), in[1].CastTo(Float)
			y := RawBiasSilu(x, b)
			RawBiasSiluI(x, b)
			if !Equal(x, y) {
				t.Error("another result in place")
			}
		}
	})
}

// The formula itself, far from 0, too: the output there is x or 0.
func TestKernelBiasSiluFormula(t *testing.T) {
	Scoped(func() {
		x := []float32{-200, -90, -20, -1, 0, 1e-30, 0.5, 3, 20, 90, 1e30, float32(math.Inf(1)), float32(math.NaN())}
		want := make([]float64, len(x))
		for i, v := range x {
			z := float64(v + 0.25)
			want[i] = z / (1 + math.Exp(-z))
		}
		y := ToSlice[float32](RawBiasSilu(FromSlice(x, 1, int64(len(x))), FullWith([]int64{int64(len(x))}, 0.25, Options{})))
		for i := range x {
			got := float64(y[i])
			// Below -86.5 the exponential is limited: what is left is next to nothing.
			if math.IsNaN(want[i]) != math.IsNaN(got) || want[i] != got && math.Abs(got-want[i]) > 1e-6*math.Abs(want[i])+1e-30 {
				t.Errorf("of %v: %v, want %v", x[i], got, want[i])
			}
		}
	})
}

// A layer and its activation: the product is libtorch's, under autocast in bf16
// with the bias as it is.
func TestKernelLinearSilu(t *testing.T) {
	Scoped(func() {
		in := []Tensor{
			source{Shape: []int64{50, 30}, K: 1, Scale: 4}.tensor(),
			source{Shape: []int64{20, 30}, K: 2, Scale: 1}.tensor(),
			source{Shape: []int64{20}, K: 3, Scale: 1}.tensor(),
		}
		run := func(dtype int8, fused bool) []Tensor {
			leaves := make([]Tensor, len(in))
			for i := range in {
				leaves[i] = Clone(in[i].CastTo(dtype)).SetRequiresGrad(true)
			}
			var y Tensor
			if fused {
				y = RawLinearSilu(leaves[0], leaves[1], leaves[2])
			} else {
				y = Silu(RawLinear(leaves[0], leaves[1], leaves[2]))
			}
			out := append([]Tensor{y}, AutogradGrad([]Tensor{SumAll(Square(y))}, leaves, AutogradOptions{})...)
			for i := range out {
				out[i] = out[i].Detach().CastTo(Double)
			}
			return out
		}
		want := run(Double, false)
		for i, got := range run(Float, true) {
			if d := off(got, want[i], want[i]); !(d <= 1e-6) {
				t.Errorf("float32, part %d: off by %.2g", i, d)
			}
		}
		var halves, theirs []Tensor
		Autocast(CPU, BFloat16, func() { halves, theirs = run(Float, true), run(Float, false) })
		for i, got := range halves {
			if d, limit := off(got, want[i], want[i]), off(theirs[i], want[i], want[i]); !(d <= 1.2*limit) {
				t.Errorf("bf16, part %d: off by %.2g, libtorch's by %.2g", i, d, limit)
			}
		}
		NoGrad(func() {
			y := RawLinearSilu(in[0], in[1], in[2])
			if d := off(y.CastTo(Double), want[0], want[0]); !(d <= 1e-6) {
				t.Errorf("without gradients: off by %.2g", d)
			}
			if y := RawLinearSilu(in[0], in[1], Tensor{}); off(y, Silu(RawLinear(in[0], in[1], Tensor{})), y) > 1e-6 {
				t.Error("without bias it is another one")
			}
		})
	})
}

// The number of threads changes no bit.
func TestKernelBiasSiluThreads(t *testing.T) {
	n := NumThreads()
	defer SetNumThreads(int32(n))
	c := biasCase{shape: []int64{1000, 70}, layout: "contiguous"}
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
						t.Errorf("%d threads: %s differs", threads, biasParts[i])
					}
				}
			})
		}
	})
}

// Gradients of gradients, and of one operand alone.
func TestKernelBiasSiluTwice(t *testing.T) {
	operands := func(dtype int8) (x, b Tensor) {
		return source{Shape: []int64{6, 5}, K: 1, Scale: 4}.tensor().CastTo(dtype), source{Shape: []int64{5}, K: 2, Scale: 1}.tensor().CastTo(dtype)
	}
	twice := func(dtype int8) Tensor {
		x, b := operands(dtype)
		x.SetRequiresGrad(true)
		b.SetRequiresGrad(true)
		g := AutogradGrad([]Tensor{SumAll(Square(RawBiasSilu(x, b)))}, []Tensor{x}, AutogradOptions{CreateGraph: true})[0]
		return AutogradGrad([]Tensor{SumAll(Square(g))}, []Tensor{b}, AutogradOptions{})[0].CastTo(Double)
	}
	alone := func(dtype int8, of int) Tensor {
		x, b := operands(dtype)
		leaf := []Tensor{x, b}[of].SetRequiresGrad(true)
		return AutogradGrad([]Tensor{SumAll(Square(RawBiasSilu(x, b)))}, []Tensor{leaf}, AutogradOptions{})[0].CastTo(Double)
	}
	Scoped(func() {
		for name, f := range map[string]func(int8) Tensor{
			"twice":         twice,
			"of x alone":    func(d int8) Tensor { return alone(d, 0) },
			"of bias alone": func(d int8) Tensor { return alone(d, 1) },
		} {
			want := f(Double)
			if d := off(f(Float), want, want); !(d <= 1e-5) {
				t.Errorf("%s: off by %.2g", name, d)
			}
		}
	})
}

func TestKernelBiasSiluRefuses(t *testing.T) {
	Scoped(func() {
		x, four := Ones([]int64{2, 6}, false), Ones([]int64{4}, false)
		learnt := Ones([]int64{2, 6}, true)
		for name, c := range map[string]struct {
			op string
			f  func()
		}{
			"a bias of another size":          {"RawBiasSilu", func() { RawBiasSilu(x, four) }},
			"a bias of a number":              {"RawBiasSilu", func() { RawBiasSilu(Select(four, 0, 0), four) }},
			"in place, a bias of another one": {"RawBiasSiluI", func() { RawBiasSiluI(x, four) }},
			"in place of what learns":         {"RawBiasSiluI", func() { RawBiasSiluI(Mul(learnt, x), Tensor{}) }},
			"a layer's bias":                  {"RawLinearSilu", func() { RawLinearSilu(x, Ones([]int64{3, 6}, false), four) }},
		} {
			var e *Error
			if err := Try(c.f); !errors.As(err, &e) || e.Op != c.op {
				t.Errorf("%s: %v", name, err)
			}
		}
		if y := RawBiasSilu(Ones([]int64{0, 4}, false), four); y.Numel() != 0 {
			t.Error("no rows give some")
		}
	})
}

// Every allocation of it may fail, forward and backward.
func TestKernelBiasSiluOutOfMemory(t *testing.T) {
	c := biasCases[7] // turned: everything is copied first
	Scoped(func() { everyAllocationFails(t, 5, func() { c.run(c.inputs(true), BFloat16, true) }) })
}

func TestKernelBiasSiluOnLesserProcessors(t *testing.T) {
	onLesserProcessors(t, "^TestKernel(Bias|Linear)Silu(|Formula|Threads)$")
}
