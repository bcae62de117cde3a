package gotorch

import (
	"slices"
	"testing"
)

// trained is parameters of odd sizes with their optimiser and average; two of them are
// equal.
type trained struct {
	params, average []Tensor
	adamw           *AdamW
}

func newTrained(o AdamWOptions) trained {
	g := NewGenerator(CPU, 5)
	var t trained
	for _, shape := range [][]int64{{1}, {7}, {16}, {103}, {0}, {4, 5, 5}, {64, 65}, {5, 3, 3, 3}, {130, 64, 3}} {
		p := RandNWith(g, shape, Options{})
		if len(shape) == 4 {
			p = ChannelsLast(p)
		}
		t.params = append(t.params, p.SetRequiresGrad(true))
		t.average = append(t.average, Clone(p.Detach()))
	}
	t.adamw = NewAdamW(t.params, o)
	return t
}

// newTrainedStep does a step of new parameters.
func newTrainedStep(o AdamWOptions, rate float64) {
	t := newTrained(o)
	t.params[0].SetGrad(Ones(t.params[0].Shape(), false))
	t.adamw.StepAveraged(rate, AdamWGuards{}, t.average, 0.5)
}

// all is every tensor that a step changes.
func (t trained) all() []Tensor {
	var all []Tensor
	for _, ts := range [][]Tensor{t.params, t.average, t.adamw.ExpAvg, t.adamw.ExpAvgSq, {t.adamw.StepCount}} {
		all = append(all, ts...)
	}
	for _, p := range t.params {
		if g := p.Grad(); g.Defined() {
			all = append(all, g)
		}
	}
	return all
}

// A step in one pass has the bits of libtorch's kernel, which a learning rate in a
// tensor asks for, and of its lerp: at odd sizes, in other layouts, with every guard, on
// one thread and many, on lesser processors.
func TestAdamWHasLibtorchsBits(t *testing.T) {
	defer SetNumThreads(int32(NumThreads()))
	const rate = 1.0 / 512 // the same in float32
	for name, o := range map[string]AdamWOptions{
		"plain": {}, "decay": {WeightDecay: 0.01}, "far": {Beta1: 0.3, Beta2: 0.9, Eps: 1e-3},
	} {
		for _, threads := range []int32{1, 3} {
			SetNumThreads(threads)
			ours, theirs := newTrained(o), newTrained(o)
			g := NewGenerator(CPU, 6)
			for step := range 12 {
				Scoped(func() {
					guards := AdamWGuards{FoundInf: FullWith(nil, float64(step%5/4), Options{})}
					if step%2 == 1 {
						guards.GradScale = FullWith(nil, 1+float64(step%3)/3, Options{})
					}
					weight := []float64{0.001, 0.6, 1, 0}[step%4]
					for i, p := range ours.params {
						if i == step { // has none in this step
							p.SetGrad(Tensor{})
							theirs.params[i].SetGrad(Tensor{})
							continue
						}
						grad := MulScalar(RandNWith(g, p.Shape(), Options{}), 0.01)
						if p.Dim() == 4 {
							grad = ChannelsLast(grad)
						}
						p.SetGrad(grad)
						theirs.params[i].SetGrad(Clone(grad))
					}
					NoGrad(func() {
						if step == 0 && !slices.ContainsFunc(Profile(func() {
							newTrainedStep(o, rate)
						}), func(p OperationProfile) bool { return p.Name == "gotorch::adamw" }) {
							t.Error("the pass of our own was not taken")
						}
						ours.adamw.StepAveraged(rate, guards, ours.average, weight)
						theirs.adamw.StepWith(FullWith(nil, rate, Options{}), guards)
						LerpAll(theirs.average, theirs.params, weight)
					})
					want := theirs.all()
					for i, got := range ours.all() {
						if !Equal(got, want[i]) {
							t.Errorf("%s, %d threads, step %d: tensor %d has other bits", name, threads, step, i)
						}
					}
				})
				if t.Failed() {
					return
				}
			}
		}
	}
	if testing.Short() {
		return
	}
	onLesserProcessors(t, "^TestAdamWHasLibtorchsBits$ -test.short")
}

// What the pass of our own cannot do is libtorch's: a parameter that is there twice moves
// twice.
func TestAdamWOfAParameterTwice(t *testing.T) {
	step := func(there bool) Tensor {
		p := Ones([]int64{64}, true)
		average := Ones([]int64{64}, false)
		a := NewAdamW([]Tensor{p, p}, AdamWOptions{})
		p.SetGrad(Ones([]int64{64}, false))
		if there {
			a.StepWith(FullWith(nil, 0.125, Options{}), AdamWGuards{})
			LerpAll([]Tensor{average, average}, a.Params, 0.5)
		} else {
			a.StepAveraged(0.125, AdamWGuards{}, []Tensor{average, average}, 0.5)
		}
		return Stack([]Tensor{p.Detach(), average}, 0)
	}
	if got, want := step(false), step(true); !Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	p := Ones([]int64{1}, true)
	mustPanic(t, func() { NewAdamW([]Tensor{p}, AdamWOptions{}).StepAveraged(1, AdamWGuards{}, nil, 1) })
}

// Lists are added in their order, in float32, whatever the type and the layout of a part.
func TestAddGrads(t *testing.T) {
	for _, shape := range [][]int64{{1}, {33}, {4, 3, 3, 3}} {
		for lists := 1; lists < 5; lists++ {
			p := Zeros(shape, Options{}).SetRequiresGrad(true)
			var parts [][]Tensor
			var want Tensor
			for i := range 2 * lists {
				g := RandN(shape, false)
				if i%2 == 0 {
					g = g.CastTo(BFloat16)
				}
				if i%3 == 2 && len(shape) == 4 {
					g = ChannelsLast(g)
				}
				parts = append(parts, []Tensor{g})
				if f := g.CastTo(Float); i == 0 {
					want = f
				} else {
					want = Add(want, f, 1)
				}
			}
			AddGrads([]Tensor{p}, parts[:1]...)
			AddGrads([]Tensor{p}, append(parts[1:], []Tensor{{}})...)
			if !Equal(p.Grad(), want) || p.Grad().Dtype() != Float {
				t.Errorf("%v, %d lists: %v, want %v", shape, lists, p.Grad(), want)
			}
		}
	}
	p := Zeros([]int64{3}, Options{}).SetRequiresGrad(true)
	AddGrads([]Tensor{p}, []Tensor{{}})
	if p.Grad().Defined() {
		t.Error("a gradient of nothing")
	}
	mustPanic(t, func() { AddGrads([]Tensor{p}, []Tensor{Ones([]int64{2}, false)}) })
	mustPanic(t, func() { AddGrads([]Tensor{p}, []Tensor{}) })
}
