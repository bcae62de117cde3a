package flow

import (
	"math"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
)

// wave is sin(x A) of samples of any shape: [B,...] with D numbers each, A: [D,D].
func wave(a torch.Tensor) Field {
	return func(x torch.Tensor, t float64) torch.Tensor {
		d := a.Shape()[0]
		return torch.Reshape(torch.Sin(torch.MM(torch.Reshape(x, []int64{-1, d}), a)), x.Shape())
	}
}

func TestDivergence(t *testing.T) {
	for _, shape := range [][]int64{{1}, {2}, {3, 2, 2}, {1, 4, 4}} {
		torch.Scoped(func() {
			const b = 3
			d := int(torch.Numel(shape))
			a, x := make([]float32, d*d), make([]float32, b*d)
			Noise(a, 1, 0)
			Noise(x, 2, 0)
			// dv_k/dx_i = cos((x A)_k) A_ik.
			want := make([]float64, b)
			jac := func(s, k, i int) float64 {
				y := 0.0
				for j := range d {
					y += float64(x[s*d+j]) * float64(a[j*d+k])
				}
				return math.Cos(y) * float64(a[i*d+k])
			}
			for s := range b {
				for k := range d {
					want[s] += jac(s, k, k)
				}
			}
			field := wave(torch.FromSlice(a, int64(d), int64(d)))
			in := torch.FromSlice(x, append([]int64{b}, shape...)...)
			plain := field(in, 0)
			v, div := divergence(field, in, 0)
			if !torch.Equal(v, plain) || v.RequiresGrad() || in.RequiresGrad() {
				t.Errorf("%v: the velocity differs, or asks for gradients", shape)
			}
			for s, got := range torch.ToSlice[float32](div) {
				if math.Abs(float64(got)-want[s]) > 1e-5*float64(d) { // float32
					t.Errorf("%v, sample %d: %v, want %v", shape, s, got, want[s])
				}
			}

			// Both ways to e'Je.
			const p = 5
			e := make([]float32, p*b*d)
			Noise(e, 3, 0)
			probes := torch.FromSlice(e, p, b, int64(d))
			_, byProbe := hutchinson(field, in, 0, probes)
			_, byRow := exactAndHutchinson(field, in, 0, probes)
			g1, g2 := torch.ToSlice[float32](byProbe), torch.ToSlice[float32](byRow)
			for s := range b {
				if got := float64(g2[s*(p+1)+p]); math.Abs(got-want[s]) > 1e-5*float64(d) {
					t.Errorf("%v, sample %d: %v beside the probes, want %v", shape, s, got, want[s])
				}
				for q := range p {
					want := 0.0
					for k := range d {
						for i := range d {
							want += float64(e[(q*b+s)*d+k]) * jac(s, k, i) * float64(e[(q*b+s)*d+i])
						}
					}
					tol := 1e-5 * float64(d*d)
					if math.Abs(float64(g1[s*p+q])-want) > tol || math.Abs(float64(g2[s*(p+1)+q])-want) > tol {
						t.Errorf("%v, sample %d, probe %d: %v and %v, want %v", shape, s, q, g1[s*p+q], g2[s*(p+1)+q], want)
					}
				}
			}
		})
	}
}

// A velocity that does not depend on x, or only in part, has derivatives of 0.
func TestDivergenceOfConstants(t *testing.T) {
	x := torch.FromSlice([]float32{1, 2, 3, 4}, 2, 2)
	_, div := divergence(func(x torch.Tensor, _ float64) torch.Tensor { return torch.FullWith([]int64{2, 2}, 7, torch.Options{}) }, x, 0)
	if g := torch.ToSlice[float32](div); g[0] != 0 || g[1] != 0 {
		t.Errorf("constant: %v", g)
	}
	_, div = divergence(func(x torch.Tensor, _ float64) torch.Tensor {
		return torch.Cat([]torch.Tensor{torch.Square(torch.Narrow(x, 1, 0, 1)), torch.FullWith([]int64{2, 1}, 7, torch.Options{})}, 1)
	}, x, 0)
	if g := torch.ToSlice[float32](div); g[0] != 2 || g[1] != 6 {
		t.Errorf("(x^2, 7): %v, want [2 6]", g)
	}
}

// Inside a step without gradients, and nothing of the computation stays.
func TestDivergenceLeavesTwoTensors(t *testing.T) {
	torch.Scoped(func() {
		torch.NoGrad(func() {
			x := torch.FromSlice([]float32{1, 2, 3, 4}, 2, 2)
			field := wave(torch.Eye(2, 2, false))
			torch.FinishGC() // what other tests left
			before := torch.Stats().Live
			divergence(field, x, 0)
			if now := torch.Stats().Live; now > before+2 {
				t.Errorf("%d tensors more, want the velocity and its divergence", now-before)
			}
		})
	})
}
