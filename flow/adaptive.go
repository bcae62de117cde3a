package flow

import (
	"errors"
	"fmt"
	"math"

	torch "github.com/wangkuiyi/gotorch"
)

// Adaptive solves dx/dt = f(x, t) in steps whose estimated error stays within
// tolerances. State, time and error are float64, whatever the type of x; f gets
// x in its own type.
//
//  1. A step of h gives two solutions of neighbouring orders. Their difference
//     e is weighed by ATol + RTol max(|x|, |x'|), and the root of the mean
//     square over the whole batch is the error ratio r.
//  2. With r at most 1 the step is taken, else it is tried again.
//  3. The next h is h times 0.9 r^(-1/order), between 0.2 (1 after a step that
//     was taken) and 10 (Hairer, Norsett and Wanner 1993, II.4).
//
// The first h is chosen as there. The last step ends at T1; torchdiffeq, whose
// steps these are otherwise, steps over it and interpolates back.
type Adaptive struct {
	Method     AdaptiveTableau
	RTol, ATol float64 // both 0: 1e-5
	MaxSteps   int     // the rejected included; 0: 10,000
	T0, T1     float64 // from T0 to T1, backwards too; both 0: from 0 to 1

	// parts, if set, are the numbers of columns of x: [B,D] that are measured
	// by themselves: the error ratio is the greatest of theirs.
	parts []int64
}

// StepLimitError is when MaxSteps steps did not reach the end.
type StepLimitError struct {
	Steps int
	T     float64 // reached
}

func (e *StepLimitError) Error() string {
	return fmt.Sprintf("%d steps reached only t = %.4g: the tolerances ask for too much", e.Steps, e.T)
}

// StiffError is when the step that the tolerances ask for is lost in rounding,
// or the velocity is not finite.
type StiffError struct {
	T, Step float64
	Finite  bool
}

func (e *StiffError) Error() string {
	if !e.Finite {
		return fmt.Sprintf("the velocity is not finite at t = %.6g", e.T)
	}
	return fmt.Sprintf("at t = %.6g the tolerances ask for a step of %.1g, less than float64 can count", e.T, e.Step)
}

// Unsolved tells whether err is that of an adaptive method which cannot go on: a
// *StepLimitError or a *StiffError. Other methods may.
func Unsolved(err error) bool {
	var limit *StepLimitError
	var stiff *StiffError
	return errors.As(err, &limit) || errors.As(err, &stiff)
}

// Between is the same solver from t0 to t1.
func (s Adaptive) Between(t0, t1 float64) Solver {
	s.T0, s.T1 = t0, t1
	return s
}

func (s Adaptive) String() string {
	s = s.defaults()
	return fmt.Sprintf("%s, rtol %g, atol %g", s.Method.Name, s.RTol, s.ATol)
}

func (s Adaptive) defaults() Adaptive {
	if s.RTol == 0 && s.ATol == 0 {
		s.RTol, s.ATol = 1e-5, 1e-5
	}
	if s.MaxSteps <= 0 {
		s.MaxSteps = 10000
	}
	if s.T0 == 0 && s.T1 == 0 {
		s.T1 = 1
	}
	return s
}

// Solve is FixedStep.Solve. States within a step come from the method's own
// interpolant, or the cubic Hermite one. Its errors are *StepLimitError,
// *StiffError, and those of out.
func (s Adaptive) Solve(f Field, x torch.Tensor, at []float64, out func(Output) error) (end torch.Tensor, nfe int, err error) {
	s = s.defaults()
	if !(s.RTol >= 0 && s.ATol >= 0) {
		return torch.Tensor{}, 0, fmt.Errorf("flow: tolerances of %g and %g: not below 0", s.RTol, s.ATol)
	}
	if err := checkTimes(at, s.T0, s.T1); err != nil {
		return torch.Tensor{}, 0, err
	}
	r := &adaptiveRun{Adaptive: s, f: f, kind: x.Dtype(), at: at, out: out, dir: 1}
	if s.T1 < s.T0 {
		r.dir = -1
	}
	torch.NoGrad(func() { end, err = r.solve(x) })
	return end, r.nfe, err
}

// adaptiveRun is a solution on its way. y, its state, and k, its slope, are
// kept between scopes.
type adaptiveRun struct {
	Adaptive
	f    Field
	kind int8    // type of x
	dir  float64 // 1 or -1
	nfe  int
	at   []float64 // times still to come
	done int       // of them, given
	out  func(Output) error
	y, k torch.Tensor
}

func (r *adaptiveRun) eval(y torch.Tensor, t float64) torch.Tensor {
	r.nfe++
	return r.f(y.CastTo(r.kind), t).CastTo(torch.Double)
}

func (r *adaptiveRun) give(t float64, y torch.Tensor) error {
	r.done++
	r.at = r.at[1:]
	return r.out(Output{r.done - 1, t, y.CastTo(r.kind)})
}

