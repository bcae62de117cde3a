package gotorch

import (
	"fmt"
	"strings"
	"testing"
)

// everyOptimizer steps a parameter by each optimiser.
func everyOptimizer(t *testing.T, f func(t *testing.T, start func(p Tensor) (step func()))) {
	for name, opt := range map[string]func() Optimizer{
		"SGD":          func() Optimizer { return SGD(0.1, 0, 0, 0, false) },
		"SGD momentum": func() Optimizer { return SGD(0.1, 0.9, 0, 0, false) },
		"Adam":         func() Optimizer { return Adam(0.1, 0.9, 0.99, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			f(t, func(p Tensor) func() {
				o := opt()
				o.AddParameters([]Tensor{p})
				return o.Step
			})
		})
	}
	t.Run("AdamW", func(t *testing.T) {
		f(t, func(p Tensor) func() {
			a := NewAdamW([]Tensor{p}, AdamWOptions{})
			return func() { a.Step(0.1, AdamWGuards{}) }
		})
	})
}

// The fused kernels would read and write beyond what is smaller than its
// parameter.
func TestOptimizersRefuseOtherShapes(t *testing.T) {
	everyOptimizer(t, func(t *testing.T, start func(Tensor) func()) {
		p := Ones([]int64{2}, true)
		step := start(p)
		p.SetGrad(Ones([]int64{2}, false))
		step()
		p.SetData(Ones([]int64{300}, false))
		p.SetGrad(Ones([]int64{300}, false))
		if err := Try(step); err == nil {
			t.Log("no state, so nothing to be of another shape")
		} else if !strings.Contains(err.Error(), "make a new optimiser") {
			t.Error(err)
		} else if !Equal(p.Detach(), Ones([]int64{300}, false)) {
			t.Error("a step was taken")
		}
	})
}

// A gradient, or moments, whose elements lie in another order than the
// parameter's: the fused kernels go through all of them in the order of memory.
func TestOptimizersMindTheLayout(t *testing.T) {
	everyOptimizer(t, func(t *testing.T, start func(Tensor) func()) {
		byColumns := func(a Tensor) Tensor { return Transpose(Contiguous(Transpose(a, 0, 1)), 0, 1) }
		x := RandN([]int64{3, 4}, false)
		for name, change := range map[string]int{"from the start": 0, "between steps": 1} {
			p, q := Clone(x).SetRequiresGrad(true), Clone(x).SetRequiresGrad(true)
			step, same := start(p), start(q)
			for i := range 3 {
				if i == change {
					p.SetData(byColumns(p.Detach()))
				}
				g := RandN([]int64{3, 4}, false)
				p.SetGrad(g)
				q.SetGrad(g)
				step()
				same()
				nearSlice(t, fmt.Sprintf("%s, step %d", name, i), ToSlice[float32](p), float64s(ToSlice[float32](q)), 1e-6)
			}
		}
	})
}

func float64s(v []float32) []float64 {
	w := make([]float64, len(v))
	for i, x := range v {
		w[i] = float64(x)
	}
	return w
}

// A parameter whose elements share memory has no order to go through.
func TestOptimizersRefuseGaps(t *testing.T) {
	everyOptimizer(t, func(t *testing.T, start func(Tensor) func()) {
		p := ExpandAs(Ones([]int64{1}, false), Ones([]int64{3}, false)).SetRequiresGrad(true)
		step := start(p)
		p.SetGrad(Ones([]int64{3}, false))
		if err := Try(step); err == nil || !strings.Contains(err.Error(), "contiguous") {
			t.Error(err)
		}
	})
}

// A first step that fails for lack of memory, wherever it does, was not taken:
// the next one is the first.
func TestOptimizersSurviveFailedSteps(t *testing.T) {
	defer FailAllocations(0, 0)
	everyOptimizer(t, func(t *testing.T, start func(Tensor) func()) {
		run := func(failAt int64) (after []float32, failed bool) {
			p := FromSlice([]float32{1, 2, 3}, 3).SetRequiresGrad(true)
			step := start(p)
			for i := range 3 {
				p.SetGrad(FromSlice([]float32{1, float32(i), -1}, 3))
				if i < 2 {
					FailAllocations(failAt, 1)
					err := Try(step)
					failed = failed || err != nil
					FailAllocations(0, 0)
					if err == nil {
						continue
					}
				}
				step()
			}
			return ToSlice[float32](p), failed
		}
		want, _ := run(1000)
		for at := int64(1); ; at++ {
			got, failed := run(at)
			nearSlice(t, fmt.Sprintf("allocation %d failed", at), got, float64s(want), 0)
			if !failed {
				t.Logf("%d allocations failed", at-1)
				return
			}
		}
	})
}

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
