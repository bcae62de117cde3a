package functional_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	torch "github.com/wangkuiyi/gotorch"
	F "github.com/wangkuiyi/gotorch/nn/functional"
)

var none torch.Tensor

func TestMain(m *testing.M) {
	if err := torch.Init(torch.InitOptions{NoCUDA: true, NumThreads: 2}); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func matrix(v ...[]float64) torch.Tensor { return torch.NewTensor(v) }

// What upstream's tests pin.
func TestPinnedTexts(t *testing.T) {
	x := torch.NewTensor([][]float32{{-0.5, -1}, {1, 0.5}})
	assert.Equal(t, "-0.4741 -0.9741\n-0.4741 -0.9741\n[ CPUFloatType{2,2} ]", F.LogSoftmax(x, 1).String())
	row := func() torch.Tensor { return torch.NewTensor([]float64{-1, -0.5, 0, 0.5, 1}) }
	relu := " 0.0000\n 0.0000\n 0.0000\n 0.5000\n 1.0000\n[ CPUDoubleType{5} ]"
	leaky := "-0.0100\n-0.0050\n 0.0000\n 0.5000\n 1.0000\n[ CPUDoubleType{5} ]"
	for _, inplace := range []bool{false, true} {
		a, b := row(), row()
		assert.Equal(t, relu, F.Relu(a, inplace).String())
		assert.Equal(t, leaky, F.LeakyRelu(b, 0.01, inplace).String())
		assert.Equal(t, inplace, a.String() == relu)
		assert.Equal(t, inplace, b.String() == leaky)
	}
	w := matrix([]float64{1, 2}, []float64{3, 4})
	assert.Equal(t, "  6  13\n 12  27\n[ CPUDoubleType{2,2} ]", F.Linear(w, w, torch.NewTensor([]float64{1, 2})).String())
	p := torch.Sigmoid(matrix([]float64{1, 2}, []float64{3, 4}, []float64{5, 6}))
	target := matrix([]float64{6, 5}, []float64{4, 3}, []float64{2, 1})
	assert.Equal(t, "-5.74731\n[ CPUDoubleType{} ]", F.BinaryCrossEntropy(p, target, none, "mean").String())
	same := []float64{0, 1, 2, 1, 0}
	assert.Equal(t, "2.36302\n[ CPUDoubleType{} ]",
		F.CrossEntropy(matrix(same, same, same), torch.NewTensor([]int64{0, 3, 4}), none, -100, "mean").String())
}

func TestShapes(t *testing.T) {
	x := torch.RandN([]int64{1, 4, 5, 5}, true)
	one, zero := []int64{1, 1}, []int64{0, 0}
	assert.Equal(t, []int64{1, 8, 5, 5}, F.Conv2d(x, torch.RandN([]int64{8, 4, 3, 3}, false), none, one, one, one, 1).Shape())
	assert.Equal(t, []int64{1, 8, 5, 5}, F.ConvTranspose2d(x, torch.RandN([]int64{4, 8, 3, 3}, false), none, one, one, zero, 1, one).Shape())
	assert.Equal(t, []int64{1, 4, 2, 4}, F.MaxPool2d(x, []int64{3, 2}, []int64{2, 1}, zero, one, false).Shape())
	assert.Equal(t, []int64{1, 4, 1, 2}, F.MaxPool2d(x, []int64{3, 2}, nil, zero, one, false).Shape())
	assert.Equal(t, []int64{1, 4, 2, 3}, F.AdaptiveAvgPool2d(x, []int64{2, 3}).Shape())
	w := torch.RandN([]int64{20}, true)
	assert.Equal(t, []int64{10, 20}, F.BatchNorm(torch.RandN([]int64{10, 20}, true), none, none, w, none, true, 0.1, 0.1).Shape())
	logp := F.LogSoftmax(torch.RandN([]int64{3, 5}, true), -1)
	loss := F.NllLoss(logp, torch.NewTensor([]int64{1, 0, 4}), none, -100, "mean")
	loss.Backward()
	assert.Equal(t, 0, len(loss.Shape()))
	assert.Equal(t, []int64{3}, F.NllLoss(logp, torch.NewTensor([]int64{1, 0, 4}), none, -100, "none").Shape())
}

// Channels 1, 2 and 3, 4 are groups: of -1, 1 each remains.
func TestGroupNorm(t *testing.T) {
	x, shift := torch.NewTensor([][]float32{{1, 3, 5, 5}}), torch.NewTensor([][]float32{{0, 0, -1, 1}})
	w, b := torch.NewTensor([]float32{1, 1, 2, 2}), torch.NewTensor([]float32{0, 0, 1, 1})
	assert.InDeltaSlice(t, []float32{-1, 1, 1, 1}, torch.ToSlice[float32](F.GroupNorm(x, 2, w, b, 1e-12)), 1e-6)
	silu := func(z float64) float64 { return z / (1 + math.Exp(-z)) }
	want := []float64{silu(-1), silu(1), silu(-1), silu(3)}
	assert.InDeltaSlice(t, want, torch.ToSlice[float32](F.GroupNormSiLU(x, shift, 2, w, b, 1e-12)), 1e-6)
}

// A negative dim picks 0 for tensors of 0, 1 and 3 dimensions, 1 for others.
func TestLogSoftmaxPicksADimension(t *testing.T) {
	for _, c := range []struct {
		shape []int64
		dim   int64
	}{{nil, 0}, {[]int64{3}, 0}, {[]int64{2, 3}, 1}, {[]int64{2, 3, 2}, 0}, {[]int64{2, 3, 2, 2}, 1}} {
		x := torch.RandN(c.shape, false)
		assert.True(t, torch.Equal(torch.LogSoftmax(x, c.dim), F.LogSoftmax(x, -1)), "%v", c.shape)
	}
}

func TestReductions(t *testing.T) {
	x, target := torch.RandN([]int64{3, 5}, false), torch.NewTensor([]int64{1, 0, 4})
	each := torch.ToSlice[float32](F.CrossEntropy(x, target, none, -100, "none"))
	sum := float64(each[0] + each[1] + each[2])
	assert.InDelta(t, sum, F.CrossEntropy(x, target, none, -100, "sum").ItemFloat(), 1e-5)
	assert.InDelta(t, sum/3, F.CrossEntropy(x, target, none, -100, "mean").ItemFloat(), 1e-5)
	p := torch.Sigmoid(x)
	for _, f := range []func(reduction string){
		func(r string) { F.CrossEntropy(x, target, none, -100, r) },
		func(r string) { F.NllLoss(x, target, none, -100, r) },
		func(r string) { F.BinaryCrossEntropy(p, p, none, r) },
	} {
		assert.PanicsWithError(t, "reduction is average; it must be none, mean or sum", func() { f("average") })
	}
}

type source struct {
	Shape         []int64
	K             uint32
	Scale, Offset float64
}

// tensor fills by the formula of models/testdata/README.md.
func (s source) tensor() torch.Tensor {
	mix := func(h uint32) uint32 {
		h ^= h >> 16
		h *= 0x85EBCA6B
		h ^= h >> 13
		h *= 0xC2B2AE35
		return h ^ h>>16
	}
	v := make([]float32, torch.Numel(s.Shape))
	for i := range v {
		h := mix(mix(uint32(i)) ^ mix(s.K+0x9E3779B9))
		v[i] = float32(s.Offset + s.Scale*(float64(h>>8)/(1<<24)-0.5))
	}
	return torch.FromSlice(v, s.Shape...)
}

type result struct{ Values []float64 }

func near(t *testing.T, what string, got torch.Tensor, want result) {
	t.Helper()
	g := torch.ToSlice[float32](got)
	require.Len(t, g, len(want.Values), what)
	for i, w := range want.Values {
		if d := math.Abs(float64(g[i]) - w); !(d <= 5e-6*math.Max(1, math.Abs(w))) {
			t.Errorf("%s: element %d is %v, want %v", what, i, g[i], w)
		}
	}
}

// TestBinaryCrossEntropy compares with PyTorch, for targets beyond [0,1] with
// the formula that libtorch 1.6 computed.
func TestBinaryCrossEntropy(t *testing.T) {
	b, err := os.ReadFile("../../testdata/more.json")
	require.NoError(t, err)
	var all struct{ Cases []json.RawMessage }
	require.NoError(t, json.Unmarshal(b, &all))
	n := 0
	for _, raw := range all.Cases {
		var op struct{ Op string }
		require.NoError(t, json.Unmarshal(raw, &op))
		if op.Op != "bce" {
			continue
		}
		n++
		var c struct {
			Name      string
			Inputs, W []source
			Args      struct{ Reduction string }
			Outputs   []result
			Grads     []*result
		}
		require.NoError(t, json.Unmarshal(raw, &c))
		p, target, weight := c.Inputs[0].tensor().SetRequiresGrad(true), c.Inputs[1].tensor(), none
		if len(c.Inputs) > 2 {
			weight = c.Inputs[2].tensor()
		}
		out := F.BinaryCrossEntropy(p, target, weight, c.Args.Reduction)
		near(t, c.Name, out, c.Outputs[0])
		torch.SumAll(torch.Mul(out, c.W[0].tensor())).Backward()
		near(t, fmt.Sprint(c.Name, ", gradient"), p.Grad(), *c.Grads[0])
	}
	assert.Equal(t, 4, n)
}
