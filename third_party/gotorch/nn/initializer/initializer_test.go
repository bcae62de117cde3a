package initializer_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn/initializer"
)

func TestManualSeed(t *testing.T) {
	initializer.ManualSeed(1)
	assert.Equal(t, float32(0.66135216), torch.RandN([]int64{1}, false).Item())
}

func TestFills(t *testing.T) {
	var none torch.Tensor
	for name, c := range map[string]struct {
		fill func(*torch.Tensor)
		ok   func(v float32) bool
	}{
		"Zeros":   {initializer.Zeros, func(v float32) bool { return v == 0 }},
		"Ones":    {initializer.Ones, func(v float32) bool { return v == 1 }},
		"Uniform": {func(a *torch.Tensor) { initializer.Uniform(a, 11, 22) }, func(v float32) bool { return v >= 11 && v < 22 }},
		"Normal":  {func(a *torch.Tensor) { initializer.Normal(a, 100, 1) }, func(v float32) bool { return v > 92 && v < 108 }},
	} {
		assert.Panics(t, func() { c.fill(&none) }, name)
		x := torch.Full([]int64{100, 3}, -1, true) // a parameter
		same := x
		c.fill(&x)
		assert.Equal(t, same, x, "%s fills in place", name)
		assert.True(t, x.RequiresGrad(), name)
		for _, v := range torch.ToSlice[float32](x) {
			if !c.ok(v) {
				t.Fatalf("%s: %v", name, v)
			}
		}
	}
}

func TestFans(t *testing.T) {
	in, out := initializer.CalculateFanInAndFanOut(torch.Empty([]int64{8, 4, 3, 5}, false))
	assert.Equal(t, []int64{60, 120}, []int64{in, out})
	in, out = initializer.CalculateFanInAndFanOut(torch.Empty([]int64{8, 4}, false))
	assert.Equal(t, []int64{4, 8}, []int64{in, out})
	assert.Panics(t, func() { initializer.CalculateFanInAndFanOut(torch.Empty([]int64{8}, false)) })
}

// The bounds are gain sqrt(3 / fan), with PyTorch's gains.
func TestKaimingUniform(t *testing.T) {
	for _, c := range []struct {
		a            float64
		mode, follow string
		bound        float64
	}{
		{math.Sqrt(5), "fan_in", "leaky_relu", 1 / math.Sqrt(30)},
		{0, "fan_in", "relu", math.Sqrt(2 * 3 / 30.0)},
		{0, "fan_out", "tanh", 5.0 / 3 * math.Sqrt(3/1000.0)},
		{0, "fan_out", "linear", math.Sqrt(3 / 1000.0)},
		{0, "fan_in", "sigmoid", math.Sqrt(3 / 30.0)},
		{0, "fan_in", "selu", 0.75 * math.Sqrt(3/30.0)},
	} {
		x := torch.Empty([]int64{1000, 30}, true)
		initializer.KaimingUniform(&x, c.a, c.mode, c.follow)
		m := torch.MaxAll(torch.Abs(x)).ItemFloat()
		assert.LessOrEqual(t, m, c.bound*(1+1e-6), c.follow)
		assert.Greater(t, m, 0.999*c.bound, c.follow) // 30,000 numbers come closer
	}
	x := torch.Empty([]int64{2, 2}, false)
	assert.Panics(t, func() { initializer.KaimingUniform(&x, 0, "fan_off", "relu") })
	assert.Panics(t, func() { initializer.KaimingUniform(&x, 0, "fan_in", "gelu") })
}
