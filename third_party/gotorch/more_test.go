package gotorch

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
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

// moreOps are for more.json, beside runOps.
var moreOps = map[string]runOp{
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

// TestMoreOps is TestOps for more.json.
func TestMoreOps(t *testing.T) {
	var f struct{ Cases []opCase }
	readFixture(t, "more.json", &f)
	used := map[string]bool{"bce": true} // nn/functional has a test of it
	for _, c := range f.Cases {
		if c.Op == "bce" {
			continue
		}
		used[c.Op] = true
		t.Run(c.Name, func(t *testing.T) {
			run, ok := moreOps[c.Op]
			if !ok {
				t.Fatalf("the test does not know %s", c.Op)
			}
			Scoped(func() { c.check(t, run) })
		})
	}
	for op := range moreOps {
		if !used[op] {
			t.Errorf("no case of %s", op)
		}
	}
}

// What has no gradient, or none worth a fixture.
func TestComparisonsAndIndices(t *testing.T) {
	row := func(v ...float32) Tensor { return FromSlice(v, int64(len(v))) }
	bools := func(v ...bool) Tensor { return FromSlice(v, int64(len(v))) }
	longs := func(v ...int64) Tensor { return FromSlice(v, int64(len(v))) }
	a, b := row(1, 2, 3), row(2, 2, 2)
	nan := row(float32(math.NaN()), 1, float32(math.Inf(1)))
	m := FromSlice([]float32{3, 1, 2, 4, 6, 5}, 2, 3)
	_, at := Sort(m, 1, false)
	_, most := MaxDim(m, 1, false)
	_, least := MinDim(m, 1, false)
	for name, c := range map[string]struct{ got, want Tensor }{
		"Lt": {Lt(a, b), bools(true, false, false)}, "Le": {Le(a, b), bools(true, true, false)},
		"Gt": {Gt(a, b), bools(false, false, true)}, "Ge": {Ge(a, b), bools(false, true, true)},
		"Eq": {Eq(a, b), bools(false, true, false)}, "Ne": {Ne(a, b), bools(true, false, true)},
		"LtScalar": {LtScalar(a, 2), bools(true, false, false)}, "LeScalar": {LeScalar(a, 2), bools(true, true, false)},
		"GtScalar": {GtScalar(a, 2), bools(false, false, true)}, "GeScalar": {GeScalar(a, 2), bools(false, true, true)},
		"EqScalar":   {EqScalar(a, 2), bools(false, true, false)},
		"LogicalNot": {LogicalNot(bools(true, false)), bools(false, true)},
		"LogicalAnd": {LogicalAnd(bools(true, true, false), bools(true, false, false)), bools(true, false, false)},
		"LogicalOr":  {LogicalOr(bools(true, true, false), bools(true, false, false)), bools(true, true, false)},
		"IsNaN":      {IsNaN(nan), bools(true, false, false)}, "IsFinite": {IsFinite(nan), bools(false, true, false)},
		"All": {Unsqueeze(All(bools(true, false)), 0), bools(false)}, "Any": {Unsqueeze(Any(bools(true, false)), 0), bools(true)},
		"Nonzero": {Nonzero(row(0, 5, 7)), FromSlice([]int64{1, 2}, 2, 1)},
		"OneHot":  {OneHot(longs(1, 0), 3), FromSlice([]int64{0, 1, 0, 1, 0, 0}, 2, 3)},
		"Sort":    {at, FromSlice([]int64{1, 2, 0, 0, 2, 1}, 2, 3)},
		"MaxDim":  {most, longs(0, 1)}, "MinDim": {least, longs(1, 0)},
		"ArgmaxDim":    {ArgmaxDim(m, 1, false), longs(0, 1)},
		"ZerosLike":    {ZerosLike(a), row(0, 0, 0)},
		"EmptyLike":    {FromSlice(EmptyLike(a).Shape(), 1), longs(3)},
		"Contiguous":   {Contiguous(Transpose(m, 0, 1)), FromSlice([]float32{3, 4, 1, 6, 2, 5}, 3, 2)},
		"ChannelsLast": {ChannelsLast(m.View(1, 2, 1, 3)), m.View(1, 2, 1, 3)},
	} {
		if !Equal(c.got, c.want) {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
	third := AddScaled(Zeros([]int64{1}, Options{Dtype: Double}), Ones([]int64{1}, false).CastTo(Double), 1.0/3)
	if v := third.ItemFloat(); v != 1.0/3 {
		t.Errorf("AddScaled by 1/3: %v", v)
	}
	if p := Multinomial(row(0, 1, 0), 2, true, nil); !Equal(p, longs(1, 1)) {
		t.Errorf("Multinomial: %v", p)
	}
}

func TestInPlace(t *testing.T) {
	a := FromSlice([]float32{-1, 2}, 2)
	a.MulScalarI(3)
	a.AddScalarI(1)
	nearSlice(t, "a 3 + 1", ToSlice[float32](a), []float64{-2, 7}, 0)
	nearSlice(t, "leaky", ToSlice[float32](RawLeakyReluI(a, 0.5)), []float64{-1, 7}, 0)
	RawReluI(a)
	nearSlice(t, "relu", ToSlice[float32](a), []float64{0, 7}, 0)
	a.FillI(4)
	nearSlice(t, "fill", ToSlice[float32](a), []float64{4, 4}, 0)
	CopyFrom(a, []float32{5, 6})
	nearSlice(t, "copy", ToSlice[float32](a), []float64{5, 6}, 0)
	for name, f := range map[string]func(){
		"CopyFrom of another type":    func() { CopyFrom(a, []float64{1, 2}) },
		"CopyFrom of another number":  func() { CopyFrom(a, []float32{1}) },
		"ToSlice of another type":     func() { ToSlice[int64](a) },
		"FromSlice of a defined type": func() { FromSlice([]defined{1}, 1) },
		"FromBytes of another number": func() { FromBytes([]byte{1}, Float, 1) },
	} {
		if err := Try(f); err == nil {
			t.Errorf("%s is no error", name)
		}
	}
	v := Transpose(FromSlice([]float32{1, 2, 3, 4}, 2, 2), 0, 1)
	CopyFrom(v, []float32{5, 6, 7, 8}) // into a view, and out of it
	nearSlice(t, "view", ToSlice[float32](v), []float64{5, 6, 7, 8}, 0)
}

type defined float32

// TestOptimizers follows torch.optim.SGD and Adam.
func TestOptimizers(t *testing.T) {
	var f struct {
		Optimisers []struct {
			Kind   string
			Params []source
			Steps  []struct {
				Grads  []*source
				Params []result
			}
		}
	}
	readFixture(t, "more.json", &f)
	for _, c := range f.Optimisers {
		t.Run(c.Kind, func(t *testing.T) {
			opt, ok := map[string]Optimizer{
				"sgd": SGD(0.1, 0, 0, 0, false), "sgd momentum": SGD(0.1, 0.9, 0.1, 0.01, false),
				"sgd nesterov": SGD(0.1, 0.9, 0, 0.01, true), "adam": Adam(0.1, 0.8, 0.99, 0.01),
			}[c.Kind]
			if !ok {
				t.Fatal("the test does not know it")
			}
			var params []Tensor
			for _, s := range c.Params {
				params = append(params, s.tensor().SetRequiresGrad(true))
				opt.AddParameters(params[len(params)-1:])
			}
			for i, s := range c.Steps {
				opt.ZeroGrad()
				for k, g := range s.Grads {
					if g != nil {
						params[k].SetGrad(g.tensor())
					}
				}
				if i == 3 {
					opt.SetLR(0.05)
				}
				opt.Step()
				for k, p := range params {
					near(t, fmt.Sprintf("step %d, parameter %d", i+1, k), p, s.Params[k], 2e-6)
				}
			}
			opt.Close()
			opt.Close()
			if _, ok := mustPanic(t, opt.Step).(*ReleasedError); !ok {
				t.Error("a closed optimiser can be used")
			}
		})
	}
	if err := Try(func() { SGD(0.1, 0, 0, 0, true) }); err == nil {
		t.Error("Nesterov without momentum is no error")
	}
	mustPanic(t, func() { Optimizer{}.Step() })
	if err := Try(func() { SGD(1, 0, 0, 0, false).AddParameters([]Tensor{AddScalar(Ones([]int64{1}, true), 1)}) }); err == nil {
		t.Error("a computed parameter is no error")
	}
}

func TestSchedules(t *testing.T) {
	var f struct{ Schedules map[string][]float64 }
	readFixture(t, "more.json", &f)
	const lr = 0.5
	for name, s := range map[string]Schedule{
		"step": StepLR(lr, 4, 0.5), "multi step": MultiStepLR(lr, []int64{7, 3}, 0.1), "exponential": ExponentialLR(lr, 0.9),
		"cosine": CosineAnnealingLR(lr, 10, 0.01), "linear": LinearLR(lr, 0.25, 1, 5), "polynomial": PolynomialLR(lr, 8, 2),
		"one cycle": OneCycleLR(1, 20, OneCycleOptions{}), "restarts": CosineAnnealingWarmRestarts(lr, 4, 2, 0.01),
		"warm-up, cosine": SequentialLR([]Schedule{LinearLR(lr, 0.25, 1, 5), CosineAnnealingLR(lr, 10, 0.01)}, []int64{5}),
	} {
		want := f.Schedules[name]
		if len(want) != 15 {
			t.Fatalf("%s: %d rates", name, len(want))
		}
		for i, w := range want {
			if got := s(int64(i)); math.Abs(got-w) > 1e-9 {
				t.Errorf("%s: step %d: %v, want %v", name, i, got, w)
			}
		}
	}
	if v := CosineAnnealingWarmRestarts(lr, 4, 1, 0)(8); v != lr {
		t.Errorf("restarts of one length: %v", v)
	}
	if ConstantLR(lr)(99) != lr {
		t.Error("a constant changes")
	}
}

func TestSchedulesRefuse(t *testing.T) {
	for name, f := range map[string]func() Schedule{
		"SequentialLR":                       func() Schedule { return SequentialLR([]Schedule{ConstantLR(1)}, []int64{1}) },
		"StepLR":                             func() Schedule { return StepLR(1, 0, 0.5) },
		"CosineAnnealingLR":                  func() Schedule { return CosineAnnealingLR(1, 0, 0) },
		"LinearLR":                           func() Schedule { return LinearLR(1, 0, 1, -1) },
		"PolynomialLR":                       func() Schedule { return PolynomialLR(1, 0, 1) },
		"OneCycleLR":                         func() Schedule { return OneCycleLR(1, 0, OneCycleOptions{}) },
		"OneCycleLR, no rise":                func() Schedule { return OneCycleLR(1, 3, OneCycleOptions{}) },
		"OneCycleLR, no fall":                func() Schedule { return OneCycleLR(1, 20, OneCycleOptions{Rise: 1}) },
		"CosineAnnealingWarmRestarts":        func() Schedule { return CosineAnnealingWarmRestarts(1, 0, 2, 0) },
		"CosineAnnealingWarmRestarts factor": func() Schedule { return CosineAnnealingWarmRestarts(1, 4, 0, 0) },
	} {
		var err *Error
		if !errors.As(Try(func() { f() }), &err) || !strings.HasPrefix(name, err.Op) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Every line of ops.txt is named in a test, itself or by its wrapper.
func TestEveryOperationHasATest(t *testing.T) {
	ops, err := os.ReadFile("ops.txt")
	if err != nil {
		t.Fatal(err)
	}
	var tests strings.Builder
	for _, pattern := range []string{"*_test.go", "nn/*_test.go", "nn/*/*_test.go"} {
		paths, _ := filepath.Glob(pattern)
		for _, p := range paths {
			b, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			tests.Write(b)
		}
	}
	otherwise := map[string]string{
		"opMeanDims": "MeanDims", "opSumDims": "SumDims", "opArgmaxAll": "Argmax", "opArgminAll": "Argmin", "opSqueezeDim": "Squeeze",
		"opTo": "To", "opCast": "CastTo", "opSum": "SumAll", "opMax": "MaxAll", "opMin": "MinAll", "opRandPerm": "RandPermWith", "opRandInt": "RandIntWith",
		"opIsPinned": "PinMemory", "opAttention": "Attention",
		"RawBCELoss": "BinaryCrossEntropy",
	}
	n := 0
	for _, m := range regexp.MustCompile(`(?m)^(\w+)!?\(.*=`).FindAllStringSubmatch(string(ops), -1) {
		n++
		name := m[1]
		if o, ok := otherwise[name]; ok {
			name = o
		}
		name = strings.TrimPrefix(name, "op")
		if !regexp.MustCompile(`\b` + name + `\b`).MatchString(tests.String()) {
			t.Errorf("%s has no test", m[1])
		}
	}
	if n < 150 {
		t.Errorf("only %d operations were found", n)
	}
}
