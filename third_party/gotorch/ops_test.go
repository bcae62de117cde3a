package gotorch

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"
)

// opTolerance: PyTorch's own float32 is within 5.5e-7 of these numbers.
const opTolerance = 5e-6

type opCase struct {
	Name, Op string
	Inputs   []source
	Args     map[string]any
	Outputs  []result
	W        []source
	Grads    []*result
}

func (c opCase) has(name string) bool { _, ok := c.Args[name]; return ok }

func (c opCase) float(name string) float64 {
	v, ok := c.Args[name].(float64)
	if !ok {
		panic(fmt.Sprintf("%s: no number %s in %v", c.Name, name, c.Args))
	}
	return v
}

func (c opCase) int(name string) int64 { return int64(c.float(name)) }

func (c opCase) ints(name string) []int64 {
	var v []int64
	for _, x := range c.Args[name].([]any) {
		v = append(v, int64(x.(float64)))
	}
	return v
}

func (c opCase) reduction() int64 {
	return int64(slices.Index([]string{"none", "mean", "sum"}, c.Args["reduction"].(string)))
}

func twice(v int64) []int64 { return []int64{v, v} }

func optionalTensor(in []Tensor, i int) Tensor {
	if i < len(in) {
		return in[i]
	}
	return Tensor{}
}

type runOp func(c opCase, in []Tensor) []Tensor

func unary(f func(Tensor) Tensor) runOp {
	return func(_ opCase, in []Tensor) []Tensor { return []Tensor{f(in[0])} }
}

func binary(f func(a, b Tensor) Tensor) runOp {
	return func(_ opCase, in []Tensor) []Tensor { return []Tensor{f(in[0], in[1])} }
}

func single(f func(c opCase, in []Tensor) Tensor) runOp {
	return func(c opCase, in []Tensor) []Tensor { return []Tensor{f(c, in)} }
}

var runOps = map[string]runOp{
	"silu": unary(Silu), "relu": unary(Relu), "exp": unary(Exp), "sin": unary(Sin), "cos": unary(Cos),
	"sigmoid": unary(Sigmoid), "tanh": unary(Tanh), "neg": unary(Neg), "abs": unary(Abs),
	"square": unary(Square), "sqrt": unary(Sqrt), "rsqrt": unary(Rsqrt), "log": unary(Log),
	"matmul": binary(MatMul), "mm": binary(MM), "bmm": binary(BMM),
	"gelu": single(func(c opCase, in []Tensor) Tensor {
		if c.has("approximate") {
			return GeluTanh(in[0])
		}
		return Gelu(in[0])
	}),
	"linear": single(func(_ opCase, in []Tensor) Tensor { return RawLinear(in[0], in[1], optionalTensor(in, 2)) }),
	"conv1d": single(func(_ opCase, in []Tensor) Tensor {
		return RawConv1d(in[0], in[1], optionalTensor(in, 2), []int64{1}, []int64{0}, []int64{1}, 1)
	}),
	"conv2d": single(func(c opCase, in []Tensor) Tensor {
		return RawConv2d(in[0], in[1], optionalTensor(in, 2), twice(c.int("stride")), twice(c.int("padding")), twice(1), 1)
	}),
	"group_norm": single(func(c opCase, in []Tensor) Tensor {
		return RawGroupNorm(in[0], c.int("groups"), in[1], in[2], c.float("eps"))
	}),
	"layer_norm": single(func(c opCase, in []Tensor) Tensor {
		return RawLayerNorm(in[0], in[1].Shape(), in[1], in[2], c.float("eps"))
	}),
	"embedding": binary(RawEmbedding),
	"dropout":   single(func(c opCase, in []Tensor) Tensor { return Dropout(in[0], c.float("p"), true) }),
	"interpolate": single(func(c opCase, in []Tensor) Tensor {
		s := in[0].Shape()
		return RawUpsampleNearest2d(in[0], []int64{s[2] * c.int("scale"), s[3] * c.int("scale")})
	}),
	"max_pool2d": single(func(c opCase, in []Tensor) Tensor {
		return RawMaxPool2d(in[0], twice(c.int("kernel")), twice(c.int("stride")), twice(c.int("padding")), twice(1), false)
	}),
	"avg_pool2d": single(func(c opCase, in []Tensor) Tensor {
		return RawAvgPool2d(in[0], twice(c.int("kernel")), twice(c.int("stride")), twice(0))
	}),
	"adaptive_avg_pool2d": single(func(c opCase, in []Tensor) Tensor { return RawAdaptiveAvgPool2d(in[0], c.ints("size")) }),
	"clamp":               single(func(c opCase, in []Tensor) Tensor { return Clamp(in[0], c.float("min"), c.float("max")) }),
	"lerp": single(func(c opCase, in []Tensor) Tensor {
		if c.has("weight") {
			return Lerp(in[0], in[1], c.float("weight"))
		}
		return LerpTensor(in[0], in[1], in[2])
	}),
	"add": single(func(c opCase, in []Tensor) Tensor {
		if c.has("number") {
			return AddScalar(in[0], c.float("number"))
		}
		return Add(in[0], in[1], float32(c.float("alpha")))
	}),
	"sub": single(func(c opCase, in []Tensor) Tensor { return Sub(in[0], in[1], float32(c.float("alpha"))) }),
	"mul": single(func(c opCase, in []Tensor) Tensor {
		if c.has("number") {
			return MulScalar(in[0], c.float("number"))
		}
		return Mul(in[0], in[1])
	}),
	"div":   binary(Div),
	"pow":   single(func(c opCase, in []Tensor) Tensor { return PowScalar(in[0], c.float("exponent")) }),
	"where": single(func(_ opCase, in []Tensor) Tensor { return Where(in[0], in[1], in[2]) }),
	"baddbmm": single(func(c opCase, in []Tensor) Tensor {
		return BAddBMM(in[0], in[1], in[2], c.float("beta"), c.float("alpha"))
	}),
	"scaled_dot_product_attention": single(func(c opCase, in []Tensor) Tensor {
		d := in[0].Shape()
		return Attention(in[0], in[1], in[2], 1/math.Sqrt(float64(d[len(d)-1])))
	}),
	"softmax":     single(func(c opCase, in []Tensor) Tensor { return Softmax(in[0], c.int("dim")) }),
	"log_softmax": single(func(c opCase, in []Tensor) Tensor { return LogSoftmax(in[0], c.int("dim")) }),
	"mse_loss":    single(func(c opCase, in []Tensor) Tensor { return RawMSELoss(in[0], in[1], c.reduction()) }),
	"cross_entropy": single(func(c opCase, in []Tensor) Tensor {
		return RawCrossEntropy(in[0], in[1], Tensor{}, c.reduction(), -100)
	}),
	"mean": single(func(c opCase, in []Tensor) Tensor {
		if c.has("dim") {
			return MeanDims(in[0], c.ints("dim"), c.Args["keepdim"].(bool))
		}
		return Mean(in[0])
	}),
	"sum": single(func(c opCase, in []Tensor) Tensor {
		if c.has("dim") {
			return SumDims(in[0], c.ints("dim"), c.Args["keepdim"].(bool))
		}
		return SumAll(in[0])
	}),
	"cat":   single(func(c opCase, in []Tensor) Tensor { return Cat(in, c.int("dim")) }),
	"stack": single(func(c opCase, in []Tensor) Tensor { return Stack(in, c.int("dim")) }),
	"chunk": func(c opCase, in []Tensor) []Tensor { return Chunk(in[0], c.int("chunks"), c.int("dim")) },
	"narrow": single(func(c opCase, in []Tensor) Tensor {
		return Narrow(in[0], c.int("dim"), c.int("start"), c.int("length"))
	}),
	"transpose": single(func(c opCase, in []Tensor) Tensor { return Transpose(in[0], c.int("dim0"), c.int("dim1")) }),
	"permute":   single(func(c opCase, in []Tensor) Tensor { return in[0].Permute(c.ints("dims")) }),
	"reshape": single(func(c opCase, in []Tensor) Tensor {
		if c.has("dims") {
			return Reshape(in[0].Permute(c.ints("dims")), c.ints("shape"))
		}
		return Reshape(in[0], c.ints("shape"))
	}),
	"view":         single(func(c opCase, in []Tensor) Tensor { return View(in[0], c.ints("shape")...) }),
	"expand":       single(func(c opCase, in []Tensor) Tensor { return Expand(in[0], c.ints("shape")) }),
	"gather":       single(func(c opCase, in []Tensor) Tensor { return Gather(in[0], c.int("dim"), in[1]) }),
	"index_select": single(func(c opCase, in []Tensor) Tensor { return IndexSelect(in[0], c.int("dim"), in[1]) }),
}

