package flow

import (
	"errors"
	"math"
	"strings"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
)

func TestAdaptiveTableauxAreConsistent(t *testing.T) {
	for _, m := range adaptive {
		n := m.Stages()
		if len(m.A) != n || len(m.B) != n || len(m.E) != n {
			t.Fatalf("%s: %d times, %d rows, %d and %d weights", m.Name, n, len(m.A), len(m.B), len(m.E))
		}
		b, e := 0.0, 0.0
		for i := range n {
			row := 0.0
			for _, a := range m.A[i] {
				row += a
			}
			// dopri8's fractions are rounded to about 18 digits, and cancel.
			if math.Abs(row-m.C[i]) > 1e-14 || len(m.A[i]) > i {
				t.Errorf("%s: row %d sums to %v, want %v", m.Name, i, row, m.C[i])
			}
			b, e = b+m.B[i], e+m.E[i]
		}
		if math.Abs(b-1) > 1e-14 || math.Abs(e) > 1e-14 {
			t.Errorf("%s: weights sum to %v, the error's to %v", m.Name, b, e)
		}
	}
}

// At its end dopri8's interpolant is the step's end, and no order below the
// fifth is missed on the way: sum_i w_i(s) c_i^q = s^(q+1)/(q+1).
func TestDenseWeights(t *testing.T) {
	m, _ := AdaptiveMethod("dopri8")
	for i, w := range m.weights(1) {
		if math.Abs(w-m.B[i]) > 1e-12 {
			t.Errorf("weight %d at the end: %v, want %v", i, w, m.B[i])
		}
	}
	for _, s := range []float64{0, 0.3, 0.5, 0.9} {
		for q := range 5 {
			sum := 0.0
			for i, w := range m.weights(s) {
				sum += w * math.Pow(m.C[i], float64(q))
			}
			if want := math.Pow(s, float64(q+1)) / float64(q+1); math.Abs(sum-want) > 1e-13 {
				t.Errorf("at %v, power %d: %v, want %v", s, q, sum, want)
			}
		}
	}
}

// Steps of equal length, all accepted: the error at the end falls as the
// method's order says, that of the interpolant as the smaller of that and one
// more than the interpolant's own.
func TestAdaptiveOrders(t *testing.T) {
	for _, c := range []struct {
		method            string
		n                 int
		order, inBetweens float64
	}{
		{"adaptive_heun", 40, 2, 2},
		{"fehlberg2", 40, 2, 2},
		{"bosh3", 40, 3, 3},
		{"dopri5", 10, 5, 5},
		{"dopri8", 4, 8, 6},
	} {
		m, _ := AdaptiveMethod(c.method)
		errors := func(n int) (end, between float64) {
			r := adaptiveRun{Adaptive: Adaptive{Method: m, RTol: 1e9, ATol: 1e9}, f: swing, kind: torch.Double, dir: 1}
			for i := range n {
				for _, s := range []float64{0.2, 0.5, 0.7} {
					r.at = append(r.at, 2*(float64(i)+s)/float64(n))
				}
			}
			r.out = func(o Output) error {
				between = max(between, math.Abs(o.X.ItemFloat()-math.Exp(math.Sin(o.T))))
				return nil
			}
			torch.NoGrad(func() {
				r.y, r.k = vec(1), vec(1) // dx/dt at 0 is 1
				for i := range n {
					torch.Scoped(func() {
						if ratio, err := r.step(2*float64(i)/float64(n), 2*float64(i+1)/float64(n)); ratio > 1 || err != nil {
							t.Fatal(ratio, err)
						}
					})
				}
			})
			if len(r.at) > 0 {
				t.Fatalf("%s: %d outputs are missing", c.method, len(r.at))
			}
			return math.Abs(r.y.ItemFloat() - math.Exp(math.Sin(2))), between
		}
		e1, b1 := errors(c.n)
		e2, b2 := errors(2 * c.n)
		if order := math.Log2(e1 / e2); math.Abs(order-c.order) > 0.4 {
			t.Errorf("%s: observed order %.2f, want %v", c.method, order, c.order)
		}
		if order := math.Log2(b1 / b2); math.Abs(order-c.inBetweens) > 0.5 {
			t.Errorf("%s: observed order of the interpolant %.2f, want %v", c.method, order, c.inBetweens)
		}
	}
}

