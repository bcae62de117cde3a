package trainer

import (
	"context"
	"slices"
	"testing"
	"time"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn"

	"flowmatch/datasets"
	"flowmatch/flow"
	"flowmatch/models"
)

// Tests for a machine with a GPU: go test -run GPU ./trainer.
func gpu(t *testing.T) torch.Device {
	t.Helper()
	if !torch.IsCUDAAvailable() {
		_, why := torch.CUDAStatus()
		t.Skip("no GPU: " + why)
	}
	torch.AllowTF32(false)
	return torch.NewDevice("cuda")
}

// Steps that are replayed give the bits of steps that are not.
func TestGPUStepGraph(t *testing.T) {
	d := gpu(t)
	torch.UseDeterministicAlgorithms(true)
	defer torch.UseDeterministicAlgorithms(false)
	for name, open := range graphRuns(t) {
		var trained [2][]float32
		for i, eager := range []bool{true, false} {
			torch.ManualSeed(3)
			r := open()
			r.Device, r.NoGraph = d, eager
			r.Network.To(d)
			r.instead = func(e *engine) { e.recorder = nil }
			if !eager {
				r.instead = nil
				r.Note = func(s string) { t.Errorf("%s: %s", name, s) }
			}
			var res Result
			var err error
			// Both on a stream of their own: some libraries choose by it.
			onStream(d, eager, func() { res, err = r.Train(context.Background(), nil) })
			if err != nil {
				t.Fatal(name, err)
			}
			if !eager {
				t.Logf("%s: %d operations, %d of them kernels", name, res.GraphNodes, res.GraphKernels)
				if res.GraphKernels == 0 {
					t.Errorf("%s: no step was recorded", name)
				}
			}
			trained[i] = res.Losses
			for _, w := range res.Checkpoint.Tensors.All() {
				values, err := w.Float32s()
				if err != nil {
					t.Fatal(err)
				}
				trained[i] = append(trained[i], values...)
			}
		}
		for i, want := range trained[0] {
			if got := trained[1][i]; got != want {
				t.Errorf("%s: number %d is %v, not %v", name, i, got, want)
				break
			}
		}
	}
}

