package gotorch

import "testing"

// rounded makes parameters of a linear layer and of a convolution with roundings.
func rounded(t *testing.T) (w, b, k Tensor, r *Roundings) {
	t.Helper()
	w, b = RandN([]int64{33, 17}, true), RandN([]int64{33}, true)
	k = ChannelsLast(RandN([]int64{16, 8, 3, 3}, false)).SetRequiresGrad(true)
	r = NewRoundings([]Tensor{w, b, k})
	t.Cleanup(r.Close)
	return w, b, k, r
}

// product is a linear layer's in bf16, by the roundings if r is not nil.
func product(x, w, b Tensor, r *Roundings) (y Tensor) {
	Autocast(CPU, BFloat16, func() { r.Use(func() { y = RawLinear(x, w, b) }) })
	return y
}

// Products by roundings and their gradients have the bits of autocast's; the
// gradients end at the roundings, from where Gather takes them.
func TestRoundings(t *testing.T) {
	w, b, k, r := rounded(t)
	x, image := RandN([]int64{9, 17}, false), RandN([]int64{2, 8, 6, 5}, false)
	one := []int64{1, 1}
	learn := func(r *Roundings) (all []Tensor) {
		ZeroGrad([]Tensor{w, b, k})
		Autocast(CPU, BFloat16, func() {
			r.Use(func() {
				y, z := RawLinear(x, w, b), RawConv2d(image, k, Tensor{}, one, one, one, 1)
				all = append(all, y.Detach(), z.Detach())
				Add(SumAll(Mul(y, y).CastTo(Float)), SumAll(Mul(z, z).CastTo(Float)), 1).Backward()
			})
		})
		if got := w.Grad().Defined(); got != (r == nil) {
			t.Errorf("a gradient at the parameter: %v", got)
		}
		r.Gather()
		return append(all, w.Grad(), b.Grad(), k.Grad())
	}
	want := learn(nil)
	for i, got := range learn(r) {
		if !Equal(got, want[i]) || got.Dtype() != want[i].Dtype() {
			t.Errorf("tensor %d has other bits with roundings", i)
		}
	}
	// ZeroGrad takes gradients at the roundings, too.
	SumAll(product(x, w, b, r).CastTo(Float)).Backward()
	ZeroGrad(r.Params)
	r.Gather()
	if w.Grad().Defined() {
		t.Error("a gradient was left at a rounding")
	}
	// Who comes second has the same ones, and when they go autocast casts for the first.
	second := NewRoundings(r.Params)
	SumAll(product(x, w, b, second).CastTo(Float)).Backward()
	r.Gather()
	if !w.Grad().Defined() {
		t.Error("a gradient went to other roundings")
	}
	second.Close()
	ZeroGrad(r.Params)
	SumAll(product(x, w, b, r).CastTo(Float)).Backward()
	if r.Refresh() != 0 || !w.Grad().Defined() {
		t.Error("roundings that are gone were used")
	}
	var none *Roundings
	none.Gather()
	none.Close()
	if none.Refresh() != 0 {
		t.Error("there was something to round")
	}
}

// adamwOf is an optimiser of w, and of more, with a gradient.
func adamwOf(w, grad Tensor, more ...Tensor) *AdamW {
	for _, p := range more {
		p.SetGrad(Ones(p.Shape(), false))
	}
	w.SetGrad(grad)
	return NewAdamW(append(more, w), AdamWOptions{})
}

func stepOf(o Optimizer, w, grad Tensor) {
	w.SetGrad(grad)
	o.AddParameters([]Tensor{w})
	o.Step()
	o.Close()
}

