package flow

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
)

// The file and the same fields in Python: testdata/make_torchdiffeq.py.
type peerFile struct {
	Steps    int
	Problems []peerProblem
}

type peerProblem struct {
	Name   string
	X      [][]float64
	T0, T1 float64
	At     []float64
	True   [][][]float64 // at At and T1
	Fixed  []struct {
		Method string
		NFE    int
		Grid   []int
		X      [][][]float64
	}
	Adaptive []struct {
		Method  string
		Tol     float64
		NFE     int
		End     [][]float64
		Between [][][]float64
		FreeNFE int         `json:"free_nfe"`
		FreeEnd [][]float64 `json:"free_end"`
	}
}

// rowwise is the field of a function of one sample, in plain Go.
func rowwise(f func(x []float64, t float64) []float64) Field {
	return func(x torch.Tensor, t float64) torch.Tensor {
		shape, kind := x.Shape(), x.Dtype()
		in := torch.ToSlice[float64](x.CastTo(torch.Double))
		d := len(in) / int(shape[0])
		var out []float64
		for i := 0; i < len(in); i += d {
			out = append(out, f(in[i:i+d], t)...)
		}
		return torch.FromSlice(out, shape...).CastTo(kind)
	}
}

func spiral(x []float64, _ float64) []float64 {
	a, b := x[0]*x[0]*x[0], x[1]*x[1]*x[1]
	return []float64{-0.1*a - 2*b, 2*a - 0.1*b}
}

func vanDerPol(x []float64, _ float64) []float64 {
	return []float64{x[1], 2*(1-x[0]*x[0])*x[1] - x[0]}
}

// twoGaussians carries N(0,I) along the optimal-transport paths to
// N((2,1), 0.09 I) and N((-2,0.5), 0.09 I) in equal parts: the mean of each
// one's velocity, weighed by the densities at time t.
func twoGaussians(x []float64, t float64) []float64 {
	means := [][]float64{{2, 1}, {-2, 0.5}}
	const s2 = 0.09
	variance := t*t*s2 + (1-t)*(1-t)
	var w [2]float64
	for k, m := range means {
		for i := range x {
			w[k] -= (x[i] - t*m[i]) * (x[i] - t*m[i]) / (2 * variance)
		}
	}
	p := 1 / (1 + math.Exp(w[1]-w[0]))
	v := make([]float64, len(x))
	for k, m := range means {
		for i := range x {
			v[i] += []float64{p, 1 - p}[k] * (m[i] + (t*s2-(1-t))/variance*(x[i]-t*m[i]))
		}
	}
	return v
}

var peerFields = map[string]Field{
	"swing": swing, "swing backwards": swing,
	"spiral": rowwise(spiral), "vanderpol": rowwise(vanDerPol),
	"mixture": rowwise(twoGaussians), "mixture backwards": rowwise(twoGaussians),
}

func readPeer(t *testing.T) peerFile {
	b, err := os.ReadFile("testdata/torchdiffeq.json")
	if err != nil {
		t.Fatal(err)
	}
	var f peerFile
	if err := json.Unmarshal(b, &f); err != nil || len(f.Problems) != len(peerFields) {
		t.Fatal(len(f.Problems), "problems;", err)
	}
	return f
}

func matrix(rows [][]float64) torch.Tensor {
	var all []float64
	for _, r := range rows {
		all = append(all, r...)
	}
	return torch.FromSlice(all, int64(len(rows)), int64(len(rows[0])))
}

// away is the largest difference of x and want, relative where want is above 1.
func away(x torch.Tensor, want [][]float64) float64 {
	worst := 0.0
	for i, v := range torch.ToSlice[float64](x) {
		w := want[i/len(want[0])][i%len(want[0])]
		if d := math.Abs(v-w) / max(1, math.Abs(w)); d > worst || math.IsNaN(d) {
			worst = d
		}
	}
	return worst
}

