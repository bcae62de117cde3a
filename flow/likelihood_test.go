package flow

import (
	"context"
	"errors"
	"math"
	"reflect"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
)

// linear is dx/dt = A x.
func linear(a [][]float64) Velocity {
	var at []float32 // transposed
	for i := range a {
		for j := range a {
			at = append(at, float32(a[j][i]))
		}
	}
	return func(x, _, _ torch.Tensor) torch.Tensor {
		d := int64(len(a))
		return torch.Reshape(torch.MM(torch.Reshape(x, []int64{-1, d}), torch.FromSlice(at, d, d)), x.Shape())
	}
}

// flowBack is exp(-A) x by its series.
func flowBack(a [][]float64, x []float32) []float64 {
	sum, term := make([]float64, len(x)), make([]float64, len(x))
	for i, v := range x {
		sum[i], term[i] = float64(v), float64(v)
	}
	for k := 1; k < 40; k++ {
		next := make([]float64, len(x))
		for i := range next {
			for j := range term {
				next[i] -= a[i][j] * term[j] / float64(k)
			}
			sum[i] += next[i]
		}
		term = next
	}
	return sum
}

func logNormal(x []float64) float64 {
	l := -0.5 * float64(len(x)) * math.Log(2*math.Pi)
	for _, v := range x {
		l -= v * v / 2
	}
	return l
}

// gaussians is the field of twoGaussians in tensors: [B,...,2].
var gaussians Velocity = func(x, t, _ torch.Tensor) torch.Tensor {
	shape := x.Shape()
	at := torch.ToSlice[float32](t)[0]
	tt := float64(at)
	const s2 = 0.09
	variance := tt*tt*s2 + (1-tt)*(1-tt)
	x = torch.Reshape(x, []int64{-1, 2})
	var logs, vs []torch.Tensor
	for _, m := range [][]float32{{2, 1}, {-2, 0.5}} {
		mean := torch.FromSlice(m, 1, 2)
		d := torch.AddScaled(x, mean, -tt)
		logs = append(logs, torch.MulScalar(torch.SumDims(torch.Square(d), []int64{1}, true), -1/(2*variance)))
		vs = append(vs, torch.AddScaled(torch.ExpandAs(mean, d), d, (tt*s2-(1-tt))/variance))
	}
	w := torch.Softmax(torch.Cat(logs, 1), 1)
	v := torch.Add(torch.Mul(torch.Narrow(w, 1, 0, 1), vs[0]), torch.Mul(torch.Narrow(w, 1, 1, 1), vs[1]), 1)
	return torch.Reshape(v, shape)
}

func logGaussians(x []float32) float64 {
	sum := 0.0
	for _, m := range [][]float64{{2, 1}, {-2, 0.5}} {
		q := 0.0
		for i := range 2 {
			q += (float64(x[i]) - m[i]) * (float64(x[i]) - m[i]) / 0.09
		}
		sum += 0.5 * math.Exp(-q/2) / (2 * math.Pi * 0.09)
	}
	return math.Log(sum)
}

// someGaussians are samples of the mixture: [n,2].
func someGaussians(n int) []float32 {
	x := make([]float32, 2*n)
	for i := range n {
		Noise(x[2*i:2*i+2], 11, int64(i))
		m := [][]float32{{2, 1}, {-2, 0.5}}[i%2]
		x[2*i], x[2*i+1] = m[0]+0.3*x[2*i], m[1]+0.3*x[2*i+1]
	}
	return x
}

