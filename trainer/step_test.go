package trainer

import (
	"math"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
)

// A step is the update that the formulas give, computed apart from the engine.
func TestStepIsAdamW(t *testing.T) {
	c := config(10)
	c.EMADecay = 0.9
	r := newRun(t, c, small(), t.TempDir())
	e := newEngine(c, r.Network, torch.CPU)
	defer e.close()
	src, err := r.Open(r.Config, torch.CPU, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	before := torch.ToSlice[float32](e.params[len(e.params)-1])
	if err := e.step(0, src); err != nil {
		t.Fatal(err)
	}
	grad := torch.ToSlice[float32](e.params[len(e.params)-1].Grad())
	after := torch.ToSlice[float32](e.params[len(e.params)-1])
	ema := torch.ToSlice[float32](e.ema[len(e.ema)-1])
	losses, norms := e.read()
	if len(losses) != 1 || len(norms) != 1 || !(losses[0] > 0.3) {
		t.Fatalf("ring: %v, %v", losses, norms)
	}
	for i := range before {
		// The first step of Adam is g/(|g| + eps), whatever the clipping; then
		// the decay of the weights.
		g := float64(grad[i])
		want := float64(before[i])*(1-c.Rate(0)*c.WeightDecay) - c.Rate(0)*g/(math.Abs(g)+1e-8)
		if math.Abs(float64(after[i])-want) > 1e-7 {
			t.Errorf("weight %d is %v, want %v", i, after[i], want)
		}
		d := c.Decay(0)
		if w := d*float64(before[i]) + (1-d)*float64(after[i]); math.Abs(float64(ema[i])-w) > 1e-7 {
			t.Errorf("average %d is %v, want %v", i, ema[i], w)
		}
	}
}

// A step of two batches has the mean of their losses and of their gradients, each
// computed apart.
func TestAccumulate(t *testing.T) {
	c := config(3)
	c.Accumulate, c.GradClip = 2, 0
	r := newRun(t, c, small(), t.TempDir())
	one, two := newEngine(c, r.Network, torch.CPU), newEngine(c, r.Network, torch.CPU)
	defer one.close()
	defer two.close()
	open := func() Source {
		src, err := r.Open(r.Config, torch.CPU, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(src.Close)
		return src
	}
	fillOutput(one)

	src := open()
	var want []float64 // of all parameters, one after the other
	var wantLoss float64
	for m := range 2 {
		torch.Scoped(func() {
			torch.ZeroGrad(one.params)
			loss, err := one.loss(m, src)
			if err != nil {
				t.Fatal(err)
			}
			loss.Backward()
			wantLoss += loss.ItemFloat() / 2
			at := 0
			for _, p := range one.params {
				for _, g := range torch.ToSlice[float32](p.Grad()) {
					if m == 0 {
						want = append(want, 0)
					}
					want[at] += float64(g) / 2
					at++
				}
			}
		})
	}
	if err := two.step(0, open()); err != nil {
		t.Fatal(err)
	}
	losses, norms := two.read()
	var square, off float64
	at := 0
	for _, p := range two.params {
		for _, g := range torch.ToSlice[float32](p.Grad()) {
			square += want[at] * want[at]
			off = max(off, math.Abs(float64(g)-want[at]))
			at++
		}
	}
	norm := math.Sqrt(square)
	if math.Abs(float64(losses[0])-wantLoss) > 1e-6*wantLoss || math.Abs(float64(norms[0])-norm) > 1e-5*norm || off > 1e-5*norm {
		t.Errorf("loss %v, want %v; gradient's norm %v, want %v; a gradient is off by %v", losses[0], wantLoss, norms[0], norm, off)
	}
}

// fillOutput gives the parameters that a fresh network has as 0 numbers: else
// nearly every gradient is 0.
func fillOutput(e *engine) {
	torch.NoGrad(func() {
		g := torch.NewGenerator(torch.CPU, 7)
		defer g.Close()
		for _, p := range e.params {
			if torch.MaxAll(torch.Abs(p)).ItemFloat() == 0 {
				p.NormalI(0, 0.1, g)
			}
		}
	})
}

// Weights, moments and average over several steps, gradients clipped, against the
// formulas of AdamW (Loshchilov and Hutter 2019, algorithm 2) in float64. Each
// step starts from the network's own weights: it is the optimiser that is tested.
func TestStepsAreAdamW(t *testing.T) {
	c := config(20)
	c.GradClip, c.WeightDecay, c.LearningRate = 0.05, 0.1, 1e-2
	r := newRun(t, c, small(), t.TempDir())
	e := newEngine(c, r.Network, torch.CPU)
	defer e.close()
	src, err := r.Open(r.Config, torch.CPU, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	fillOutput(e)
	e.ema[0].CopyI(e.params[0])
	const at = 0 // a weight matrix
	n := int(e.params[at].Numel())
	m, v, ema := make([]float64, n), make([]float64, n), make([]float64, n)
	for i, w := range torch.ToSlice[float32](e.params[at]) {
		ema[i] = float64(w)
	}
	clipped := 0
	for k := range 12 {
		before := torch.ToSlice[float32](e.params[at])
		if err := e.step(k, src); err != nil {
			t.Fatal(err)
		}
		_, norms := e.read()
		scale := max(1, (float64(norms[0])+1e-6)/c.GradClip)
		if scale > 1 {
			clipped++
		}
		grad, after, average := torch.ToSlice[float32](e.params[at].Grad()), torch.ToSlice[float32](e.params[at]), torch.ToSlice[float32](e.ema[at])
		rate, decay := c.Rate(k), c.Decay(k)
		for i := range n {
			g := float64(grad[i])
			// The fused step leaves the gradient divided; one that does not is divided here.
			m[i] = 0.9*m[i] + 0.1*g
			v[i] = 0.999*v[i] + 0.001*g*g
			first, second := m[i]/(1-math.Pow(0.9, float64(k+1))), v[i]/(1-math.Pow(0.999, float64(k+1)))
			want := float64(before[i])*(1-rate*c.WeightDecay) - rate*first/(math.Sqrt(second)+1e-8)
			ema[i] = decay*ema[i] + (1-decay)*float64(after[i])
			if math.Abs(float64(after[i])-want) > 1e-6 || math.Abs(float64(average[i])-ema[i]) > 1e-6 {
				t.Fatalf("step %d, weight %d: %v, want %v; average %v, want %v (gradient %v)", k+1, i, after[i], want, average[i], ema[i], g)
			}
		}
	}
	if clipped < 6 {
		t.Errorf("%d steps of 12 were clipped: the test says little", clipped)
	}
}
