package flow

import (
	"context"
	"math"
	"strings"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
)

// affine are alpha and sigma of the paths, from their definitions: of vp by
// integrating beta, the rate of noise (Song et al. 2021).
var affine = map[string]func(t float64) (alpha, sigma float64){
	"ot": func(t float64) (float64, float64) { return t, 1 - t },
	"cosine": func(t float64) (float64, float64) {
		return math.Cos(math.Pi / 2 * (1 - t)), math.Sin(math.Pi / 2 * (1 - t))
	},
	"vp": func(t float64) (float64, float64) {
		const n = 1000
		sum, h := 0.0, (1-t)/n
		for i := range n { // the midpoint rule, exact for a line
			sum += h * (0.1 + (20-0.1)*(float64(i)+0.5)*h)
		}
		return math.Exp(-sum / 2), math.Sqrt(-math.Expm1(-sum))
	},
}

// slopes are the derivatives of alpha and sigma, by differences.
func slopes(name string, t float64) (dAlpha, dSigma float64) {
	const h = 1e-5
	a1, s1 := affine[name](t + h)
	a0, s0 := affine[name](t - h)
	return (a1 - a0) / (2 * h), (s1 - s0) / (2 * h)
}

func path(t *testing.T, name string) Path {
	t.Helper()
	p, err := NewPath(PathConfig{Name: name})
	if err != nil || p.String() != name {
		t.Fatalf("%s: %v, %v", name, p, err)
	}
	return p
}

// inner are times within all paths' spans.
var inner = []float64{0.001, 0.1, 0.37, 0.5, 0.81, 0.99}

func TestPathCoefficients(t *testing.T) {
	for _, name := range Paths() {
		p := path(t, name)
		for _, at := range inner {
			torch.Scoped(func() {
				c := p.Coefficients(torch.FromSlice([]float64{at}, 1))
				alpha, sigma := affine[name](at)
				dAlpha, dSigma := slopes(name, at)
				for what, v := range map[string][2]float64{
					"alpha": {c.Alpha.ItemFloat(), alpha}, "sigma": {c.Sigma.ItemFloat(), sigma},
					"alpha'": {c.DAlpha.ItemFloat(), dAlpha}, "sigma'": {c.DSigma.ItemFloat(), dSigma},
				} {
					if math.Abs(v[0]-v[1]) > 1e-6*(1+math.Abs(v[1])) {
						t.Errorf("%s at %v: %s is %v, want %v", name, at, what, v[0], v[1])
					}
				}
				// x_t and u are made with them, in float32.
				x0, x1 := torch.FromSlice([]float32{1, -2}, 1, 2), torch.FromSlice([]float32{0.5, 3}, 1, 2)
				xt, u := p.At(x0, x1, torch.FromSlice([]float32{float32(at)}, 1))
				gx, gu := torch.ToSlice[float32](xt), torch.ToSlice[float32](u)
				for i, e := range []float64{1, -2} {
					d := []float64{0.5, 3}[i]
					if math.Abs(float64(gx[i])-(alpha*d+sigma*e)) > 1e-5 || math.Abs(float64(gu[i])-(dAlpha*d+dSigma*e)) > 1e-5*(1+math.Abs(dSigma)) {
						t.Errorf("%s at %v: x %v, u %v", name, at, gx, gu)
					}
				}
			})
		}
	}
}

// Every path begins at noise and ends at the data, within what its span leaves.
func TestPathEnds(t *testing.T) {
	for _, name := range Paths() {
		p := path(t, name)
		from, to := p.Span()
		torch.Scoped(func() {
			c := p.Coefficients(torch.FromSlice([]float64{from, to}, 2))
			a, s := torch.ToSlice[float64](c.Alpha), torch.ToSlice[float64](c.Sigma)
			if a[0] > 0.01 || s[0] < 0.9999 || a[1] < 0.9999 || s[1] > 0.012 {
				t.Errorf("%s: x_0 = %v x1 + %v x0, at the end %v x1 + %v x0", name, a[0], s[0], a[1], s[1])
			}
			for _, v := range append(torch.ToSlice[float64](c.DAlpha), torch.ToSlice[float64](c.DSigma)...) {
				if !(math.Abs(v) < 10) {
					t.Errorf("%s: a derivative of %v within the span", name, v)
				}
			}
		})
	}
}

// Data N(m, s^2 I) give x_t the distribution N(alpha m, (alpha^2 s^2 + sigma^2) I),
// and the expected noise, data and velocity there are linear in x_t. Each of them
// is made of each other one.
func TestConversions(t *testing.T) {
	const m, s = 0.7, 0.4
	x := []float32{-1.5, 0.2, 0, 2.5}
	for _, name := range Paths() {
		p := path(t, name)
		for _, at := range inner {
			alpha, sigma := affine[name](at)
			dAlpha, dSigma := slopes(name, at)
			variance := alpha*alpha*s*s + sigma*sigma
			var noise, data, velocity []float32
			for _, v := range x {
				away := (float64(v) - alpha*m) / variance
				noise = append(noise, float32(sigma*away))
				data = append(data, float32(m+alpha*s*s*away))
				velocity = append(velocity, float32(dAlpha*m+(dAlpha*alpha*s*s+dSigma*sigma)*away))
			}
			torch.Scoped(func() {
				in := func(v []float32) torch.Tensor { return torch.FromSlice(v, 2, 2) }
				c := p.Coefficients(torch.FromSlice([]float32{float32(at), float32(at)}, 2))
				for what, v := range map[string]struct {
					got  torch.Tensor
					want []float32
					size float64 // of the numbers that are subtracted
				}{
					"noise of velocity": {c.Noise(in(x), in(velocity)), noise, 3},
					"data of velocity":  {c.Data(in(x), in(velocity)), data, 3},
					"velocity of noise": {c.FromNoise(in(x), in(noise)), velocity, 3 * dAlpha / alpha},
					"velocity of data":  {c.FromData(in(x), in(data)), velocity, 3 * math.Abs(dSigma) / sigma},
				} {
					for i, got := range torch.ToSlice[float32](v.got) {
						if math.Abs(float64(got-v.want[i])) > 3e-6*(1+v.size) {
							t.Errorf("%s at %v: %s: %v, want %v", name, at, what, got, v.want[i])
						}
					}
				}
			})
		}
	}
}

