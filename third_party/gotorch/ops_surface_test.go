package gotorch

import (
	"math"
	"testing"
)

func (c opCase) bool(name string) bool { return c.Args[name].(bool) }

func (c opCase) ignore() int64 {
	if c.has("ignore") {
		return c.int("ignore")
	}
	return -100
}

func first(f func(c opCase, in []Tensor) (Tensor, Tensor)) runOp {
	return single(func(c opCase, in []Tensor) Tensor { v, _ := f(c, in); return v })
}

func batchNorm(in []Tensor, mean, variance, w, b Tensor, training bool) Tensor {
	return RawBatchNorm(in[0], w, b, mean, variance, training, 0.1, 1e-5)
}

// surfaceOps are the operations of more.json: those that the networks here do without.
var surfaceOps = map[string]runOp{
	"conv1d": single(func(c opCase, in []Tensor) Tensor {
		return RawConv1d(in[0], in[1], in[2], []int64{c.int("stride")}, []int64{c.int("padding")}, []int64{1}, 1)
	}),
	"conv2d": single(func(c opCase, in []Tensor) Tensor {
		return RawConv2d(in[0], in[1], Tensor{}, twice(c.int("stride")), twice(c.int("padding")), twice(c.int("dilation")), c.int("groups"))
	}),
	"conv_transpose2d": single(func(c opCase, in []Tensor) Tensor {
		return RawConvTranspose2d(in[0], in[1], optionalTensor(in, 2), twice(c.int("stride")), twice(c.int("padding")),
			twice(c.int("output_padding")), c.int("groups"), twice(c.int("dilation")))
	}),
	"batch_norm train": single(func(_ opCase, in []Tensor) Tensor { return batchNorm(in, Tensor{}, Tensor{}, in[1], in[2], true) }),
	"batch_norm eval":  single(func(_ opCase, in []Tensor) Tensor { return batchNorm(in, in[1], in[2], in[3], in[4], false) }),
	"nll_loss": single(func(c opCase, in []Tensor) Tensor {
		return RawNllLoss(in[0], in[1], optionalTensor(in, 2), c.reduction(), c.ignore())
	}),
	"cross_entropy": single(func(c opCase, in []Tensor) Tensor {
		return RawCrossEntropy(in[0], in[1], Tensor{}, c.reduction(), c.ignore())
	}),
	"bce_with_logits": single(func(c opCase, in []Tensor) Tensor { return RawBCEWithLogits(in[0], in[1], Tensor{}, c.reduction()) }),
	"l1_loss":         single(func(c opCase, in []Tensor) Tensor { return RawL1Loss(in[0], in[1], c.reduction()) }),
	"smooth_l1_loss": single(func(c opCase, in []Tensor) Tensor {
		return RawSmoothL1Loss(in[0], in[1], c.reduction(), c.float("beta"))
	}),
	"leaky_relu": single(func(c opCase, in []Tensor) Tensor { return LeakyRelu(in[0], c.float("slope")) }),
	"elu":        single(func(c opCase, in []Tensor) Tensor { return ELU(in[0], c.float("alpha")) }),
	"softplus":   unary(Softplus), "logsigmoid": unary(LogSigmoid), "reciprocal": unary(Reciprocal), "log1p": unary(Log1p),
	"expm1": unary(Expm1), "erf": unary(Erf), "ceil": unary(Ceil), "floor": unary(Floor), "round": unary(Round),
	"sign": unary(Sign), "prod": unary(Prod), "max all": unary(MaxAll), "min all": unary(MinAll),
	"pow": binary(Pow), "remainder": binary(Remainder), "maximum": binary(Maximum), "minimum": binary(Minimum),
	"addcmul": single(func(c opCase, in []Tensor) Tensor { return AddCMul(in[0], in[1], in[2], c.float("value")) }),
	"norm": single(func(c opCase, in []Tensor) Tensor {
		if !c.has("p") {
			return Norm(in[0])
		}
		return NormDims(in[0], c.float("p"), c.ints("dim"), c.bool("keepdim"))
	}),
	"var": single(func(c opCase, in []Tensor) Tensor {
		return VarDims(in[0], c.ints("dim"), c.int("correction"), c.bool("keepdim"))
	}),
	"std": single(func(c opCase, in []Tensor) Tensor {
		return StdDims(in[0], c.ints("dim"), c.int("correction"), c.bool("keepdim"))
	}),
	"max":       first(func(c opCase, in []Tensor) (Tensor, Tensor) { return MaxDim(in[0], c.int("dim"), false) }),
	"min":       first(func(c opCase, in []Tensor) (Tensor, Tensor) { return MinDim(in[0], c.int("dim"), true) }),
	"logsumexp": single(func(c opCase, in []Tensor) Tensor { return LogSumExp(in[0], c.ints("dim"), false) }),
	"cumsum":    single(func(c opCase, in []Tensor) Tensor { return CumSum(in[0], c.int("dim")) }),
	"sort":      first(func(c opCase, in []Tensor) (Tensor, Tensor) { return Sort(in[0], c.int("dim"), true) }),
	"topk":      first(func(c opCase, in []Tensor) (Tensor, Tensor) { return TopK(in[0], c.int("k"), c.int("dim"), true, true) }),
	"einsum":    single(func(c opCase, in []Tensor) Tensor { return Einsum(c.Args["equation"].(string), in...) }),
	"attention": single(func(c opCase, in []Tensor) Tensor {
		d := in[0].Shape()
		return AttentionMasked(in[0], in[1], in[2], optionalTensor(in, 3), c.bool("causal"), 1/math.Sqrt(float64(d[len(d)-1])))
	}),
	"scatter":       single(func(c opCase, in []Tensor) Tensor { return Scatter(in[0], c.int("dim"), in[1], in[2]) }),
	"scatter_add":   single(func(c opCase, in []Tensor) Tensor { return ScatterAdd(in[0], c.int("dim"), in[1], in[2]) }),
	"masked_select": binary(MaskedSelect),
	"masked_fill":   single(func(c opCase, in []Tensor) Tensor { return MaskedFill(in[0], in[1], c.float("value")) }),
	"split":         func(c opCase, in []Tensor) []Tensor { return Split(in[0], c.int("size"), c.int("dim")) },
	"unbind":        func(c opCase, in []Tensor) []Tensor { return Unbind(in[0], c.int("dim")) },
	"select":        single(func(c opCase, in []Tensor) Tensor { return Select(in[0], c.int("dim"), c.int("index")) }),
	"repeat":        single(func(c opCase, in []Tensor) Tensor { return Repeat(in[0], c.ints("counts")) }),
	"repeat_interleave": single(func(c opCase, in []Tensor) Tensor {
		return RepeatInterleave(in[0], c.int("count"), c.int("dim"))
	}),
	"roll":      single(func(c opCase, in []Tensor) Tensor { return Roll(in[0], c.ints("shifts"), c.ints("dims")) }),
	"flip":      single(func(c opCase, in []Tensor) Tensor { return Flip(in[0], c.ints("dims")) }),
	"tril":      single(func(c opCase, in []Tensor) Tensor { return Tril(in[0], c.int("diagonal")) }),
	"triu":      single(func(c opCase, in []Tensor) Tensor { return Triu(in[0], c.int("diagonal")) }),
	"pad":       single(func(c opCase, in []Tensor) Tensor { return Pad(in[0], c.ints("pad"), c.float("value")) }),
	"flatten":   single(func(c opCase, in []Tensor) Tensor { return Flatten(in[0], c.int("start"), c.int("end")) }),
	"squeeze":   single(func(c opCase, in []Tensor) Tensor { return Squeeze(in[0], c.int("dim")) }),
	"unsqueeze": single(func(c opCase, in []Tensor) Tensor { return Unsqueeze(in[0], c.int("dim")) }),
	"expand_as": binary(ExpandAs),
	"bilinear": single(func(c opCase, in []Tensor) Tensor {
		return RawUpsampleBilinear2d(in[0], c.ints("size"), c.bool("align"))
	}),
}

// TestSurfaceOps is TestOps for more.json.
func TestSurfaceOps(t *testing.T) {
	var f struct{ Cases []opCase }
	readFixture(t, "more.json", &f)
	used := map[string]bool{"bce": true} // nn/functional has a test of it
	for _, c := range f.Cases {
		if c.Op == "bce" {
			continue
		}
		used[c.Op] = true
		t.Run(c.Name, func(t *testing.T) {
			run, ok := surfaceOps[c.Op]
			if !ok {
				t.Fatalf("the test does not know %s", c.Op)
			}
			Scoped(func() { c.check(t, run) })
		})
	}
	for op := range surfaceOps {
		if !used[op] {
			t.Errorf("no case of %s", op)
		}
	}
}
