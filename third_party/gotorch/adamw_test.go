package gotorch

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

type adamwFixture struct {
	LR          float64
	WeightDecay float64 `json:"weight_decay"`
	Betas       []float64
	Eps         float64
	Params      []source
	Steps       []struct {
		Grads    []source
		Params   []result
		ExpAvg   []result `json:"exp_avg"`
		ExpAvgSq []result `json:"exp_avg_sq"`
	}
}

func (f adamwFixture) start() (*AdamW, []Tensor) {
	var params []Tensor
	for _, p := range f.Params {
		params = append(params, p.tensor().SetRequiresGrad(true))
	}
	return NewAdamW(params, AdamWOptions{Beta1: f.Betas[0], Beta2: f.Betas[1], Eps: f.Eps, WeightDecay: f.WeightDecay}), params
}

func readAdamW(t *testing.T) adamwFixture {
	var f struct{ AdamW adamwFixture }
	readFixture(t, "optim.json", &f)
	if len(f.AdamW.Steps) != 5 {
		t.Fatalf("%d steps", len(f.AdamW.Steps))
	}
	return f.AdamW
}

// TestAdamW follows PyTorch's parameters and moments over five steps. With a
// gradient scale the gradients are multiplied first and divided in the step;
// steps that found an infinity change nothing and are not counted.
func TestAdamW(t *testing.T) {
	for _, c := range []struct {
		name  string
		scale float64
		skips bool
	}{{"plain", 0, false}, {"scaled", 1024, false}, {"skipping", 0, true}, {"both", 1 << 16, true}} {
		t.Run(c.name, func(t *testing.T) {
			f := readAdamW(t)
			a, params := f.start()
			for i, s := range f.Steps {
				Scoped(func() {
					var g AdamWGuards
					if c.scale != 0 {
						g.GradScale = FullWith(nil, c.scale, Options{})
					}
					for k, p := range params {
						grad := s.Grads[k].tensor()
						if c.scale != 0 {
							grad.MulScalarI(c.scale)
						}
						p.SetGrad(grad)
					}
					if c.skips {
						p := params[0].Grad()
						good := Clone(p)
						p.FillI(math.Inf(1))
						g.FoundInf = FullWith(nil, 1, Options{})
						a.Step(f.LR, g)
						p.CopyI(good)
						g.FoundInf = Zeros(nil, Options{})
					}
					a.Step(f.LR, g)
				})
				for k := range params {
					what := fmt.Sprintf("step %d, parameter %d", i+1, k)
					near(t, what, params[k], s.Params[k], 1e-6)
					near(t, what+", first moment", a.ExpAvg[k], s.ExpAvg[k], 1e-6)
					near(t, what+", second moment", a.ExpAvgSq[k], s.ExpAvgSq[k], 1e-6)
				}
				if n := a.StepCount.ItemFloat(); n != float64(i+1) {
					t.Errorf("%v steps were counted after %d", n, i+1)
				}
			}
		})
	}
}

// A parameter without a gradient stays as it is.
func TestAdamWWithoutGradient(t *testing.T) {
	p, q := Ones([]int64{2}, true), Ones([]int64{2}, true)
	a := NewAdamW([]Tensor{p, q}, AdamWOptions{})
	if err := Try(func() { a.Step(0.1, AdamWGuards{}) }); err == nil {
		t.Error("no gradient at all is no error")
	}
	if err := Try(func() { NewAdamW(nil, AdamWOptions{}) }); err == nil {
		t.Error("no parameters at all are no error")
	}
	q.SetGrad(Ones([]int64{2}, false))
	a.Step(0.1, AdamWGuards{})
	nearSlice(t, "without a gradient", ToSlice[float32](p), []float64{1, 1}, 0)
	nearSlice(t, "with a gradient", ToSlice[float32](q), []float64{0.9, 0.9}, 1e-6)
}

func TestClipGradNorm(t *testing.T) {
	var f struct {
		Clip []struct {
			MaxNorm float64 `json:"max_norm"`
			Grads   []source
			Norm    float64
			Clipped []result
		} `json:"clip_grad_norm"`
	}
	readFixture(t, "optim.json", &f)
	for _, c := range f.Clip {
		t.Run(fmt.Sprint("max ", c.MaxNorm), func(t *testing.T) {
			var params []Tensor
			for _, g := range c.Grads {
				p := Zeros(g.Shape, Options{}).SetRequiresGrad(true)
				p.SetGrad(g.tensor())
				params = append(params, p)
			}
			norm := ClipGradNorm(params, c.MaxNorm)
			if d := math.Abs(norm.ItemFloat() - c.Norm); d > 1e-5 {
				t.Errorf("norm %v, want %v", norm.ItemFloat(), c.Norm)
			}
			for i, p := range params {
				near(t, fmt.Sprint("gradient ", i), p.Grad(), c.Clipped[i], 1e-6)
			}
		})
	}
}

