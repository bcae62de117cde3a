package gotorch

import (
	"errors"
	"fmt"
	"testing"
)

// RawModulatedNorm against float64, which is computed from libtorch's operations.

type modulatedCase struct {
	samples, tokens, width int64
	layout                 string // contiguous; turned: features outermost; parts: of one modulation
	plain                  bool   // without a branch
}

var modulatedCases = []modulatedCase{
	{3, 16, 192, "parts", false},
	{2, 256, 96, "parts", false}, // several blocks of tokens
	{1, 1, 1, "contiguous", true},
	{2, 7, 5, "turned", false}, // nothing fills a vector
	{5, 65, 36, "contiguous", true},
	{1, 130, 17, "turned", false},
	{4, 3, 1000, "parts", true},
}

func (c modulatedCase) String() string {
	return fmt.Sprint(c.samples, "x", c.tokens, "x", c.width, " ", c.layout, ", plain ", c.plain)
}

// run is the sum, the output and the gradients, in float64. x is of the type wide, all else of
// narrow. ours: by RawModulatedNorm; else by libtorch's operations.
func (c modulatedCase) run(wide, narrow int8, ours bool) []Tensor {
	leaf := func(k uint32, scale float64, dtype int8, shape ...int64) Tensor {
		t := source{Shape: shape, K: k, Scale: scale}.tensor()
		return Clone(t.CastTo(BFloat16).CastTo(dtype)).SetRequiresGrad(true)
	}
	tokens := []int64{c.samples, c.tokens, c.width}
	laid := func(t Tensor) Tensor {
		if c.layout != "turned" {
			return t
		}
		return Contiguous(t.Transpose(1, 2)).Transpose(1, 2)
	}
	var each []Tensor // shift, scale, gate: [B,W]
	leaves := []Tensor{}
	if c.layout == "parts" {
		leaves = append(leaves, leaf(1, 2, narrow, c.samples, 3*c.width))
		each = Chunk(leaves[0], 3, 1)
	} else {
		for k := range uint32(3) {
			each = append(each, leaf(k+1, 2, narrow, c.samples, c.width))
		}
		leaves = append(leaves, each[:2]...)
	}
	x := leaf(4, 6, wide, tokens...)
	leaves = append(leaves, x)
	var branch, gate Tensor
	if !c.plain {
		branch, gate = leaf(5, 4, narrow, tokens...), each[2]
		leaves = append(leaves, branch)
		if c.layout != "parts" {
			leaves = append(leaves, gate)
		}
	}
	var sum, y Tensor
	if ours {
		sum, y = RawModulatedNorm(laid(x), optionalLaid(branch, laid), gate, each[0], each[1], 1e-6)
	} else {
		sum = x
		if !c.plain {
			sum = Add(x, Mul(Unsqueeze(gate, 1), branch), 1)
		}
		n := RawLayerNorm(sum, []int64{c.width}, Tensor{}, Tensor{}, 1e-6)
		y = Add(Mul(n, AddScalar(Unsqueeze(each[1], 1), 1)), Unsqueeze(each[0], 1), 1)
	}
	grad := func(k uint32, dtype int8) Tensor {
		return source{Shape: tokens, K: k, Scale: 2}.tensor().CastTo(BFloat16).CastTo(dtype)
	}
	all := AutogradGrad([]Tensor{sum, y}, leaves, AutogradOptions{GradOutputs: []Tensor{grad(6, sum.Dtype()), grad(7, y.Dtype())}})
	out := append([]Tensor{sum.Detach(), y.Detach()}, all...)
	for i := range out {
		out[i] = out[i].CastTo(Double)
	}
	return out
}

func optionalLaid(t Tensor, laid func(Tensor) Tensor) Tensor {
	if t.T == nil {
		return t
	}
	return laid(t)
}

func TestKernelModulatedNorm(t *testing.T) {
	for _, c := range modulatedCases {
		t.Run(c.String(), func(t *testing.T) {
			Scoped(func() {
				want := c.run(Double, Double, false)
				for _, types := range [][2]int8{{Float, Float}, {Float, BFloat16}, {BFloat16, BFloat16}, {BFloat16, Float}} {
					got, theirs := c.run(types[0], types[1], true), c.run(types[0], types[1], false)
					for i := range want {
						if c.width == 1 {
							continue // its normalisation is nothing but rounding
						}
						ours, libtorch := off(got[i], want[i], want[i]), off(theirs[i], want[i], want[i])
						most := 2e-6
						if types[0] == BFloat16 || types[1] == BFloat16 {
							most = max(1.05*libtorch, 1.0/512) // what is rounded once is off by 2^-9 at most
						}
						if types[0] == BFloat16 && types[1] == Float {
							most = 1.0 / 256 // the sum is rounded, too, which libtorch's is not
						}
						if !(ours <= most) {
							t.Errorf("types %v, part %d: off by %.2g, libtorch's by %.2g", types, i, ours, libtorch)
						}
					}
				}
			})
		})
	}
}