// Every method, forwards and backwards: the end and the states on the way are
// right within a modest multiple of the tolerance, however many are asked for,
// and asking changes nothing.
func TestAdaptiveOutputs(t *testing.T) {
	for _, m := range adaptive {
		for _, span := range [][2]float64{{0, 2}, {2, 0}, {-1, 0.5}} {
			t0, t1 := span[0], span[1]
			s := Adaptive{Method: m, RTol: 1e-6, ATol: 1e-6, T0: t0, T1: t1}
			x := vec(math.Exp(math.Sin(t0)), -3*math.Exp(math.Sin(t0)))
			var at []float64
			for i := range 24 {
				at = append(at, t0+float64(i)/23*(t1-t0))
			}
			at[23] = t1
			// fehlberg2's estimate is a 512th of a difference of slopes: it
			// takes long steps (torchdiffeq's the same).
			tolerance := 1e-4
			if m.Name == "fehlberg2" {
				tolerance = 2e-3
			}
			seen := 0
			end, nfe, err := s.Solve(swing, x, at, func(o Output) error {
				if o.Index != seen || o.T != at[seen] {
					t.Fatalf("%s: output %d at %v came as number %d", m.Name, o.Index, o.T, seen)
				}
				seen++
				got := torch.ToSlice[float64](o.X)
				for i, scale := range []float64{1, -3} {
					if d := math.Abs(got[i] - scale*math.Exp(math.Sin(o.T))); d > tolerance {
						t.Errorf("%s from %v to %v: at %v off by %.2g", m.Name, t0, t1, o.T, d)
					}
				}
				return nil
			})
			if err != nil || seen != len(at) {
				t.Fatalf("%s: %d of %d outputs, %v", m.Name, seen, len(at), err)
			}
			plain, nfe2, err := s.Solve(swing, x, nil, nil)
			if err != nil || nfe2 != nfe || !torch.Equal(plain, end) {
				t.Errorf("%s: outputs changed the solution: %d and %d evaluations, %v", m.Name, nfe, nfe2, err)
			}
		}
	}
}

// The field sees x's own type and never a time outside the span; the end has
// x's type; every evaluation is counted.
func TestAdaptiveField(t *testing.T) {
	for _, m := range adaptive {
		calls := 0
		f := func(x torch.Tensor, at float64) torch.Tensor {
			calls++
			if x.Dtype() != torch.Float || at < 0 || at > 1 {
				t.Fatalf("%s: type %d at %v", m.Name, x.Dtype(), at)
			}
			return swing(x, at)
		}
		end, nfe, err := Adaptive{Method: m, RTol: 1e-4, ATol: 1e-4}.Solve(f, torch.FromSlice([]float32{1, 2}, 2), []float64{0.3}, func(o Output) error {
			if o.X.Dtype() != torch.Float {
				t.Errorf("an output of type %d", o.X.Dtype())
			}
			return nil
		})
		if err != nil || end.Dtype() != torch.Float || nfe != calls {
			t.Errorf("%s: type %d, %d evaluations of %d counted, %v", m.Name, end.Dtype(), nfe, calls, err)
		}
	}
}

func TestAdaptiveFails(t *testing.T) {
	m, _ := AdaptiveMethod("dopri5")
	// x' = x^2 from 1 has its pole at t = 1.
	_, nfe, err := Adaptive{Method: m, T1: 2}.Solve(func(x torch.Tensor, _ float64) torch.Tensor { return torch.Square(x) }, vec(1), nil, nil)
	var stiff *StiffError
	if !errors.As(err, &stiff) || math.Abs(stiff.T-1) > 1e-3 || nfe > 2000 {
		t.Errorf("pole: %v after %d evaluations", err, nfe)
	}
	// Not finite at once, and from t = 1/2 on.
	for _, from := range []float64{0, 0.5} {
		_, nfe, err := Adaptive{Method: m}.Solve(func(x torch.Tensor, at float64) torch.Tensor {
			if at >= from {
				return torch.MulScalar(x, math.NaN())
			}
			return x
		}, vec(1), nil, nil)
		if !errors.As(err, &stiff) || stiff.Finite || math.Abs(stiff.T-from) > 0.01 || !strings.Contains(err.Error(), "not finite") || nfe > 2000 {
			t.Errorf("not finite from %v: %v after %d evaluations", from, err, nfe)
		}
	}
	if _, _, err := (Adaptive{Method: m}).Solve(swing, vec(1, math.Inf(1)), nil, nil); !errors.As(err, &stiff) {
		t.Errorf("an infinite start: %v", err)
	}
	// A limit of steps counts the rejected too.
	var limit *StepLimitError
	_, nfe, err = Adaptive{Method: m, RTol: 1e-10, ATol: 1e-10, MaxSteps: 5, T1: 10}.Solve(swing, vec(1), nil, nil)
	if !errors.As(err, &limit) || limit.Steps != 5 || !(limit.T > 0 && limit.T < 10) || nfe != 2+5*6 {
		t.Errorf("limit: %v after %d evaluations", err, nfe)
	} else if msg := err.Error(); !strings.Contains(msg, "tolerances") || !strings.Contains(msg, "5 steps") {
		t.Error(msg)
	}
	if _, _, err := (Adaptive{Method: m, RTol: -1}).Solve(swing, vec(1), nil, nil); err == nil {
		t.Error("a negative tolerance")
	}
	if _, _, err := (Adaptive{Method: m}).Solve(swing, vec(1), []float64{0.5, 0.4}, nil); err == nil {
		t.Error("times out of order")
	}
	stop := errors.New("enough")
	for _, at := range []float64{0, 0.5, 1} {
		if _, _, err := (Adaptive{Method: m}).Solve(swing, vec(1), []float64{at}, func(Output) error { return stop }); err != stop {
			t.Errorf("error of out at %v: %v", at, err)
		}
	}
}

