package gotorch

import (
	"math"
	"slices"
	"testing"
)

// AdamW's kernels for GPUs, against a slow one in float64 (slowAdamW) and the processor's pass.

// onDevice is parameters on a GPU with all that a step there needs.
type onDevice struct {
	params, average []Tensor
	adamw           *AdamW
	step            DeviceStep
	rounded         *Roundings
	o               AdamWOptions
}

// oddSizes have whole shares of a block and parts of them, one element and none.
var oddSizes = [][]int64{{1}, {7}, {2048}, {2049}, {0}, {4, 5, 5}, {5, 3, 3, 3}, {61, 67, 3}}

func newOnDevice(d Device, sizes [][]int64, o AdamWOptions, maxNorm float64, rates, weights []float32) onDevice {
	g := NewGenerator(CPU, 5)
	s := onDevice{o: o}
	for i, shape := range sizes {
		p := RandNWith(g, shape, Options{})
		if len(shape) == 4 {
			p = ChannelsLast(p)
		}
		average := Clone(p)
		if i == 1 { // where no access gets four
			wide := Zeros([]int64{shape[0] + 1}, Options{Device: d})
			narrow := Narrow(wide, 0, 1, shape[0])
			narrow.CopyI(p)
			p = narrow
		}
		s.params = append(s.params, p.To(d).SetRequiresGrad(true))
		s.average = append(s.average, average.To(d))
	}
	s.adamw = NewAdamW(s.params, o)
	n := int64(len(rates))
	s.step = DeviceStep{
		Loss: FullWith(nil, 2, Options{Device: d}), MaxNorm: maxNorm,
		Rates: FromSlice(rates, n).To(d), Weights: FromSlice(weights, n).To(d),
		Next: Zeros([]int64{1}, Options{Device: d, Dtype: Long}), Notes: Zeros([]int64{2, n}, Options{Device: d}),
	}
	s.rounded = NewRoundings(s.params)
	return s
}

// setGrads gives all parameters but one new gradients.
func (s onDevice) setGrads(d Device, seed uint64, but int) {
	g := NewGenerator(CPU, seed)
	for i, p := range s.params {
		grad := MulScalar(RandNWith(g, p.Shape(), Options{}), 0.01)
		if p.Dim() == 4 {
			grad = ChannelsLast(grad)
		}
		if i == but {
			p.SetGrad(Tensor{})
		} else {
			p.SetGrad(grad.To(d))
		}
	}
}

// all is every tensor that a step changes.
func (s onDevice) all() []Tensor {
	all := slices.Concat(s.params, s.average, s.adamw.ExpAvg, s.adamw.ExpAvgSq, s.rounded.Halves, []Tensor{s.adamw.StepCount, s.step.Next, s.step.Notes})
	for i := range all {
		all[i] = all[i].Detach()
	}
	return all
}

func doubles(t Tensor) []float64 { return ToSlice[float64](t.Detach().To(CPU).CastTo(Double)) }

// slowAdamW is one parameter with its moments and average.
type slowAdamW struct{ p, m, v, average []float64 }

func (a slowAdamW) step(o AdamWOptions, t int, rate, weight, scale float64, grad []float64, update bool) {
	for i := range a.p {
		if update && grad != nil {
			g := grad[i] / scale
			a.p[i] *= 1 - rate*o.WeightDecay
			a.m[i] += 0.1 * (g - a.m[i])
			a.v[i] = 0.999*a.v[i] + 0.001*g*g
			a.p[i] -= rate / (1 - math.Pow(0.9, float64(t))) * a.m[i] / (math.Sqrt(a.v[i]/(1-math.Pow(0.999, float64(t)))) + 1e-8)
		}
		a.average[i] += weight * (a.p[i] - a.average[i])
	}
}

