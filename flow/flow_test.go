package flow

import (
	"errors"
	"math"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
)

func vec(v ...float64) torch.Tensor { return torch.FromSlice(v, int64(len(v))) }

// dx/dt = x cos t has the solution x0 exp(sin t).
func swing(x torch.Tensor, t float64) torch.Tensor { return torch.MulScalar(x, math.Cos(t)) }

func TestPath(t *testing.T) {
	x0 := torch.FromSlice([]float32{1, 2, 3, 4}, 2, 2)
	x1 := torch.FromSlice([]float32{5, -2, 0.5, 8}, 2, 2)
	at := torch.FromSlice([]float32{0.25, 1}, 2)
	for _, s := range []float64{0, 0.1} {
		xt, u := OTPath{SigmaMin: s}.At(x0, x1, at)
		gx, gu := torch.ToSlice[float32](xt), torch.ToSlice[float32](u)
		a, b, tt := torch.ToSlice[float32](x0), torch.ToSlice[float32](x1), []float64{0.25, 0.25, 1, 1}
		for i := range gx {
			wantX := tt[i]*float64(b[i]) + (1-(1-s)*tt[i])*float64(a[i])
			wantU := float64(b[i]) - (1-s)*float64(a[i])
			if math.Abs(float64(gx[i])-wantX) > 1e-6 || math.Abs(float64(gu[i])-wantU) > 1e-6 {
				t.Errorf("sigma %v, element %d: %v and %v, want %v and %v", s, i, gx[i], gu[i], wantX, wantU)
			}
		}
	}
	if l := Loss(vec(1, 2), vec(3, 5)).ItemFloat(); l != 6.5 {
		t.Errorf("loss %v, want (4+9)/2", l)
	}
}

// The error falls with the step as the method's order says: the slope of
// log2(error) between n and 2n steps.
func TestOrderOfConvergence(t *testing.T) {
	for _, m := range fixed {
		name := m.Name
		errAt := func(n int) float64 {
			end, nfe, err := FixedStep{Method: m, Steps: n, T0: 0, T1: 2}.Solve(swing, vec(1), nil, nil)
			if err != nil || nfe != n*m.Stages() {
				t.Fatalf("%s: %d evaluations for %d steps, %v", name, nfe, n, err)
			}
			return math.Abs(end.ItemFloat() - math.Exp(math.Sin(2)))
		}
		order := math.Log2(errAt(100) / errAt(200))
		if math.Abs(order-float64(m.Order)) > 0.25 {
			t.Errorf("%s: observed order %.2f, want %d", name, order, m.Order)
		}
	}
}

func TestTableauxAreConsistent(t *testing.T) {
	for _, m := range fixed {
		sum := 0.0
		for i := range m.C {
			row := 0.0
			for _, a := range m.A[i] {
				row += a
			}
			if math.Abs(row-m.C[i]) > 1e-15 || len(m.A[i]) > i {
				t.Errorf("%s: row %d sums to %v, want %v", m.Name, i, row, m.C[i])
			}
			sum += m.B[i]
		}
		if math.Abs(sum-1) > 1e-15 {
			t.Errorf("%s: weights sum to %v", m.Name, sum)
		}
	}
}

// Outputs inside steps keep the order of the method, and asking for them
// changes nothing at the end.
func TestOutputsBetweenSteps(t *testing.T) {
	for _, name := range []string{"euler", "midpoint", "rk4"} {
		m, _ := FixedStepMethod(name)
		at := []float64{0, 0.13, 0.5, 0.77, 0.9999, 1}
		worst := func(n int) float64 {
			seen, w := 0, 0.0
			s := FixedStep{Method: m, Steps: n}
			end, nfe, err := s.Solve(swing, vec(1), at, func(o Output) error {
				if o.Index != seen || o.T != at[seen] {
					t.Fatalf("output %d at %v came as number %d", o.Index, o.T, seen)
				}
				seen++
				w = max(w, math.Abs(o.X.ItemFloat()-math.Exp(math.Sin(o.T))))
				return nil
			})
			if err != nil || seen != len(at) {
				t.Fatalf("%d of %d outputs, %v", seen, len(at), err)
			}
			if nfe != n*m.Stages()+1 {
				t.Errorf("%s: %d evaluations, want one more than %d", name, nfe, n*m.Stages())
			}
			plain, _, _ := s.Solve(swing, vec(1), nil, nil)
			if !torch.Equal(end, plain) {
				t.Errorf("%s: the outputs changed the end", name)
			}
			return w
		}
		if order := math.Log2(worst(16) / worst(32)); order < float64(m.Order)-0.35 {
			t.Errorf("%s: order %.2f between the steps", name, order)
		}
	}
}

