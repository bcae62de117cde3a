package metrics

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/flow"
)

func measure(t *testing.T, s Straightness) *Paths {
	t.Helper()
	s.Shape = []int64{2}
	p, err := s.Measure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A constant velocity is straight.
func TestStraightnessOfAConstantField(t *testing.T) {
	s := Straightness{N: 50, Velocity: func(x, _, _ torch.Tensor) torch.Tensor {
		return torch.AddScalar(torch.ZerosLike(x), 3)
	}}
	p := measure(t, s)
	if p.S > 1e-11 { // float32: x1 - x0 is 3 within 1e-6
		t.Errorf("%v", p.S)
	}
	var x0 [2]float32
	flow.Noise(x0[:], 0, 7)
	if len(p.X) != 100 || math.Abs(float64(p.X[14]-x0[0]-3)) > 1e-5 {
		t.Errorf("%d ends; the eighth is %v, from %v", len(p.X), p.X[14:16], x0)
	}
}

// v = a x multiplies x by r = 1 + ah + (ah)^2/2 in a midpoint step: at the start
// of step i it is a r^i x0, and x1 - x0 is (r^20 - 1) x0.
func TestStraightnessOfALinearField(t *testing.T) {
	const a, n, seed = -1.5, 200, 11
	h := 1.0 / straightSteps
	r := 1 + a*h + a*h*a*h/2
	var bend, square float64
	for i := range straightSteps {
		d := a*math.Pow(r, float64(i)) - (math.Pow(r, straightSteps) - 1)
		bend += d * d / straightSteps
	}
	for i := range n {
		var x0 [2]float32
		flow.Noise(x0[:], seed, int64(i))
		square += (float64(x0[0])*float64(x0[0]) + float64(x0[1])*float64(x0[1])) / n
	}
	linear := flow.Velocity(func(x, _, _ torch.Tensor) torch.Tensor { return torch.MulScalar(x, a) })
	for _, batch := range []int{0, 64} {
		if got := measure(t, Straightness{Velocity: linear, N: n, Seed: seed, Batch: batch}).S; math.Abs(got/(bend*square)-1) > 1e-5 {
			t.Errorf("batch %d: %v, want %v", batch, got, bend*square)
		}
	}
}

// v = t y goes y/2 far, exactly by midpoint; each path has its own label.
func TestStraightnessWithLabels(t *testing.T) {
	var want float64
	labels := []int64{0, 1, 2, 3, 4}
	for _, y := range labels {
		for i := range straightSteps {
			d := float64(y) * (float64(i)/straightSteps - 0.5)
			want += 2 * d * d / float64(straightSteps*len(labels))
		}
	}
	velocity := flow.Velocity(func(x, at, y torch.Tensor) torch.Tensor {
		return torch.Mul(torch.AddScalar(torch.ZerosLike(x), 1), torch.Mul(at, y.CastTo(torch.Float)).View(-1, 1))
	})
	if got := measure(t, Straightness{Velocity: velocity, N: 5, Labels: labels, Batch: 2}).S; math.Abs(got/want-1) > 1e-5 {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestStraightnessStops(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	enough := errors.New("enough")
	const paths = 1000
	last := 0
	s := Straightness{N: paths, Batch: 2, Shape: []int64{2}, Velocity: func(x, _, _ torch.Tensor) torch.Tensor { return x }}
	s.Progress = func(done, of int) {
		if last = done; done >= 4 {
			cancel(enough)
		}
	}
	if _, err := s.Measure(ctx); err != enough || last < 4 || last == paths {
		t.Errorf("%v after %v", err, last)
	}
}

// On one core and on several the measure is the same, bit for bit.
func TestStraightnessDoesNotDependOnTheCores(t *testing.T) {
	defer torch.SetNumThreads(int32(torch.NumThreads()))
	var want *Paths
	for _, cores := range []int32{1, 2, 3} {
		torch.SetNumThreads(cores)
		got := measure(t, Straightness{N: 50, Batch: 8, Velocity: func(x, _, _ torch.Tensor) torch.Tensor { return torch.Sin(x) }})
		if want == nil {
			want = got
		}
		if got.S != want.S || !slices.Equal(got.X, want.X) {
			t.Errorf("%d cores: %v, one %v", cores, got.S, want.S)
		}
	}
}

func TestStraightnessLeavesNothingBehind(t *testing.T) {
	torch.Scoped(func() {
		torch.FinishGC() // what other tests left
		before := torch.Stats().Live
		measure(t, Straightness{N: 10, Velocity: func(x, _, _ torch.Tensor) torch.Tensor { return torch.Sin(x) }})
		if now := torch.Stats().Live; now > before {
			t.Errorf("%d tensors more than before", now-before)
		}
	})
}