// The norm of gradients of any size and order of elements, whatever the number of threads.
func TestGradNorm(t *testing.T) {
	n := NumThreads()
	defer SetNumThreads(int32(n))
	Scoped(func() {
		var params []Tensor
		sum := 0.0
		for k, shape := range [][]int64{{3}, {}, {0}, {100, 170}, {4096}, {2, 5, 3, 3}, {300, 301}} {
			g := source{Shape: shape, K: uint32(k), Scale: 3}.tensor()
			if len(shape) == 4 {
				g = ChannelsLast(g)
			}
			for _, x := range ToSlice[float32](g) {
				sum += float64(x) * float64(x)
			}
			p := Zeros(shape, Options{}).SetRequiresGrad(true)
			p.SetGrad(g)
			params = append(params, p)
		}
		params = append(params, Ones([]int64{2}, true)) // without a gradient
		SetNumThreads(1)
		first := GradNorm(params)
		if got := first.ItemFloat(); !(math.Abs(got/math.Sqrt(sum)-1) <= 1e-6) {
			t.Errorf("%v, want %v", got, math.Sqrt(sum))
		}
		for _, threads := range []int32{2, 5} {
			SetNumThreads(threads)
			if !Equal(GradNorm(params), first) {
				t.Error(threads, "threads give another one")
			}
		}
		params[3].SetGrad(Full([]int64{100, 170}, float32(math.NaN()), false))
		if norm := GradNorm(params).ItemFloat(); norm == norm {
			t.Error("of what is no number: ", norm)
		}
		// A part of a wider one has gaps.
		wide := Ones([]int64{4, 6}, false)
		p := Zeros([]int64{4, 3}, Options{}).SetRequiresGrad(true)
		p.SetGrad(Narrow(wide, 1, 0, 3))
		if norm := GradNorm([]Tensor{p}).ItemFloat(); math.Abs(norm-math.Sqrt(12)) > 1e-6 {
			t.Error("of a part: ", norm)
		}
	})
}

func TestLerpAll(t *testing.T) {
	var f struct {
		EMA struct {
			Start source
			Steps []struct {
				Decay float64
				Param source
				EMA   result
			}
		}
	}
	readFixture(t, "optim.json", &f)
	ema := f.EMA.Start.tensor()
	for i, s := range f.EMA.Steps {
		LerpAll([]Tensor{ema}, []Tensor{s.Param.tensor()}, 1-s.Decay)
		near(t, fmt.Sprint("step ", i+1), ema, s.EMA, 1e-6)
	}
	if err := Try(func() { LerpAll([]Tensor{ema}, nil, 0.5) }); err == nil {
		t.Error("lists of unequal length are no error")
	}
}

// The fused kernel would write beyond moments that are smaller than their
// parameter.
func TestAdamWRefusesOtherShapes(t *testing.T) {
	for name, change := range map[string]func(a *AdamW, p Tensor){
		"the gradient":      func(a *AdamW, p Tensor) { p.SetGrad(Ones([]int64{2}, false)) },
		"the first moment":  func(a *AdamW, p Tensor) { a.ExpAvg[0] = Ones([]int64{2}, false) },
		"the second moment": func(a *AdamW, p Tensor) { a.ExpAvgSq[0] = Ones([]int64{3, 1}, false) },
	} {
		p := Ones([]int64{3}, true)
		p.SetGrad(Ones([]int64{3}, false))
		a := NewAdamW([]Tensor{p}, AdamWOptions{})
		err := Try(func() {
			change(a, p)
			a.Step(1, AdamWGuards{})
		})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		if ToSlice[float32](p)[0] != 1 || a.StepCount.ItemFloat() != 0 {
			t.Errorf("%s: a step was taken", name)
		}
	}
}