func TestFixedStepsAgreeWithTorchdiffeq(t *testing.T) {
	f := readPeer(t)
	for _, p := range f.Problems {
		for _, c := range p.Fixed {
			torch.Scoped(func() {
				m, ok := FixedStepMethod(c.Method)
				if !ok {
					t.Fatal(c.Method)
				}
				s := FixedStep{Method: m, Steps: f.Steps, T0: p.T0, T1: p.T1}
				// A point of the grid, by the solver's own sum.
				at := p.T0 + float64(c.Grid[0])*((p.T1-p.T0)/float64(f.Steps))
				end, nfe, err := s.Solve(peerFields[p.Name], matrix(p.X), []float64{at}, func(o Output) error {
					// Rounding only: torchdiffeq adds in another order.
					if d := away(o.X, c.X[0]); !(d < 1e-11) {
						t.Errorf("%s by %s at %v: off by %.2g", p.Name, c.Method, at, d)
					}
					return nil
				})
				if err != nil || nfe != c.NFE {
					t.Errorf("%s by %s: %d evaluations, torchdiffeq's %d; %v", p.Name, c.Method, nfe, c.NFE, err)
				}
				if d := away(end, c.X[1]); !(d < 1e-11) {
					t.Errorf("%s by %s: off by %.2g", p.Name, c.Method, d)
				}
			})
		}
	}
}

// The same steps, so the same numbers; bosh3, adaptive_heun and fehlberg2 have a
// better interpolant here, and dopri8's is torchdiffeq's only in the middle of a
// step.
func TestAdaptiveAgreesWithTorchdiffeq(t *testing.T) {
	for _, p := range readPeer(t).Problems {
		for _, c := range p.Adaptive {
			torch.Scoped(func() {
				m, ok := AdaptiveMethod(c.Method)
				if !ok {
					t.Fatal(c.Method)
				}
				// fehlberg2 estimates its error a hundred times too low: how far
				// off it is depends on where its few steps happen to end.
				luck := c.Method == "fehlberg2"
				s := Adaptive{Method: m, RTol: c.Tol, ATol: c.Tol, T0: p.T0, T1: p.T1}
				end, nfe, err := s.Solve(peerFields[p.Name], matrix(p.X), p.At, func(o Output) error {
					ours, theirs := away(o.X, p.True[o.Index]), away(matrix(c.Between[o.Index]), p.True[o.Index])
					if c.Method == "dopri5" {
						if d := away(o.X, c.Between[o.Index]); !(d < 1e-9) {
							t.Errorf("%s by dopri5 at %g at %v: off by %.2g", p.Name, c.Tol, o.T, d)
						}
					}
					// Never much worse than torchdiffeq's where either is
					// worse than the tolerance.
					if !luck && ours > 3*max(theirs, c.Tol) {
						t.Errorf("%s by %s at %g at %v: error %.2g, torchdiffeq's %.2g", p.Name, c.Method, c.Tol, o.T, ours, theirs)
					}
					return nil
				})
				if err != nil || nfe != c.NFE {
					t.Errorf("%s by %s at %g: %d evaluations, torchdiffeq's %d; %v", p.Name, c.Method, c.Tol, nfe, c.NFE, err)
					return
				}
				if d := away(end, c.End); !(d < 1e-9) {
					t.Errorf("%s by %s at %g: off by %.2g", p.Name, c.Method, c.Tol, d)
				}
				// Without its step onto the end torchdiffeq never needs less.
				if nfe > c.FreeNFE {
					t.Errorf("%s by %s at %g: %d evaluations, torchdiffeq as it comes %d", p.Name, c.Method, c.Tol, nfe, c.FreeNFE)
				}
				last := p.True[len(p.True)-1]
				if ours, free := away(end, last), away(matrix(c.FreeEnd), last); !luck && ours > 2*max(free, c.Tol) {
					t.Errorf("%s by %s at %g: error %.2g, torchdiffeq as it comes %.2g", p.Name, c.Method, c.Tol, ours, free)
				}
			})
		}
	}
}
