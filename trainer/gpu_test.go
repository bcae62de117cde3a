package trainer

import (
	"context"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
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