func TestGPUAdamW(t *testing.T) {
	d := kernels(t)
	many := make([][]int64, 585) // more than one launch takes
	for i := range many {
		many[i] = []int64{int64(i % 9)}
	}
	for name, c := range map[string]struct {
		sizes   [][]int64
		decay   float64
		maxNorm float64
	}{
		"odd sizes": {oddSizes, 0.01, 0}, "clipped": {oddSizes, 0, 0.5}, "not clipped": {oddSizes, 0.1, 1e3}, "many": {many, 0.01, 0.25},
	} {
		t.Run(name, func(t *testing.T) {
			Scoped(func() {
				rates, weights := []float32{0.01, 0.02, 0.015, 0.01, 0.005}, []float32{0.1, 1, 0.6, 0, 0.01}
				if name == "many" {
					rates, weights = rates[:1], weights[:1]
				}
				s := newOnDevice(d, c.sizes, AdamWOptions{WeightDecay: c.decay}, c.maxNorm, rates, weights)
				var slow []slowAdamW
				for i, p := range s.params {
					n := p.Numel()
					slow = append(slow, slowAdamW{doubles(p), make([]float64, n), make([]float64, n), doubles(s.average[i])})
				}
				done := 0
				for step := range rates {
					s.setGrads(d, uint64(step), step)
					if step == 2 { // the loss, then a gradient, is not finite
						s.step.Loss.FillI(math.NaN())
					} else {
						s.step.Loss.FillI(float64(step) + 0.5)
					}
					if step == 3 {
						g := s.params[len(s.params)-1].Grad()
						Narrow(g, 0, 1, 1).FillI(math.Inf(1))
					}
					var grads [][]float64
					squares := 0.0
					for _, p := range s.params {
						if g := p.Grad(); g.Defined() {
							grads = append(grads, doubles(g))
							for _, v := range grads[len(grads)-1] {
								squares += v * v
							}
						} else {
							grads = append(grads, nil)
						}
					}
					norm, scale, update := math.Sqrt(squares), 1.0, step != 2 && step != 3
					if c.maxNorm > 0 {
						scale = max(1, norm/c.maxNorm)
					}
					if update {
						done++
					}
					for i := range slow {
						slow[i].step(s.o, done, float64(rates[step]), float64(weights[step]), scale, grads[i], update)
					}

					var ok bool
					NoGrad(func() { ok = s.adamw.StepOnDevice(s.step, s.average) })
					if !ok {
						t.Fatal("the kernels were not taken")
					}
					if n := s.rounded.Refresh(); n > 1 { // of the one without a gradient
						t.Errorf("step %d: %d roundings were left to do", step, n)
					}
					notes := ToSlice[float32](s.step.Notes.To(CPU))
					if got := float64(notes[len(rates)+step]); update && !(math.Abs(got-norm) <= 1e-6*norm) || !update && step == 3 && !math.IsInf(got, 1) {
						t.Errorf("step %d: norm %v, want %v", step, got, norm)
					}
					if got, want := notes[step], float32(step)+0.5; got != want && step != 2 {
						t.Errorf("step %d: loss %v, want %v", step, got, want)
					}
					for i, p := range s.params {
						for what, pair := range map[string][2][]float64{
							"parameter": {doubles(p), slow[i].p}, "first moment": {doubles(s.adamw.ExpAvg[i]), slow[i].m},
							"second moment": {doubles(s.adamw.ExpAvgSq[i]), slow[i].v}, "average": {doubles(s.average[i]), slow[i].average},
						} {
							if e := offOf(pair[0], pair[1]); !(e <= 1e-5) {
								t.Fatalf("step %d: %s %d is off by %.2g", step, what, i, e)
							}
						}
						if !Equal(s.rounded.Halves[i].Detach(), p.Detach().CastTo(BFloat16)) {
							t.Errorf("step %d: rounding %d", step, i)
						}
					}
				}
				if got := s.adamw.StepCount.To(CPU).ItemFloat(); int(got) != done {
					t.Errorf("%v updates are counted, not %d", got, done)
				}
				if got := ToSlice[int64](s.step.Next.To(CPU))[0]; got != int64(len(rates)) {
					t.Errorf("the turn is of step %d, not %d", got, len(rates))
				}
			})
		})
	}
}

// offOf is |got - want| / |want|.
func offOf(got, want []float64) float64 {
	d, n := 0.0, 0.0
	for i := range want {
		d += (got[i] - want[i]) * (got[i] - want[i])
		n += want[i] * want[i]
	}
	if d == 0 {
		return 0
	}
	return math.Sqrt(d / n)
}

// An element has the bits that it has on a processor, within rows.
func TestGPUAdamWHasTheProcessorsBits(t *testing.T) {
	d := kernels(t)
	if !slices.Contains(CPUFlags(), "avx512f") && !slices.Contains(CPUFlags(), "avx2") {
		t.Skip("this processor does not multiply and add in one")
	}
	Scoped(func() {
		rates, weights := []float32{1.0 / 512, 1.0 / 256, 1.0 / 128}, []float32{0.125, 0.75, 1}
		o := AdamWOptions{WeightDecay: 0.01}
		ours := newOnDevice(d, [][]int64{{16}, {2048}, {64, 65}, {130, 64, 3}}, o, 0, rates, weights)
		theirs := newOnDevice(CPU, [][]int64{{16}, {2048}, {64, 65}, {130, 64, 3}}, o, 0, rates, weights)
		for step := range rates {
			ours.setGrads(d, uint64(step), -1)
			theirs.setGrads(CPU, uint64(step), -1)
			NoGrad(func() {
				if !ours.adamw.StepOnDevice(ours.step, ours.average) {
					t.Fatal("the kernels were not taken")
				}
				theirs.adamw.StepAveraged(float64(rates[step]), AdamWGuards{}, theirs.average, float64(weights[step]))
			})
			want := theirs.all()
			for i, got := range ours.all()[:5*len(ours.params)+1] {
				if !Equal(got.To(CPU), want[i]) {
					t.Errorf("step %d: tensor %d has other bits", step, i)
				}
			}
		}
	})
}