// A run that is looked into, by averaged weights in bf16, trains as one that is not, though steps
// that are replayed round no weight anew: the update before has done so.
func TestGPULearntLeavesNoTrace(t *testing.T) {
	d := gpu(t)
	torch.UseDeterministicAlgorithms(true)
	defer torch.UseDeterministicAlgorithms(false)
	digits, err := datasets.Digits()
	if err != nil {
		t.Fatal(err)
	}
	var trained [2][]float32
	for i, every := range []int{100, 3} {
		c := config(14)
		c.Precision, c.LearningRate = "bf16", 0.01
		torch.ManualSeed(3)
		u, err := models.NewUNet(small())
		if err != nil {
			t.Fatal(err)
		}
		u.To(d)
		o := &curious{every: every, f: func(_ int, v flow.Velocity) error {
			x := torch.Ones([]int64{2, 1, 8, 8}, false).To(d)
			y := torch.FromSlice([]int64{1, 2}, 2).To(d)
			if at := torch.SumAll(v(x, torch.Ones([]int64{2}, false).To(d), y).CastTo(torch.Float)).ItemFloat(); at != at {
				t.Error("velocities are no numbers")
			}
			return nil
		}}
		r := &Run{Config: c, Network: u, Device: d, Open: Data(digits), Interval: time.Hour, Observers: []Observer{o}}
		r.Note = func(s string) { t.Error(s) }
		res, err := r.Train(context.Background(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if res.GraphKernels == 0 || len(o.seen) != 14/every {
			t.Errorf("%d kernels were recorded, and looks taken after %v", res.GraphKernels, o.seen)
		}
		trained[i] = res.Losses
		for _, w := range res.Checkpoint.Tensors.All() {
			values, err := w.Float32s()
			if err != nil {
				t.Fatal(err)
			}
			trained[i] = append(trained[i], values...)
		}
	}
	if !slices.Equal(trained[0], trained[1]) {
		t.Error("looks have changed the training")
	}
}

// No step waits for the device: not one that is replayed, and not one that is not.
func TestGPUStepsDoNotWait(t *testing.T) {
	d := gpu(t)
	for name, open := range graphRuns(t) {
		for _, eager := range []bool{true, false} {
			r := open()
			r.Network.To(d)
			onStream(d, true, func() {
				e := newEngine(r.Config, r.Network, d)
				defer e.close()
				if !eager {
					e.recorder = graphs{d}
				}
				src, err := r.Open(r.Config, d, 0)
				if err != nil {
					t.Fatal(err)
				}
				defer src.Close()
				for k := range warmSteps + 12 {
					if k == warmSteps+2 { // and one is recorded
						torch.CUDAForbidWaits(true)
						defer torch.CUDAForbidWaits(false)
					}
					if failed := torch.Try(func() { err = e.step(k, src) }); failed != nil {
						err = failed
					}
					if err != nil {
						t.Fatalf("%s, eager %v, step %d: %v", name, eager, k+1, err)
					}
				}
				torch.CUDAForbidWaits(false)
				if e.unrecorded != nil || (e.graph == nil) != eager {
					t.Errorf("%s, eager %v: %v", name, eager, e.unrecorded)
				}
			})
		}
	}
}

// A solution with equal steps never waits for the device, casts no weight and gives the bits
// of autocast's, which casts them all in every evaluation. With guidance both classes go
// through the network in one batch.
func TestGPUSampling(t *testing.T) {
	d := gpu(t)
	torch.UseDeterministicAlgorithms(true)
	defer torch.UseDeterministicAlgorithms(false)
	unet := small()
	unet.NullClass = true
	dit := models.DiTConfig{Channels: 1, Size: 8, PatchSize: 2, Width: 64, Depth: 2, NumHeads: 2, NumClasses: 10, NullClass: true}
	for _, of := range []struct {
		cfg  models.Config
		most int // casts: activations', by libtorch's lists
	}{{unet, 602}, {dit, 126}} {
		cfg := of.cfg
		torch.ManualSeed(3)
		n, err := cfg.Build()
		if err != nil {
			t.Fatal(err)
		}
		torch.NoGrad(func() {
			for _, p := range nn.Parameters(n) { // blocks that end in zeros are to be seen, too
				p.AddI(torch.MulScalar(torch.RandN(p.Shape(), false), 0.05), 1)
			}
		})
		tensors, err := models.Weights(n)
		if err != nil {
			t.Fatal(err)
		}
		ckpt := &Checkpoint{Tensors: tensors}
		sampler, err := ckpt.Sampler(cfg, d, "bf16")
		if err != nil {
			t.Fatal(err)
		}
		plain, err := ckpt.Velocity(cfg, d)
		if err != nil {
			t.Fatal(err)
		}
		autocast := func(x, t, y torch.Tensor) (v torch.Tensor) {
			torch.Autocast(d, torch.BFloat16, func() { v = plain(x, t, y) })
			return v
		}
		x, y := torch.RandN([]int64{4, 1, 8, 8}, false).To(d), torch.FromSlice([]int64{1, 2, 3, 4}, 4).To(d)
		var batches []int64
		solve := func(v flow.Velocity) (end torch.Tensor) {
			batches = nil
			field := flow.Guidance{Scale: 2, Null: 10}.Field(func(x, t, y torch.Tensor) torch.Tensor {
				batches = append(batches, x.Shape()[0])
				return v(x, t, y)
			}, y)
			for _, method := range []string{"euler", "midpoint", "rk4"} {
				s, err := flow.NewSolver(flow.SolverConfig{Method: method, Steps: 2})
				if err == nil {
					end, _, err = s.Solve(field, x, nil, nil)
				}
				if err != nil {
					t.Fatal(err)
				}
				if end.RequiresGrad() {
					t.Error("a gradient is kept")
				}
			}
			return end
		}
		want := solve(autocast)
		solve(sampler) // libraries choose their ways
		torch.CUDAForbidWaits(true)
		casts := 0
		var end torch.Tensor
		failed := torch.Try(func() {
			for _, o := range torch.Profile(func() { end = solve(sampler) }) {
				if o.Name == "gpu::cast" {
					casts += o.Calls
				}
			}
		})
		torch.CUDAForbidWaits(false)
		if failed != nil {
			t.Fatalf("%s: %v", cfg.Kind(), failed)
		}
		if !torch.Equal(end, want) {
			t.Errorf("%s: other samples than autocast's", cfg.Kind())
		}
		if !slices.Equal(batches, []int64{8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8}) {
			t.Errorf("%s: evaluated of %v", cfg.Kind(), batches)
		}
		if casts > of.most {
			t.Errorf("%s: %d casts, at most %d were there before", cfg.Kind(), casts, of.most)
		}
	}
}
