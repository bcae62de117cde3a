package flow

import (
	"fmt"
	"sort"

	torch "github.com/wangkuiyi/gotorch"
)

// FixedStep solves dx/dt = f(x, t) in a number of equal steps.
type FixedStep struct {
	Method Tableau
	Steps  int
	T0, T1 float64 // from T0 to T1, backwards too; both 0: from 0 to 1
}

// Solve integrates from x: [B,...] and returns the state at T1, outside all
// scopes or in the caller's, and the number of evaluations.
//
// For every time in at (in the order of integration, within [T0,T1]) it calls
// out with the state there: exact at the ends of steps; inside a step by the
// cubic Hermite interpolant of the step's ends and slopes, whose error, of
// fourth order in the step, is no worse than the methods' own. The slope at T1
// costs one more evaluation, only if a time lies inside the last step. The
// steps themselves do not depend on at. An error of out ends the solution.
//
// Each step runs in a scope, without gradients.
func (s FixedStep) Solve(f Field, x torch.Tensor, at []float64, out func(Output) error) (end torch.Tensor, nfe int, err error) {
	t0, t1 := s.T0, s.T1
	if t0 == 0 && t1 == 0 {
		t1 = 1
	}
	if s.Steps < 1 {
		return torch.Tensor{}, 0, fmt.Errorf("flow: %d steps: at least 1", s.Steps)
	}
	if err := checkTimes(at, t0, t1); err != nil {
		return torch.Tensor{}, 0, err
	}
	h := (t1 - t0) / float64(s.Steps)
	grid := func(i int) float64 {
		if i == s.Steps {
			return t1
		}
		return t0 + float64(i)*h
	}
	run := func(i int, x torch.Tensor, k1 torch.Tensor) (next, slope torch.Tensor, err error) {
		torch.Scoped(func() {
			torch.NoGrad(func() {
				a, b := grid(i), grid(i+1)
				ks := make([]torch.Tensor, 0, s.Method.Stages())
				if k1.T == nil {
					k1 = f(x, a)
					nfe++
				}
				ks = append(ks, k1)
				for j := 1; j < s.Method.Stages(); j++ {
					ks = append(ks, f(combine(x, ks, s.Method.A[j], b-a), a+s.Method.C[j]*(b-a)))
					nfe++
				}
				next = combine(x, ks, s.Method.B, b-a)

				first := sort.Search(len(at), func(n int) bool { return progress(at[n], t0, t1) >= progress(a, t0, t1) })
				last := sort.Search(len(at), func(n int) bool { return progress(at[n], t0, t1) >= progress(b, t0, t1) })
				for n := first; n < last && err == nil; n++ {
					xt := x
					if at[n] != a {
						if slope.T == nil {
							slope = f(next, b)
							nfe++
						}
						xt = hermite(x, next, ks[0], slope, b-a, (at[n]-a)/(b-a))
					}
					err = out(Output{n, at[n], xt})
				}
				torch.Keep(next)
				if slope.T != nil {
					torch.Keep(slope)
				}
			})
		})
		return next, slope, err
	}

	cur, slope := x, torch.Tensor{}
	for i := range s.Steps {
		next, k, err := run(i, cur, slope)
		if i > 0 {
			cur.Close()
		}
		slope.Close()
		cur, slope = next, k
		if err != nil {
			cur.Close()
			slope.Close()
			return torch.Tensor{}, nfe, err
		}
	}
	slope.Close()
	for n := sort.Search(len(at), func(n int) bool { return progress(at[n], t0, t1) >= 1 }); n < len(at); n++ {
		if err := out(Output{n, at[n], cur}); err != nil {
			cur.Close()
			return torch.Tensor{}, nfe, err
		}
	}
	return cur, nfe, nil
}

// Between is the same steps from t0 to t1.
func (s FixedStep) Between(t0, t1 float64) Solver {
	s.T0, s.T1 = t0, t1
	return s
}

func (s FixedStep) String() string {
	if s.Steps == 1 {
		return s.Method.Name + ", 1 step"
	}
	return fmt.Sprintf("%s, %d steps", s.Method.Name, s.Steps)
}