// In whatever order a block's threads and the blocks run the bits are the same, and those of
// what is captured, whose replays keep roundings up.
func TestGPUAdamWGraph(t *testing.T) {
	d := kernels(t)
	rates, weights := []float32{0.01, 0.02, 0.03, 0.04}, []float32{0.5, 0.25, 0.125, 1}
	run := func(recorded bool) (all []Tensor) {
		s := newOnDevice(d, oddSizes, AdamWOptions{WeightDecay: 0.01}, 0.125, rates, weights)
		step := func() {
			NoGrad(func() {
				if !s.adamw.StepOnDevice(s.step, s.average) {
					t.Fatal("the kernels were not taken")
				}
			})
		}
		s.setGrads(d, 1, -1)
		step()
		s.setGrads(d, 2, -1)
		kept := make([]Tensor, len(s.params)) // a step scales them in place
		for i, p := range s.params {
			kept[i] = Clone(p.Grad())
		}
		again := step
		if recorded {
			Synchronize(d)
			g := Capture(nil, step)
			defer g.Close()
			again = g.Replay
		}
		for range 3 {
			for i, p := range s.params {
				g := p.Grad()
				g.CopyI(kept[i])
			}
			again()
		}
		if n := s.rounded.Refresh(); n != 0 {
			t.Errorf("recorded %v: %d roundings were left to do", recorded, n)
		}
		for i, p := range s.params {
			if !Equal(s.rounded.Halves[i].Detach(), p.Detach().CastTo(BFloat16)) {
				t.Errorf("recorded %v: rounding %d", recorded, i)
			}
		}
		for _, x := range s.all() {
			all = append(all, x.To(CPU))
		}
		p := s.params[3]
		NoGrad(func() { p.MulScalarI(2) })
		if n := s.rounded.Refresh(); n != 1 {
			t.Errorf("recorded %v: %d roundings were made new, not the one of what was changed", recorded, n)
		}
		return all
	}
	WithStream(NewCUDAStream(d), func() {
		Scoped(func() {
			want := run(false)
			for _, order := range []string{"", "reversed", "shuffled"} {
				t.Setenv("GOTORCH_STANDIN_ORDER", order)
				for i, got := range run(order == "") {
					if !Equal(got, want[i]) {
						t.Errorf("order %q: tensor %d has other bits", order, i)
					}
				}
			}
		})
	})
}

// What kernels cannot do is not begun; where libtorch does a step no rounding is trusted, as a
// graph of such steps would leave no trace.
func TestGPUAdamWOfOthers(t *testing.T) {
	d := kernels(t)
	Scoped(func() {
		s := newOnDevice(d, [][]int64{{40}}, AdamWOptions{}, 0, []float32{1}, []float32{1})
		s.setGrads(d, 1, -1)
		before := Clone(s.params[0].Detach())
		twice := &AdamW{Params: append(s.params, s.params...), ExpAvg: append(s.adamw.ExpAvg, s.adamw.ExpAvg...),
			ExpAvgSq: append(s.adamw.ExpAvgSq, s.adamw.ExpAvgSq...), StepCount: s.adamw.StepCount}
		if twice.StepOnDevice(s.step, nil) || !Equal(s.params[0].Detach(), before) {
			t.Error("a parameter that is there twice was moved")
		}
		NoGrad(func() { s.adamw.StepWith(FullWith(nil, 0.1, Options{Device: d}), AdamWGuards{}) })
		for range 2 {
			if n := s.rounded.Refresh(); n != 1 {
				t.Errorf("after a step of libtorch's %d roundings were made new, not 1", n)
			}
		}
		for what, wrong := range map[string]DeviceStep{
			"no loss":     {Rates: s.step.Rates, Weights: s.step.Weights, Next: s.step.Next, Notes: s.step.Notes},
			"few notes":   {Loss: s.step.Loss, Rates: s.step.Rates, Weights: s.step.Weights, Next: s.step.Next, Notes: s.step.Loss},
			"on the host": {Loss: s.step.Loss.To(CPU), Rates: s.step.Rates, Weights: s.step.Weights, Next: s.step.Next, Notes: s.step.Notes},
		} {
			if Try(func() { s.adamw.StepOnDevice(wrong, nil) }) == nil {
				t.Errorf("%s: no error", what)
			}
		}
		if Try(func() { s.adamw.StepOnDevice(s.step, []Tensor{}) }) == nil {
			t.Error("no averages of a parameter: no error")
		}
	})
}