func TestSolveBackwards(t *testing.T) {
	m, _ := FixedStepMethod("rk4")
	end, _, err := FixedStep{Method: m, Steps: 50, T0: 1, T1: 0}.Solve(swing, vec(math.Exp(math.Sin(1))), []float64{1, 0.5, 0}, func(o Output) error {
		if d := math.Abs(o.X.ItemFloat() - math.Exp(math.Sin(o.T))); d > 1e-7 {
			t.Errorf("at %v off by %g", o.T, d)
		}
		return nil
	})
	if err != nil || math.Abs(end.ItemFloat()-1) > 1e-7 {
		t.Errorf("%v, %v", end, err)
	}
}

func TestExactNumberOfSteps(t *testing.T) {
	// h = 1/n in float32 makes n+1 steps of these.
	for _, n := range []int{1, 61, 109, 115, 1000} {
		m, _ := FixedStepMethod("euler")
		calls := 0
		f := func(x torch.Tensor, t float64) torch.Tensor { calls++; return swing(x, t) }
		if _, nfe, err := (FixedStep{Method: m, Steps: n}).Solve(f, vec(1), nil, nil); err != nil || nfe != n || calls != n {
			t.Errorf("%d steps: %d evaluations, %d calls, %v", n, nfe, calls, err)
		}
	}
}

func TestSolveRefuses(t *testing.T) {
	m, _ := FixedStepMethod("euler")
	if _, _, err := (FixedStep{Method: m}).Solve(swing, vec(1), nil, nil); err == nil {
		t.Error("0 steps")
	}
	for _, at := range [][]float64{{0.5, 0.4}, {-0.1}, {1.1}, {math.NaN()}} {
		if _, _, err := (FixedStep{Method: m, Steps: 1}).Solve(swing, vec(1), at, nil); err == nil {
			t.Errorf("times %v accepted", at)
		}
	}
	stop := errors.New("enough")
	if _, _, err := (FixedStep{Method: m, Steps: 4}).Solve(swing, vec(1), []float64{0, 1}, func(Output) error { return stop }); err != stop {
		t.Errorf("error of out: %v", err)
	}
	if _, ok := FixedStepMethod("eulr"); ok {
		t.Error("eulr")
	}
}

func TestSolveLeavesNothingBehind(t *testing.T) {
	m, _ := FixedStepMethod("midpoint")
	torch.Scoped(func() {
		x := vec(1)
		torch.FinishGC() // what other tests left
		before := torch.Stats().Live
		end, _, _ := FixedStep{Method: m, Steps: 8}.Solve(swing, x, EvenTimes(5), func(Output) error { return nil })
		end.Close()
		if now := torch.Stats().Live; now > before {
			t.Errorf("%d tensors more than before", now-before)
		}
	})
}

// TestNoisePinned: who repeats a run must get the noise that it had. Should these numbers have
// to change, say so in the notes of the release.
func TestNoisePinned(t *testing.T) {
	if got := Mix(1, 2, 3); got != 0xaf857a007308ad61 {
		t.Errorf("Mix: %#x", got)
	}
	var got [3]float32
	Noise(got[:], 42, 12345)
	for i, want := range []float32{0.70164716, 0.09280804, 0.91022015} {
		if got[i] != want {
			t.Errorf("number %d: %v, want %v", i, got[i], want)
		}
	}
}

func TestNoise(t *testing.T) {
	const n = 200000
	a := make([]float32, n)
	Noise(a, 7, 3)
	var m1, m2, m3, m4 float64
	for _, x := range a {
		v := float64(x)
		m1 += v
		m2 += v * v
		m3 += v * v * v
		m4 += v * v * v * v
	}
	// Moments of N(0,1), each within five standard errors.
	se := 1 / math.Sqrt(n)
	for i, c := range []struct{ got, want, sd float64 }{{m1 / n, 0, 1}, {m2 / n, 1, math.Sqrt(2)}, {m3 / n, 0, math.Sqrt(15)}, {m4 / n, 3, math.Sqrt(96)}} {
		if math.Abs(c.got-c.want) > 5*c.sd*se {
			t.Errorf("moment %d: %v, want %v", i+1, c.got, c.want)
		}
	}
	// The first numbers do not depend on how many are drawn.
	b := make([]float32, 3)
	Noise(b, 7, 3)
	if b[0] != a[0] || b[1] != a[1] || b[2] != a[2] {
		t.Error("a shorter draw gave other numbers")
	}
	Noise(b, 7, 4)
	if b[0] == a[0] {
		t.Error("the next sample is the same")
	}
	Noise(b, 8, 3)
	if b[0] == a[0] {
		t.Error("another seed gave the same")
	}
	// Neighbouring samples are not correlated.
	var c float64
	for i := range int64(20000) {
		var p, q [1]float32
		Noise(p[:], 1, i)
		Noise(q[:], 1, i+1)
		c += float64(p[0]) * float64(q[0])
	}
	if math.Abs(c/20000) > 5/math.Sqrt(20000) {
		t.Errorf("correlation %v", c/20000)
	}
}
