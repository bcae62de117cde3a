package flow

import (
	"context"
	"math"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
)

// drawn is a model of three classes and the null class 3 that counts what it is
// asked for: dx/dt = (y + 1) x + y t.
type drawn struct{ calls, samples int }

func (d *drawn) Velocity(x, t, y torch.Tensor) torch.Tensor {
	d.calls++
	d.samples += int(x.Shape()[0])
	c := torch.View(y.CastTo(torch.Float), -1, 1)
	v := torch.Mul(x, torch.AddScalar(c, 1))
	return torch.Add(v, torch.Mul(c, torch.View(t, -1, 1)), 1)
}

func TestGuidanceString(t *testing.T) {
	for want, g := range map[string]Guidance{
		"2":                     {Scale: 2},
		"1.5":                   {Scale: 1.5, From: 0, To: 1},
		"2, t in [0.2,0.8]":     {Scale: 2, From: 0.2, To: 0.8},
		"0, t in [0.5,1]":       {Scale: 0, From: 0.5, To: 1},
		"3, t in [0,0.3333333]": {Scale: 3, From: 0, To: 0.3333333},
	} {
		if got := g.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestGuidedField(t *testing.T) {
	const null = 3
	x, y := []float32{0.5, -1, 2, 3}, []int64{0, 2}
	v := func(x float32, y int64, t float64) float64 { return float64(y+1)*float64(x) + float64(y)*t }
	for _, c := range []struct {
		g             Guidance
		t             float64
		w             float64 // the scale that counts
		calls, models int
	}{
		{Guidance{Scale: 2.5, Null: null}, 0.5, 2.5, 1, 2},
		{Guidance{Scale: -1, Null: null}, 0, -1, 1, 2},
		{Guidance{Scale: 0.3, Null: null}, 1, 0.3, 1, 2},
		{Guidance{Scale: 1, Null: null}, 0.5, 1, 1, 1},
		{Guidance{Scale: 0, Null: null}, 0.5, 0, 1, 1},
		{Guidance{Scale: 4, From: 0.2, To: 0.6, Null: null}, 0.2, 4, 1, 2},
		{Guidance{Scale: 4, From: 0.2, To: 0.6, Null: null}, 0.6, 4, 1, 2},
		{Guidance{Scale: 4, From: 0.2, To: 0.6, Null: null}, 0.19, 1, 1, 1},
		{Guidance{Scale: 0, From: 0, To: 0.6, Null: null}, 0.61, 1, 1, 1},
	} {
		m := &drawn{}
		got := torch.ToSlice[float32](c.g.Field(m.Velocity, torch.FromSlice(y, 2))(torch.FromSlice(x, 2, 2), c.t))
		for i := range x {
			vc, vu := v(x[i], y[i/2], c.t), v(x[i], null, c.t)
			if want := vu + c.w*(vc-vu); math.Abs(float64(got[i])-want) > 1e-5 {
				t.Errorf("%+v at %v, number %d: %v, want %v", c.g, c.t, i, got[i], want)
			}
		}
		if m.calls != c.calls || m.samples != 2*c.models || c.g.Evaluations(c.t) != c.models {
			t.Errorf("%+v at %v: %d calls with %d samples, counted as %d", c.g, c.t, m.calls, m.samples, c.g.Evaluations(c.t))
		}
	}
}

func TestGuidedSampling(t *testing.T) {
	const null, n = 3, 6
	labels := []int64{0, 1, 2, 0, 1, 2}
	draw := func(g *Guidance, y []int64, method string) (*Samples, int) {
		m := &drawn{}
		s := Sampling{Velocity: m.Velocity, Solver: solver(t, SolverConfig{Method: method, Steps: 10, RTol: 1e-4, ATol: 1e-4}), Shape: []int64{2}, N: n, Labels: y, Seed: 1, Guidance: g}
		out, err := s.Draw(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return out, m.samples / n
	}
	same := func(a, b *Samples) bool {
		for i := range a.X {
			if a.X[i] != b.X[i] {
				return false
			}
		}
		return true
	}
	for _, method := range []string{"euler", "midpoint", "bosh3"} {
		plain, evaluations := draw(nil, labels, method)
		if plain.NFE != evaluations {
			t.Errorf("%s: NFE %d of %d", method, plain.NFE, evaluations)
		}
		if one, e := draw(&Guidance{Scale: 1, Null: null}, labels, method); !same(one, plain) || one.NFE != plain.NFE || e != evaluations {
			t.Errorf("%s: a scale of 1 changes the samples, or needs %d evaluations instead of %d", method, e, evaluations)
		}
		free, _ := draw(nil, []int64{null, null, null, null, null, null}, method)
		if zero, e := draw(&Guidance{Scale: 0, Null: null}, labels, method); !same(zero, free) || zero.NFE != free.NFE || e != zero.NFE {
			t.Errorf("%s: a scale of 0 is not the null class", method)
		}
		two, e := draw(&Guidance{Scale: 2, Null: null}, labels, method)
		if same(two, plain) || two.NFE != e || two.NFE%2 != 0 {
			t.Errorf("%s: a scale of 2: NFE %d of %d", method, two.NFE, e)
		}
		if method != "bosh3" && two.NFE != 2*plain.NFE {
			t.Errorf("%s: NFE %d, want twice %d", method, two.NFE, plain.NFE)
		}
	}
	// Euler's ten times hold 0.3, 0.4 and 0.5.
	in, e := draw(&Guidance{Scale: 2, From: 0.25, To: 0.55, Null: null}, labels, "euler")
	if in.NFE != 13 || e != 13 {
		t.Errorf("an interval: NFE %d, %d evaluations, want 13", in.NFE, e)
	}
}

func TestGuidanceRefuses(t *testing.T) {
	s := Sampling{Velocity: new(drawn).Velocity, Solver: solver(t, SolverConfig{Method: "euler", Steps: 1}), Shape: []int64{2}, N: 1, Labels: []int64{0}}
	for what, g := range map[string]Guidance{
		"a reversed interval": {Scale: 2, From: 0.5, To: 0.2, Null: 3},
		"no null class":       {Scale: 2, Null: -1},
		"a scale of NaN":      {Scale: math.NaN()},
	} {
		s.Guidance = &g
		if _, err := s.Draw(context.Background()); err == nil {
			t.Error(what)
		}
	}
	s.Guidance, s.Labels = &Guidance{Scale: 2}, nil
	if _, err := s.Draw(context.Background()); err == nil {
		t.Error("no labels")
	}
}