// gaussianVelocity is that of data N(m, s^2 I) on a path, by its coefficients.
func gaussianVelocity(p Path, m, s float64) Velocity {
	return func(x, t, _ torch.Tensor) torch.Tensor {
		c := p.Coefficients(t)
		variance := torch.Add(torch.MulScalar(torch.Mul(c.Alpha, c.Alpha), s*s), torch.Mul(c.Sigma, c.Sigma), 1)
		slope := torch.Div(torch.Add(torch.MulScalar(torch.Mul(c.DAlpha, c.Alpha), s*s), torch.Mul(c.DSigma, c.Sigma), 1), variance)
		offset := torch.MulScalar(torch.Sub(c.DAlpha, torch.Mul(slope, c.Alpha), 1), m)
		return combined(slope, x, offset, torch.AddScalar(torch.ZerosLike(x), 1))
	}
}

// On every path noise flows to the same data, m + s x0, and the likelihood is
// theirs: within what the span of vp leaves, noise of .011 and a mean of .0066 m.
func TestFlowsOfPaths(t *testing.T) {
	const m, s, n = 0.7, 0.4, 20
	solver := solver(t, SolverConfig{Method: "dopri5", RTol: 1e-5, ATol: 1e-5})
	for _, name := range Paths() {
		p := path(t, name)
		v := Within(p, gaussianVelocity(p, m, s))
		out, err := Sampling{Velocity: v, Solver: solver, Shape: []int64{2}, N: n, Seed: 3, FrameTimes: EvenTimes(3), Shown: []int{0}}.Draw(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		tolerance := 1e-4
		if name == "vp" {
			tolerance = 0.02
		}
		for i, x0 := range out.X0 {
			if want := m + s*float64(x0); math.Abs(float64(out.X[i])-want) > tolerance {
				t.Errorf("%s: %v flows to %v, want %v", name, x0, out.X[i], want)
			}
		}
		l, err := Likelihood{Velocity: v, Solver: solver, Shape: []int64{2}}.LogDensity(context.Background(), out.X, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, got := range l.LogP {
			a, b := (float64(out.X[2*i])-m)/s, (float64(out.X[2*i+1])-m)/s
			if want := -math.Log(2*math.Pi*s*s) - (a*a+b*b)/2; math.Abs(got-want) > 5*tolerance {
				t.Errorf("%s: log p %v, want %v", name, got, want)
			}
		}
	}
}

// A velocity is not asked for times that it was not learnt at.
func TestWithin(t *testing.T) {
	seen := []float32{}
	v := func(x, t, _ torch.Tensor) torch.Tensor {
		seen = append(seen, torch.ToSlice[float32](t)...)
		return x
	}
	torch.Scoped(func() {
		x, at := torch.FromSlice([]float32{1, 1}, 2, 1), torch.FromSlice([]float32{0, 1}, 2)
		Within(VPPath{}, v)(x, at, torch.Tensor{})
		Within(OTPath{}, v)(x, at, torch.Tensor{})
	})
	if want := []float32{0, 0.999, 0, 1}; len(seen) != 4 || seen[0] != want[0] || seen[1] != want[1] || seen[2] != want[2] || seen[3] != want[3] {
		t.Errorf("asked for %v, want %v", seen, want)
	}
	torch.Scoped(func() {
		gen := torch.NewGenerator(torch.CPU, 1)
		defer gen.Close()
		o := Objective{Path: VPPath{}, Times: StratifiedTimes{}}
		const n = 4096
		x1 := torch.Zeros([]int64{n, 1}, torch.Options{})
		_, ts, u, _ := o.Draw(gen, torch.Tensor{}, x1, torch.Tensor{})
		last, speed := 0.0, 0.0
		for _, v := range torch.ToSlice[float32](ts) {
			last = max(last, float64(v))
		}
		for _, v := range torch.ToSlice[float32](u) {
			speed = max(speed, math.Abs(float64(v)))
		}
		if last > 0.999 || last < 0.998 || !(speed < 50) {
			t.Errorf("trained up to t = %v, on speeds up to %v", last, speed)
		}
	})
}

func TestNewPathRefuses(t *testing.T) {
	for want, c := range map[string]PathConfig{
		`"op"`: {Name: "op"}, "sigma_min": {Name: "vp", SigmaMin: 0.1},
	} {
		if _, err := NewPath(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if p, err := NewPath(PathConfig{SigmaMin: 0.1}); err != nil || p != (OTPath{SigmaMin: 0.1}) {
		t.Errorf("%v, %v", p, err)
	}
}
