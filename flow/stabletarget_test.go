package flow

import (
	"math"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
)

// Data N(m, s^2 I) have the velocity
//
//	u(x, t) = alpha' m + (alpha' alpha s^2 + sigma' sigma) / (alpha^2 s^2 + sigma^2) (x - alpha m)
//
// At a point x_t the targets' mean is that, and their variance around it less than
// that of u.
func TestStableTarget(t *testing.T) {
	for _, name := range Paths() {
		t.Run(name, func(t *testing.T) { stableTarget(t, name) })
	}
}

func stableTarget(t *testing.T, name string) {
	p := path(t, name).(interface {
		Path
		StableTargets
	})
	const b, s = 256, 0.6
	m := [2]float64{1, -0.5}
	draw := func(seed int64) torch.Tensor {
		x := make([]float32, 2*b)
		Noise(x, seed, 0)
		return torch.FromSlice(x, b, 2)
	}
	for _, at := range []float64{0.05, 0.5, 0.9, 0.999} {
		alpha, sigma := affine[name](at)
		dAlpha, dSigma := slopes(name, at)
		slope := (dAlpha*alpha*s*s + dSigma*sigma) / (alpha*alpha*s*s + sigma*sigma)
		var bias, plain, stable float64
		n := 0
		for k := range int64(40) {
			torch.Scoped(func() {
				x0 := draw(2 * k)
				x1 := torch.Add(torch.MulScalar(draw(2*k+1), s), torch.FromSlice([]float32{float32(m[0]), float32(m[1])}, 1, 2), 1)
				times := torch.FullWith([]int64{b}, at, torch.Options{})
				xt, u := p.StableTarget(x0, x1, times)
				_, own := p.At(x0, x1, times)
				gx, gu, go1 := torch.ToSlice[float32](xt), torch.ToSlice[float32](u), torch.ToSlice[float32](own)
				for i := range gx {
					mean := dAlpha*m[i%2] + slope*(float64(gx[i])-alpha*m[i%2])
					d, e := float64(gu[i])-mean, float64(go1[i])-mean
					// Weighed by x, so that a slope that is wrong shows too.
					bias += d * (1 + float64(gx[i]))
					stable += d * d
					plain += e * e
					n++
				}
			})
		}
		stable, plain = stable/float64(n), plain/float64(n)
		// The targets of a batch lean on the same points: about b independent ones
		// in 40 batches, and (1+x)^2 is at most about 5 in the mean.
		if limit := 6 * math.Sqrt(5*stable/40); math.Abs(bias/float64(n)) > limit {
			t.Errorf("t = %v: mean off by %v, at most %v by chance", at, bias/float64(n), limit)
		}
		if most := map[float64]float64{0.05: 0.02, 0.5: 0.1, 0.9: 0.7, 0.999: 1.001}[at]; stable > most*plain {
			t.Errorf("t = %v: variance %v, of single targets %v", at, stable, plain)
		}
		t.Logf("t = %v: variance %.4f against %.4f, mean off by %.5f", at, stable, plain, bias/float64(n))
	}
}

// Where the CPU's own pass is, and where libtorch's operations are (a GPU; here by
// the type), there are the same averages; of a batch of which they take some rows
// at a time (3,355 and 1,645), too.
func TestStableTargetOfOperations(t *testing.T) {
	for _, b := range []int64{300, 5000} {
		x := make([]float32, 4*b)
		Noise(x, 5, 0)
		torch.Scoped(func() {
			x0, x1 := torch.FromSlice(x[:2*b], b, 2), torch.FromSlice(x[2*b:], b, 2)
			ratio := torch.FromSlice(x[:b], b)
			want := awayOf(x0.CastTo(torch.Double), x1.CastTo(torch.Double), ratio.CastTo(torch.Double))
			d := torch.Sub(awayOf(x0, x1, ratio).CastTo(torch.Double), want, 1)
			if off := torch.Norm(d).ItemFloat() / torch.Norm(want).ItemFloat(); !(off <= 1e-6) {
				t.Errorf("%d points: off by %.2g", b, off)
			}
		})
	}
}

// A large batch is averaged over all of it.
func TestStableTargetInBlocks(t *testing.T) {
	const b = 5000
	x := make([]float32, 4*b)
	Noise(x, 1, 0)
	torch.Scoped(func() {
		x0, x1 := torch.FromSlice(x[:2*b], b, 2), torch.FromSlice(x[2*b:], b, 2)
		times := torch.FullWith([]int64{b}, 0.7, torch.Options{})
		_, u := OTPath{SigmaMin: 0.1}.StableTarget(x0, x1, times)
		got := torch.ToSlice[float32](u)
		for _, i := range []int{0, 3354, 3355, 4999} {
			var sum, x1Mean [2]float64
			weights := 0.0
			for j := range b {
				square := 0.0
				for d := range 2 {
					z := float64(x[2*i+d]) + 0.7/0.37*float64(x[2*b+2*i+d]-x[2*b+2*j+d])
					square += z * z
				}
				w := math.Exp(-square / 2)
				weights += w
				for d := range 2 {
					sum[d] += w * float64(x[2*b+2*j+d])
				}
			}
			for d := range 2 {
				x1Mean[d] = sum[d] / weights
				own := float64(x[2*b+2*i+d])
				want := own - 0.9*float64(x[2*i+d]) + (x1Mean[d]-own)*(1+0.9*0.7/0.37)
				if math.Abs(float64(got[2*i+d])-want) > 1e-4 {
					t.Errorf("target %d: %v, want %v", i, got[2*i+d], want)
				}
			}
		}
	})
}

// Where products of float32 may be rounded, those of the targets are not: near
// t = 1 a data point is its own average, and the target is x1 - x0.
func TestStableTargetFullPrecision(t *testing.T) {
	torch.SetFloat32MatmulPrecision("medium")
	defer torch.SetFloat32MatmulPrecision("highest")
	const b = 512
	x := make([]float32, 4*b)
	Noise(x, 3, 0)
	torch.Scoped(func() {
		x0, x1 := torch.FromSlice(x[:2*b], b, 2), torch.FromSlice(x[2*b:], b, 2)
		times := torch.FullWith([]int64{b}, 0.9999, torch.Options{})
		error := func(u torch.Tensor) float64 {
			d := torch.Sub(u, torch.Sub(x1, x0, 1), 1)
			return float64(torch.SumAll(torch.Mul(d, d)).ItemFloat()) / (2 * b)
		}
		_, u := OTPath{}.StableTarget(x0, x1, times)
		// Among 512 points some lie within a std of 1e-4 of another, with whom
		// they share a target; float32 errs by 1e-7 * 1e4 squared.
		if e := error(u); e > 1e-2 {
			t.Errorf("mean squared error %v", e)
		}
		// The tolerance tells: with rounded products it is not kept.
		eye := torch.Eye(b, b, false)
		rounded := torch.Add(torch.Sub(x1, x0, 1), torch.MulScalar(torch.Sub(torch.MatMul(eye, x1), x1, 1), 1e4), 1)
		if e := error(rounded); e == 0 {
			t.Skip("this processor does not round products, so this shows nothing")
		} else if e < 1 {
			t.Errorf("rounded products err by %v only", e)
		}
	})
}