// The sum has x's type, without a branch it is x, and the output has shift's.
func TestKernelModulatedNormTypes(t *testing.T) {
	Scoped(func() {
		x, each := Ones([]int64{2, 3, 8}, false), Ones([]int64{2, 8}, false).CastTo(BFloat16)
		sum, y := RawModulatedNorm(x, x.CastTo(BFloat16), each, each, each, 1e-6)
		if sum.Dtype() != Float || y.Dtype() != BFloat16 {
			t.Error(sum.Dtype(), y.Dtype())
		}
		if sum, _ := RawModulatedNorm(x, Tensor{}, Tensor{}, each, each, 1e-6); !Equal(sum, x) {
			t.Error("without a branch the sum is ", sum)
		}
	})
}

// The number of threads changes no bit.
func TestKernelModulatedNormThreads(t *testing.T) {
	n := NumThreads()
	defer SetNumThreads(int32(n))
	c := modulatedCase{2, 300, 192, "parts", false}
	Scoped(func() {
		var first []Tensor
		for _, threads := range []int32{1, 2, 5} {
			SetNumThreads(threads)
			Scoped(func() { // takes the number
				got := c.run(Float, BFloat16, true)
				if first == nil {
					first = got
					for _, g := range got {
						Keep(g)
					}
					return
				}
				for i := range got {
					if !Equal(got[i], first[i]) {
						t.Errorf("%d threads: part %d differs", threads, i)
					}
				}
			})
		}
	})
}

// Gradients of gradients, of one operand alone, and of one output alone.
func TestKernelModulatedNormGradients(t *testing.T) {
	operands := func(dtype int8) (all []Tensor) {
		for k, shape := range [][]int64{{2, 4, 6}, {2, 4, 6}, {2, 6}, {2, 6}, {2, 6}} {
			all = append(all, source{Shape: shape, K: uint32(k), Scale: 2}.tensor().CastTo(dtype))
		}
		return all
	}
	norm := func(in []Tensor) (sum, y Tensor) { return RawModulatedNorm(in[0], in[1], in[2], in[3], in[4], 1e-6) }
	twice := func(dtype int8) Tensor {
		in := operands(dtype)
		for i := range in {
			in[i].SetRequiresGrad(true)
		}
		_, y := norm(in)
		g := AutogradGrad([]Tensor{SumAll(Square(y))}, in[:1], AutogradOptions{CreateGraph: true})[0]
		return AutogradGrad([]Tensor{SumAll(Square(g))}, in[2:3], AutogradOptions{})[0].CastTo(Double)
	}
	alone := func(dtype int8, of, output int) Tensor {
		in := operands(dtype)
		in[of].SetRequiresGrad(true)
		sum, y := norm(in)
		return AutogradGrad([]Tensor{SumAll(Square([]Tensor{sum, y}[output]))}, in[of:of+1], AutogradOptions{})[0].CastTo(Double)
	}
	Scoped(func() {
		want := twice(Double)
		if d := off(twice(Float), want, want); !(d <= 1e-5) {
			t.Errorf("twice: off by %.2g", d)
		}
		for of := range 5 {
			for output := range 2 {
				if output == 0 && of > 2 {
					continue // the sum has nothing of shift and scale
				}
				want := alone(Double, of, output)
				if d := off(alone(Float, of, output), want, want); !(d <= 1e-5) {
					t.Errorf("operand %d alone, output %d: off by %.2g", of, output, d)
				}
			}
		}
	})
}

func TestKernelModulatedNormRefuses(t *testing.T) {
	Scoped(func() {
		x, each := Ones([]int64{2, 3, 8}, false), Ones([]int64{2, 8}, false)
		for name, f := range map[string]func(){
			"two dimensions":        func() { RawModulatedNorm(each, Tensor{}, Tensor{}, each, each, 1e-6) },
			"a shift of a number":   func() { RawModulatedNorm(x, Tensor{}, Tensor{}, Ones([]int64{8}, false), each, 1e-6) },
			"a branch without gate": func() { RawModulatedNorm(x, x, Tensor{}, each, each, 1e-6) },
			"another branch":        func() { RawModulatedNorm(x, Ones([]int64{2, 1, 8}, false), each, each, each, 1e-6) },
		} {
			var e *Error
			if err := Try(f); !errors.As(err, &e) || e.Op != "RawModulatedNorm" {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, y := RawModulatedNorm(Ones([]int64{0, 3, 8}, false), Tensor{}, Tensor{}, Ones([]int64{0, 8}, false), Ones([]int64{0, 8}, false), 1e-6); y.Numel() != 0 {
			t.Error("no samples give some")
		}
	})
}

func TestKernelModulatedNormOutOfMemory(t *testing.T) {
	Scoped(func() {
		everyAllocationFails(t, 7, func() { modulatedCases[3].run(Float, BFloat16, true) })
	})
}

func TestKernelModulatedNormOnLesserProcessors(t *testing.T) {
	onLesserProcessors(t, "^TestKernelModulatedNorm(|Threads)$")
}