// Only relative, only absolute; a state of zeros; a field of zeros.
func TestAdaptiveTolerances(t *testing.T) {
	m, _ := AdaptiveMethod("bosh3")
	for _, c := range []struct{ rtol, atol float64 }{{1e-6, 0}, {0, 1e-6}, {0, 0}} {
		end, _, err := Adaptive{Method: m, RTol: c.rtol, ATol: c.atol}.Solve(swing, vec(0, 2), nil, nil)
		if err != nil {
			t.Errorf("%v: %v", c, err)
		} else if got := torch.ToSlice[float64](end); got[0] != 0 || math.Abs(got[1]-2*math.Exp(math.Sin(1))) > 1e-4 {
			t.Errorf("%v: %v", c, got)
		}
	}
	end, nfe, err := Adaptive{Method: m}.Solve(func(x torch.Tensor, _ float64) torch.Tensor { return torch.ZerosLike(x) }, vec(3), nil, nil)
	if err != nil || end.ItemFloat() != 3 || nfe > 50 {
		t.Errorf("a field of zeros: %v, %d evaluations, %v", end, nfe, err)
	}
}

func TestAdaptiveLeavesNothingBehind(t *testing.T) {
	m, _ := AdaptiveMethod("dopri5")
	fail := func(x torch.Tensor, at float64) torch.Tensor {
		if at > 0.5 {
			return torch.MulScalar(x, math.NaN())
		}
		return swing(x, at)
	}
	for name, f := range map[string]Field{"to the end": swing, "to an error": fail} {
		torch.Scoped(func() {
			x := vec(1)
			torch.FinishGC() // what other tests left
			before := torch.Stats().Live
			end, _, err := Adaptive{Method: m}.Solve(f, x, EvenTimes(5), func(Output) error { return nil })
			if err == nil {
				end.Close()
			}
			if now := torch.Stats().Live; now > before {
				t.Errorf("%s: %d tensors more than before", name, now-before)
			}
		})
	}
}

func TestOneStepIsSingular(t *testing.T) {
	s, err := NewSolver(SolverConfig{Method: "euler", Steps: 1})
	if err != nil || s.String() != "euler, 1 step" {
		t.Errorf("%v, %v", s, err)
	}
}

func TestNewSolverMakesEveryMethod(t *testing.T) {
	for _, name := range Methods() {
		s, err := NewSolver(SolverConfig{Method: name, Steps: 3, RTol: 1e-3, ATol: 1e-4, MaxSteps: 7})
		if err != nil {
			t.Fatal(name, err)
		}
		want := name + ", 3 steps"
		if IsAdaptive(name) {
			want = name + ", rtol 0.001, atol 0.0001"
			if a := s.(Adaptive); a.MaxSteps != 7 {
				t.Errorf("%s: at most %d steps", name, a.MaxSteps)
			}
		}
		if s.String() != want {
			t.Errorf("%q, want %q", s, want)
		}
		if !strings.Contains(MethodList(), name) {
			t.Errorf("%s is not in %q", name, MethodList())
		}
	}
	if _, err := NewSolver(SolverConfig{Method: "dopri6"}); err == nil || IsAdaptive("dopri6") {
		t.Error("dopri6")
	}
}