func TestCopyAll(t *testing.T) {
	dst, src := []Tensor{Ones([]int64{2}, true), Ones([]int64{1}, true)}, []Tensor{Full([]int64{2}, 3, false), Full([]int64{1}, 4, false)}
	CopyAll(dst, src)
	nearSlice(t, "first", ToSlice[float32](dst[0]), []float64{3, 3}, 0)
	nearSlice(t, "second", ToSlice[float32](dst[1]), []float64{4}, 0)
	if err := Try(func() { CopyAll(dst, src[:1]) }); err == nil {
		t.Error("lists of unequal length are no error")
	}
}

// TestAutocast takes two steps in a row: the second must not compute with the
// bf16 weights of the first.
func TestAutocast(t *testing.T) {
	var f struct {
		A struct {
			X, Weight, Bias, W source
			LR                 float64
			Steps              []struct {
				Output     result
				WeightGrad result `json:"weight_grad"`
				BiasGrad   result `json:"bias_grad"`
			}
			Stale result
		} `json:"autocast_linear"`
	}
	readFixture(t, "optim.json", &f)
	c := f.A
	x, w := c.X.tensor(), c.W.tensor()
	weight, bias := c.Weight.tensor().SetRequiresGrad(true), c.Bias.tensor().SetRequiresGrad(true)
	for i, s := range c.Steps {
		Scoped(func() {
			var out Tensor
			Autocast(CPU, BFloat16, func() { out = RawLinear(x, weight, bias) })
			if out.Dtype() != BFloat16 {
				t.Errorf("step %d: the output's type is %d", i+1, out.Dtype())
			}
			ZeroGrad([]Tensor{weight, bias})
			SumAll(Mul(out.CastTo(Float), w)).Backward()
			const bf16 = 1.0 / 128
			near(t, fmt.Sprintf("step %d, output", i+1), out, s.Output, bf16)
			near(t, fmt.Sprintf("step %d, weight's gradient", i+1), weight.Grad(), s.WeightGrad, bf16)
			near(t, fmt.Sprintf("step %d, bias's gradient", i+1), bias.Grad(), s.BiasGrad, bf16)
			NoGrad(func() {
				opSubI(weight, weight.Grad(), c.LR)
				opSubI(bias, bias.Grad(), c.LR)
			})
		})
	}
}

func TestAutocastNests(t *testing.T) {
	a := Ones([]int64{2, 2}, false)
	dtype := func() int8 { return MM(a, a).Dtype() }
	Autocast(CPU, BFloat16, func() {
		Autocast(CPU, Half, func() {
			if dtype() != Half {
				t.Error("not half inside")
			}
		})
		if dtype() != BFloat16 {
			t.Error("not bfloat16 after the inner one")
		}
		Autocast(CPU, Float, func() {
			if dtype() != Float {
				t.Error("Float does not switch it off")
			}
		})
		mustPanic(t, func() { Autocast(CPU, Half, func() { panic("out") }) })
		if dtype() != BFloat16 {
			t.Error("not bfloat16 after a panic inside")
		}
	})
	if dtype() != Float {
		t.Error("not float outside")
	}
}

// A learning rate and a weight that lie in tensors give what they give as numbers.
func TestNumbersInTensors(t *testing.T) {
	var got [2][]float32
	for i := range got {
		Scoped(func() {
			ManualSeed(5)
			p, ema := RandN([]int64{3, 4}, true), RandN([]int64{3, 4}, false)
			a := NewAdamW([]Tensor{p}, AdamWOptions{WeightDecay: 0.25})
			for range 3 {
				ZeroGrad(a.Params)
				SumAll(Mul(p, p)).Backward()
				NoGrad(func() {
					const rate, weight = 0.125, 0.375 // float32 has them as they are
					if i == 0 {
						a.Step(rate, AdamWGuards{})
						LerpAll([]Tensor{ema}, a.Params, weight)
					} else {
						a.StepWith(Full([]int64{}, rate, false), AdamWGuards{})
						LerpAllWith([]Tensor{ema}, a.Params, Full([]int64{}, weight, false))
					}
				})
			}
			got[i] = append(ToSlice[float32](p), ToSlice[float32](ema)...)
		})
	}
	for i, want := range got[0] {
		if d := got[1][i] - want; d > 1e-6 || d < -1e-6 {
			t.Errorf("number %d is %v, not %v", i, got[1][i], want)
		}
	}
	mustPanic(t, func() { NewAdamW([]Tensor{Ones([]int64{1}, true)}, AdamWOptions{}).StepWith(Tensor{}, AdamWGuards{}) })
	mustPanic(t, func() { LerpAllWith(nil, nil, Tensor{}) })
}