// TestOps compares outputs and gradients with PyTorch's.
func TestOps(t *testing.T) {
	var f struct{ Cases []opCase }
	readFixture(t, "ops.json", &f)
	if len(f.Cases) < 80 {
		t.Fatalf("%d cases", len(f.Cases))
	}
	for _, c := range f.Cases {
		t.Run(c.Name, func(t *testing.T) {
			run, ok := runOps[c.Op]
			if !ok {
				t.Fatalf("the test does not know %s", c.Op)
			}
			Scoped(func() { c.check(t, run) })
		})
	}
}

func (c opCase) check(t *testing.T, run runOp) {
	in := make([]Tensor, len(c.Inputs))
	for i, s := range c.Inputs {
		in[i] = s.tensor()
		if c.Grads[i] != nil {
			in[i].SetRequiresGrad(true)
		}
	}
	out := run(c, in)
	if len(out) != len(c.Outputs) {
		t.Fatalf("%d outputs, want %d", len(out), len(c.Outputs))
	}
	loss := Zeros(nil, Options{})
	for j, o := range out {
		near(t, fmt.Sprintf("output %d", j), o, c.Outputs[j], opTolerance)
		loss = Add(loss, SumAll(Mul(o, c.W[j].tensor())), 1)
	}
	loss.Backward()
	for i, g := range c.Grads {
		if g != nil {
			near(t, fmt.Sprintf("gradient %d", i), in[i].Grad(), *g, opTolerance)
		}
	}
}

func TestOpCasesAreComplete(t *testing.T) {
	var f struct{ Cases []json.RawMessage }
	readFixture(t, "ops.json", &f)
	used := map[string]bool{}
	for _, raw := range f.Cases {
		var c opCase
		if err := json.Unmarshal(raw, &c); err != nil {
			t.Fatal(err)
		}
		used[c.Op] = true
	}
	for op := range runOps {
		if !used[op] {
			t.Errorf("no case of %s", op)
		}
	}
}
