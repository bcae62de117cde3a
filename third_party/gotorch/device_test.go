package gotorch

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"
)

// The fixtures once more, in every precision that is trained in: on the GPU
// with GOTORCH_TEST_CUDA=1, else on the processor. What is measured is
// |got - want| / |want| over a whole tensor. Each precision logs a line of JSON,
// which scripts/gpu-check reads.

// testDevice is where these tests compute.
func testDevice(t *testing.T) Device {
	t.Helper()
	if os.Getenv("GOTORCH_TEST_CUDA") != "1" {
		return CPU
	}
	if ok, why := CUDAStatus(); !ok {
		t.Fatal("GOTORCH_TEST_CUDA=1, but CUDA is off: " + why)
	}
	return NewDevice("cuda")
}

// arithmetic is how a device computes.
type arithmetic struct {
	name      string
	dtype     int8
	tf32      bool
	tolerance float64 // of any tensor
}

// bf16 rounds to 8 bits, 2^-9 of a number at most: inputs, outputs and gradients
// each once or twice. TF32 rounds the operands of products to 11 bits. On a
// processor float32 is within 4.8e-7 and bf16 within 1.2e-2; a GPU has its own
// exponentials and convolutions.
var arithmetics = []arithmetic{
	{"float32", Float, false, 2e-5},
	{"tf32", Float, true, 2e-3},
	{"bf16", BFloat16, false, 2e-2},
}

// inEach runs f in each arithmetic that the device has.
func inEach(t *testing.T, f func(t *testing.T, d Device, a arithmetic)) {
	d := testDevice(t)
	for _, a := range arithmetics {
		if a.tf32 && !d.IsCUDA() {
			continue // only GPUs round so
		}
		t.Run(a.name, func(t *testing.T) {
			if d.IsCUDA() {
				AllowTF32(a.tf32)
				defer AllowTF32(false)
			}
			f(t, d, a)
		})
	}
}

// place gives a fixture's tensor the device and, where it is of numbers, the
// type.
func (a arithmetic) place(x Tensor, d Device) Tensor {
	if x.Dtype() == Float {
		x = x.CastTo(a.dtype)
	}
	return x.To(d)
}

// errorsOf gathers the relative errors of a test.
type errorsOf struct {
	n              int
	share          float64 // of what is allowed, the greatest
	worst, allowed float64 // there
	where          string
}

func (e *errorsOf) add(t *testing.T, what string, a arithmetic, got Tensor, want result) {
	t.Helper()
	if !got.Defined() || !equalShapes(got.Shape(), want.Shape) {
		t.Errorf("%s: no tensor of shape %v", what, want.Shape)
		return
	}
	v := relative(ToSlice[float32](got.CastTo(Float).To(CPU)), want.Values)
	e.n++
	if !(v/a.tolerance <= e.share) {
		e.share, e.worst, e.where, e.allowed = v/a.tolerance, v, what, a.tolerance
	}
	if !(v <= a.tolerance) {
		t.Errorf("%s: off by %.2g of its norm, allowed %.2g", what, v, a.tolerance)
	}
}

// relative is |got - want| / |want|, or |got| where want is 0.
func relative(got []float32, want []float64) float64 {
	var d, n float64
	for i, w := range want {
		d += (float64(got[i]) - w) * (float64(got[i]) - w)
		n += w * w
	}
	if n == 0 {
		n = 1
	}
	return math.Sqrt(d / n)
}

func (e *errorsOf) log(t *testing.T, name string, d Device, a arithmetic) {
	t.Helper()
	if e.n == 0 {
		t.Fatal("nothing was compared")
	}
	b, err := json.Marshal(map[string]any{
		"name": name, "device": d.String(), "precision": a.name, "tensors": e.n, "error": e.worst, "where": e.where, "allowed": e.allowed,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("result: %s", b)
}

// TestDeviceOps has every case of ops.json and more.json, with its gradients.
func TestDeviceOps(t *testing.T) {
	inEach(t, func(t *testing.T, d Device, a arithmetic) {
		var e errorsOf
		for file, run := range map[string]map[string]runOp{"ops.json": runOps, "more.json": surfaceOps} {
			var f struct{ Cases []opCase }
			readFixture(t, file, &f)
			for _, c := range f.Cases {
				if run[c.Op] == nil {
					continue // TestMoreOps knows which
				}
				a := a
				if a.dtype == BFloat16 && c.Name == "softmax large" {
					a.tolerance = 0.2 // of logits in the hundreds, which bf16 rounds by 1/4
				}
				if err := Try(func() { Scoped(func() { c.on(t, d, a, run[c.Op], &e) }) }); err != nil {
					t.Errorf("%s: %v", c.Name, err)
				}
			}
		}
		e.log(t, "operations", d, a)
	})
}

// on computes a case and compares its outputs and gradients.
func (c opCase) on(t *testing.T, d Device, a arithmetic, run runOp, e *errorsOf) {
	t.Helper()
	in := make([]Tensor, len(c.Inputs))
	for i, s := range c.Inputs {
		in[i] = a.place(s.tensor(), d)
		if c.Grads[i] != nil {
			in[i].SetRequiresGrad(true)
		}
	}
	loss := Zeros(nil, Options{Device: d})
	for j, o := range run(c, in) {
		e.add(t, fmt.Sprintf("%s, output %d", c.Name, j), a, o, c.Outputs[j])
		loss = Add(loss, SumAll(Mul(o.CastTo(Float), c.W[j].tensor().To(d))), 1)
	}
	loss.Backward()
	for i, g := range c.Grads {
		if g != nil {
			e.add(t, fmt.Sprintf("%s, gradient %d", c.Name, i), a, in[i].Grad(), *g)
		}
	}
}

// TestDeviceAdamW follows PyTorch's fused AdamW, whose tensors are of float32
// whatever the network computes in, with and without a guard.
func TestDeviceAdamW(t *testing.T) {
	d, a := testDevice(t), arithmetics[0]
	var e errorsOf
	for _, scale := range []float64{0, 1024} {
		f := readAdamW(t)
		var params []Tensor
		for _, p := range f.Params {
			params = append(params, p.tensor().To(d).SetRequiresGrad(true))
		}
		w := NewAdamW(params, AdamWOptions{Beta1: f.Betas[0], Beta2: f.Betas[1], Eps: f.Eps, WeightDecay: f.WeightDecay})
		for i, s := range f.Steps {
			Scoped(func() {
				g := AdamWGuards{}
				if scale != 0 {
					g.GradScale = FullWith(nil, scale, Options{Device: d})
				}
				for k, p := range params {
					grad := s.Grads[k].tensor().To(d)
					if scale != 0 {
						grad = MulScalar(grad, scale)
					}
					p.SetGrad(grad)
				}
				g.FoundInf = FullWith(nil, 1, Options{Device: d}) // this time nothing moves
				w.Step(f.LR, g)
				g.FoundInf = Zeros(nil, Options{Device: d})
				w.Step(f.LR, g)
				for k, p := range params {
					what := fmt.Sprintf("scale %v, step %d, parameter %d", scale, i+1, k)
					e.add(t, what, a, p.Detach(), s.Params[k])
					e.add(t, what+", exp_avg", a, w.ExpAvg[k], s.ExpAvg[k])
					e.add(t, what+", exp_avg_sq", a, w.ExpAvgSq[k], s.ExpAvgSq[k])
				}
			})
		}
	}
	e.log(t, "AdamW", d, a)
}