// However a parameter is changed, no product is by the rounding of what it was, and
// Refresh makes it new.
func TestRoundingsAreNeverStale(t *testing.T) {
	x := RandN([]int64{9, 17}, false)
	other := RandN([]int64{33, 17}, false)
	for name, change := range map[string]func(w *Tensor){
		"copy":             func(w *Tensor) { w.CopyI(other) },
		"all":              func(w *Tensor) { CopyAll([]Tensor{*w}, []Tensor{other}) },
		"fill":             func(w *Tensor) { w.FillI(0.5) },
		"add":              func(w *Tensor) { w.AddI(other, 1) },
		"multiply":         func(w *Tensor) { w.MulScalarI(2) },
		"draw":             func(w *Tensor) { w.UniformI(-1, 1, nil) },
		"average":          func(w *Tensor) { LerpAll([]Tensor{*w}, []Tensor{other}, 0.5) },
		"from Go":          func(w *Tensor) { CopyFrom(*w, ToSlice[float32](other)) },
		"a row":            func(w *Tensor) { row := Select(*w, 0, 3); row.FillI(7) },
		"another handle":   func(w *Tensor) { d := w.Detach(); d.FillI(3) },
		"other data":       func(w *Tensor) { w.SetData(Clone(other)) },
		"other layout":     func(w *Tensor) { w.SetData(Contiguous(Transpose(*w, 0, 1)).Transpose(0, 1)) },
		"data and back":    func(w *Tensor) { d := w.Detach(); w.SetData(Clone(other)); d.FillI(2); w.SetData(d) },
		"libtorch's AdamW": func(w *Tensor) { adamwOf(*w, other).StepWith(FullWith(nil, 0.5, Options{}), AdamWGuards{}) },
		"AdamW":            func(w *Tensor) { adamwOf(*w, other).Step(0.5, AdamWGuards{}) },
		"AdamW at a rest":  func(w *Tensor) { adamwOf(*w, other, Ones([]int64{9}, true)).Step(0.5, AdamWGuards{}) },
		"SGD":              func(w *Tensor) { stepOf(SGD(0.5, 0.9, 0, 0, false), *w, other) },
		"Adam":             func(w *Tensor) { stepOf(Adam(0.5, 0.9, 0.999, 0), *w, other) },
	} {
		t.Run(name, func(t *testing.T) {
			w, b, _, r := rounded(t)
			before := product(x, w, b, r)
			NoGrad(func() { change(&w) })
			got, want := product(x, w, b, r), product(x, w, b, nil)
			if !Equal(got, want) {
				t.Error("a product by a stale rounding")
			}
			if Equal(got, before) && name != "other layout" {
				t.Error("nothing was changed")
			}
			r.Refresh()
			if !Equal(product(x, w, b, r), want) {
				t.Error("Refresh rounded wrongly")
			}
			if r.Refresh() != 0 {
				t.Error("there was something left to round")
			}
		})
	}
}

// AdamW keeps roundings up, whether it updates or not.
func TestAdamWRounds(t *testing.T) {
	w, b, k, r := rounded(t)
	a := NewAdamW(r.Params, AdamWOptions{WeightDecay: 0.1})
	for step := range 6 {
		Scoped(func() {
			for _, p := range r.Params {
				g := RandN(p.Shape(), false)
				if p.Dim() == 4 {
					g = ChannelsLast(g)
				}
				p.SetGrad(g)
			}
			a.Step(0.1, AdamWGuards{FoundInf: FullWith(nil, float64(step%2), Options{})})
			if n := r.Refresh(); n != 0 {
				t.Errorf("step %d: %d roundings were left to do", step, n)
			}
			for i, p := range []Tensor{w, b, k} {
				if !Equal(r.Halves[i].Detach(), p.Detach().CastTo(BFloat16)) {
					t.Errorf("step %d: rounding %d", step, i)
				}
			}
		})
	}
}

// Only products that autocast has in bf16 are by roundings, and only those inside of Use.
func TestRoundingsOutsideOfUse(t *testing.T) {
	w, b, _, r := rounded(t)
	x := RandN([]int64{9, 17}, false)
	full := RawLinear(x, w, b)
	r.Use(func() {
		if !Equal(RawLinear(x, w, b), full) {
			t.Error("a product in float32 by a rounding")
		}
		Autocast(CPU, Half, func() {
			if RawLinear(x, w, b).Dtype() != Half {
				t.Error("a product in float16 by a rounding")
			}
		})
	})
	mustPanic(t, func() { r.Use(func() { panic("inside") }) })
	SumAll(product(x, w, b, nil).CastTo(Float)).Backward()
	if !w.Grad().Defined() || r.Halves[0].Grad().Defined() {
		t.Error("a product by a rounding outside of Use")
	}
	mustPanic(t, func() { NewRoundings([]Tensor{Ones([]int64{1}, false).CastTo(Double)}) })
}