func (r *adaptiveRun) solve(x torch.Tensor) (end torch.Tensor, err error) {
	defer func() {
		r.y.Close()
		r.k.Close()
	}()
	t := r.T0
	var h, ratio float64
	notFinite := 0 // tries in a row
	torch.Scoped(func() {
		r.y = torch.Keep(torch.Clone(x.CastTo(torch.Double)))
		for len(r.at) > 0 && r.at[0] == t && err == nil {
			err = r.give(t, r.y)
		}
		if err != nil || r.T0 == r.T1 {
			return
		}
		r.k = torch.Keep(r.eval(r.y, t))
		h, err = r.firstStep(t)
	})
	for steps := 0; t != r.T1 && err == nil; steps++ {
		if steps == r.MaxSteps {
			return end, &StepLimitError{steps, t}
		}
		left := math.Abs(r.T1 - t)
		next := t + r.dir*h
		if h >= left*(1-1e-12) {
			h, next = left, r.T1
		}
		if next == t || notFinite == maxNotFinite {
			return end, &StiffError{t, h, notFinite == 0}
		}
		torch.Scoped(func() {
			if ratio, err = r.step(t, next); err != nil {
				return
			}
			notFinite++
			if !math.IsNaN(ratio) && !math.IsInf(ratio, 0) {
				notFinite = 0
			}
			if ratio <= 1 {
				t = next
			}
			h *= factor(ratio, r.Method.Order)
		})
	}
	if err != nil {
		return end, err
	}
	torch.Scoped(func() {
		for len(r.at) > 0 && err == nil {
			err = r.give(r.at[0], r.y)
		}
	})
	if err != nil {
		return end, err
	}
	return r.y.CastTo(r.kind), nil
}

// maxNotFinite is how many tries in a row, each with a fifth of the step before,
// may end with numbers that are not finite.
const maxNotFinite = 10

// factor is what the step's length is multiplied with after an error ratio.
func factor(ratio float64, order int) float64 {
	switch {
	case ratio == 0:
		return 10
	case math.IsNaN(ratio) || math.IsInf(ratio, 0):
		return 0.2
	}
	least := 0.2
	if ratio <= 1 {
		least = 1
	}
	return min(10, max(0.9*math.Pow(ratio, -1/float64(order)), least))
}

// step tries the step from t to next. If its error ratio is at most 1, y and k
// become those of its end, and the outputs within it are given.
func (r *adaptiveRun) step(t, next float64) (ratio float64, err error) {
	h := next - t
	m := r.Method
	ks := append(make([]torch.Tensor, 0, m.Stages()), r.k)
	for j := 1; j < m.Stages(); j++ {
		at := t + m.C[j]*h
		if m.C[j] == 1 {
			at = next
		}
		ks = append(ks, r.eval(combine(r.y, ks, m.A[j], h), at))
	}
	y := combine(r.y, ks, m.B, h)
	e := combine(torch.ZerosLike(y), ks, m.E, h)
	if ratio = r.norm(e, torch.Maximum(torch.Abs(r.y), torch.Abs(y))); !(ratio <= 1) {
		return ratio, nil
	}
	k := ks[len(ks)-1]
	for len(r.at) > 0 && r.dir*r.at[0] < r.dir*next {
		s := (r.at[0] - t) / h
		var x torch.Tensor
		switch {
		case m.Dense != nil:
			x = combine(r.y, ks, m.weights(s), h)
		case m.Mid != nil:
			x = quartic(r.y, combine(r.y, ks, m.Mid, h), y, r.k, k, h, s)
		default:
			x = hermite(r.y, y, r.k, k, h, s)
		}
		if err := r.give(r.at[0], x); err != nil {
			return ratio, err
		}
	}
	r.y.Close()
	r.k.Close()
	r.y, r.k = torch.Keep(y), torch.Keep(k)
	return ratio, nil
}

// quartic is the polynomial of degree 4 with the values a, mid and b at the
// start, middle and end of a step of h and the slopes ka, kb at the ends, at the
// part s of the way (Shampine 1986).
func quartic(a, mid, b, ka, kb torch.Tensor, h, s float64) torch.Tensor {
	// The cubic Hermite interpolant, and what it lacks in the middle spread by
	// 16 s^2 (1-s)^2, which is 1 there and flat at the ends.
	x := hermite(a, b, ka, kb, h, s)
	lack := torch.Sub(mid, hermite(a, b, ka, kb, h, 0.5), 1)
	return torch.AddScaled(x, lack, 16*s*s*(1-s)*(1-s))
}

// norm is the root of the mean square of e / (ATol + RTol size); of the parts,
// the greatest.
func (r *adaptiveRun) norm(e, size torch.Tensor) float64 {
	least := max(r.ATol, 1e-100) // so that 0 / 0 is no matter
	q := torch.Square(torch.Div(e, torch.AddScalar(torch.MulScalar(size, r.RTol), least)))
	if r.parts == nil {
		return math.Sqrt(torch.Mean(q).ItemFloat())
	}
	var means []torch.Tensor
	first := int64(0)
	for _, n := range r.parts {
		means = append(means, torch.Mean(torch.Narrow(q, 1, first, n)))
		first += n
	}
	return math.Sqrt(torch.MaxAll(torch.Stack(means, 0)).ItemFloat()) // NaN if one is
}

// firstStep chooses the first step's length (Hairer, Norsett and Wanner 1993,
// II.4). It costs an evaluation.
func (r *adaptiveRun) firstStep(t float64) (float64, error) {
	size := torch.Abs(r.y)
	d0, d1 := r.norm(r.y, size), r.norm(r.k, size)
	if math.IsNaN(d1) || math.IsInf(d1, 0) {
		return 0, &StiffError{T: t}
	}
	h0 := 1e-6
	if d0 >= 1e-5 && d1 >= 1e-5 {
		h0 = 0.01 * d0 / d1
	}
	h0 = min(h0, math.Abs(r.T1-r.T0))
	k := r.eval(torch.AddScaled(r.y, r.k, r.dir*h0), t+r.dir*h0)
	d2 := r.norm(torch.Sub(k, r.k, 1), size) / h0
	h1 := max(1e-6, h0*1e-3)
	if d1 > 1e-15 || d2 > 1e-15 {
		h1 = math.Pow(0.01/max(d1, d2), 1/float64(r.Method.Order))
	}
	h := min(100*h0, h1)
	if math.IsNaN(h) {
		return 0, &StiffError{T: t + r.dir*h0}
	}
	return h, nil
}