func solver(t *testing.T, c SolverConfig) Solver {
	s, err := NewSolver(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var bothKinds = []SolverConfig{
	{Method: "rk4", Steps: 40},
	{Method: "dopri5", RTol: 1e-6, ATol: 1e-6},
}

// The flow of dx/dt = A x carries N(0,I) to N(0, exp(A) exp(A)'):
// log p(x) = log N(exp(-A) x; 0, I) - tr A, whatever the shape.
func TestLikelihoodOfLinearFlow(t *testing.T) {
	a := [][]float64{{0.3, -1, 0, 0.2}, {0.8, -0.5, 0.1, 0}, {0, 0.4, 0.9, -0.3}, {0.1, 0, 0.6, 0.2}}
	const trace = 0.3 - 0.5 + 0.9 + 0.2
	x := make([]float32, 5*4)
	Noise(x, 5, 0)
	for _, shape := range [][]int64{{4}, {1, 2, 2}} {
		for _, c := range bothKinds {
			out, err := Likelihood{Velocity: linear(a), Solver: solver(t, c), Shape: shape}.LogDensity(context.Background(), x, nil)
			if err != nil {
				t.Fatal(err)
			}
			if out.StdErr != nil || out.NFE < 10 {
				t.Errorf("standard errors %v, %d evaluations", out.StdErr, out.NFE)
			}
			for i, got := range out.LogP {
				x0 := flowBack(a, x[4*i:4*i+4])
				// Tolerances of 1e-6 and float32 velocities.
				if want := logNormal(x0) - trace; math.Abs(got-want) > 3e-5 {
					t.Errorf("%v by %s, sample %d: %v, want %v", shape, c.Method, i, got, want)
				}
				for k := range x0 {
					if math.Abs(float64(out.X0[4*i+k])-x0[k]) > 3e-5 {
						t.Errorf("%v by %s: x0 of sample %d is %v, want %v", shape, c.Method, i, out.X0[4*i:4*i+4], x0)
					}
				}
			}
		}
	}
}

func TestLikelihoodOfMixture(t *testing.T) {
	const n = 30
	x := someGaussians(n)
	for _, shape := range [][]int64{{2}, {1, 1, 2}} {
		for _, c := range bothKinds {
			out, err := Likelihood{Velocity: gaussians, Solver: solver(t, c), Shape: shape, Batch: 13}.LogDensity(context.Background(), x, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i, got := range out.LogP {
				if want := logGaussians(x[2*i : 2*i+2]); math.Abs(got-want) > 1e-3 {
					t.Errorf("%v by %s, sample %d: %v, want %v", shape, c.Method, i, got, want)
				}
			}
		}
	}
}

// Hutchinson's estimate is the exact one within its standard error, which is
// neither too small nor too large; few probes and many take different ways.
func TestLikelihoodByHutchinson(t *testing.T) {
	const n = 200
	x := someGaussians(n)
	s := solver(t, SolverConfig{Method: "midpoint", Steps: 40})
	exact, err := Likelihood{Velocity: gaussians, Solver: s, Shape: []int64{2}}.LogDensity(context.Background(), x, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, gaussian := range []bool{false, true} {
		for _, probes := range []int{2, 32} {
			l := Likelihood{Velocity: gaussians, Solver: s, Shape: []int64{2}, Probes: probes, Gaussian: gaussian, Seed: 3}
			out, err := l.LogDensity(context.Background(), x, nil)
			if err != nil {
				t.Fatal(err)
			}
			var bias, spread, claimed float64
			for i := range out.LogP {
				d := out.LogP[i] - exact.LogP[i]
				bias += d / n
				spread += d * d / n
				claimed += out.StdErr[i] * out.StdErr[i] / n
			}
			if claimed == 0 || math.Abs(bias) > 4*math.Sqrt(claimed/n) {
				t.Errorf("%d probes, gaussian %v: bias %.2g, standard error %.2g", probes, gaussian, bias, math.Sqrt(claimed/n))
			}
			// Both are means over 200 samples; with two probes the claim of one
			// sample has a single degree of freedom.
			if r := spread / claimed; r < 0.6 || r > 1.6 {
				t.Errorf("%d probes, gaussian %v: the spread is %.2f of what is claimed", probes, gaussian, r)
			}
			// Batches change nothing: a sample's probes are its own.
			l.Batch = 77
			again, err := l.LogDensity(context.Background(), x, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i := range out.LogP {
				if math.Abs(out.LogP[i]-again.LogP[i]) > 1e-4 {
					t.Errorf("sample %d: %v, in other batches %v", i, out.LogP[i], again.LogP[i])
				}
			}
			l.Seed++
			if other, err := l.LogDensity(context.Background(), x[:2], nil); err != nil || other.LogP[0] == out.LogP[0] {
				t.Errorf("another seed gives the same: %v, %v", other, err)
			}
		}
	}
	one, err := Likelihood{Velocity: gaussians, Solver: s, Shape: []int64{2}, Probes: 1}.LogDensity(context.Background(), x[:2], nil)
	if err != nil || one.StdErr != nil || one.LogP[0] == exact.LogP[0] {
		t.Errorf("one probe: %v, %v", one, err)
	}
}

// x stays at 0 and tells an adaptive solver nothing: l's own error has to choose
// the steps, though it is one number beside many. dx/dt = a(t) x with
// a = 20 cos(20 t)/D has l(0) = -sin(20), and one Rademacher probe is exact.
func TestLikelihoodControlsTheErrorOfL(t *testing.T) {
	const d = 10000
	velocity := Velocity(func(x, at, _ torch.Tensor) torch.Tensor {
		return torch.MulScalar(x, 20./d*math.Cos(20*float64(torch.ToSlice[float32](at)[0])))
	})
	s := solver(t, SolverConfig{Method: "bosh3", RTol: 1e-4, ATol: 1e-4})
	out, err := Likelihood{Velocity: velocity, Solver: s, Shape: []int64{d}, Probes: 1}.LogDensity(context.Background(), make([]float32, d), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := logNormal(make([]float64, d)) - math.Sin(20)
	if math.Abs(out.LogP[0]-want) > 1e-3 {
		t.Errorf("%v, want %v", out.LogP[0], want)
	}
}

// Labels go with their samples: class k moves by k.
func TestLikelihoodOfClasses(t *testing.T) {
	velocity := Velocity(func(x, _, y torch.Tensor) torch.Tensor {
		return torch.ExpandAs(torch.View(y.CastTo(torch.Float), -1, 1), x)
	})
	x := []float32{1, 1, 2, 0, -1, 3}
	y := []int64{0, 2, 1}
	done := 0
	l := Likelihood{Velocity: velocity, Solver: solver(t, SolverConfig{Method: "euler", Steps: 2}), Shape: []int64{2}, Batch: 2, Progress: func(d, of int) {
		if done = d; of != 3 {
			t.Errorf("%d of %d", d, of)
		}
	}}
	out, err := l.LogDensity(context.Background(), x, y)
	if err != nil || done != 3 {
		t.Fatal(done, err)
	}
	for i, k := range y {
		want := logNormal([]float64{float64(x[2*i]) - float64(k), float64(x[2*i+1]) - float64(k)})
		if math.Abs(out.LogP[i]-want) > 1e-6 {
			t.Errorf("sample %d: %v, want %v", i, out.LogP[i], want)
		}
	}
	for what, err := range map[string]error{
		"half a sample":   second(l.LogDensity(context.Background(), x[:5], y)),
		"a label missing": second(l.LogDensity(context.Background(), x, y[:2])),
	} {
		if err == nil {
			t.Error(what)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestLikelihoodStops(t *testing.T) {
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	calls := 0
	velocity := Velocity(func(x, _, _ torch.Tensor) torch.Tensor {
		if calls++; calls == 5 {
			cancel(why)
		}
		return x
	})
	torch.Scoped(func() {
		torch.FinishGC() // what other tests left
		before := torch.Stats().Live
		_, err := Likelihood{Velocity: velocity, Solver: solver(t, SolverConfig{Method: "midpoint", Steps: 10}), Shape: []int64{2}}.LogDensity(ctx, make([]float32, 4), nil)
		if err != why || calls != 5 {
			t.Errorf("%v after %d evaluations", err, calls)
		}
		if now := torch.Stats().Live; now > before {
			t.Errorf("%d tensors more than before", now-before)
		}
	})
}

// On one core and on several, bit for bit: the batches are the same.
func TestLikelihoodsDoNotDependOnTheCores(t *testing.T) {
	defer torch.SetNumThreads(int32(torch.NumThreads()))
	x := someGaussians(50)
	for _, c := range bothKinds {
		for _, probes := range []int{0, 1, 5} {
			var want *LogDensities
			for _, cores := range []int32{1, 2, 3} {
				torch.SetNumThreads(cores)
				l := Likelihood{Velocity: gaussians, Solver: solver(t, c), Shape: []int64{2}, Probes: probes, Batch: 8}
				got, err := l.LogDensity(context.Background(), x, nil)
				if err != nil {
					t.Fatal(err)
				}
				if want == nil {
					want = got
				}
				if !reflect.DeepEqual(got, want) {
					t.Errorf("%s, %d probes: %d cores give other densities than one", c.Method, probes, cores)
				}
			}
		}
	}
}
