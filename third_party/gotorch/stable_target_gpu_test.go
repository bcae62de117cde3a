package gotorch

import (
	"fmt"
	"testing"
)

// The stable targets' kernel for GPUs, by the formula in float64 (stableCase.check).

func TestGPUStableTarget(t *testing.T) {
	d := kernels(t)
	for i, c := range []stableCase{
		{1, 2, 1}, {5, 2, 0.5}, {16, 2, 0}, {37, 2, 3}, {64, 1, 1}, {50, 3, 2}, {33, 20, 1},
		{256, 2, 100}, {257, 2, 0.1}, {600, 2, 4}, {200, 2, 1e4},
		{30, 255, 0.2}, {30, 256, 0.2}, {20, 600, 0.1}, // the dimensions of one turn, of two and of three
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) { c.check(t, d, i%2 == 1) })
	}
	Scoped(func() {
		if y := RawStableTarget(Ones([]int64{0, 2}, false).To(d), Ones([]int64{0, 2}, false).To(d), Ones([]int64{0}, false).To(d)); y.Numel() != 0 {
			t.Error("no rows give some")
		}
		x, r := Ones([]int64{3, 2}, false).To(d), Ones([]int64{3}, false).To(d)
		for name, f := range map[string]func(){
			"float64":              func() { RawStableTarget(x.CastTo(Double), x, r) },
			"ratios elsewhere":     func() { RawStableTarget(x, x, r.To(CPU)) },
			"all but x1 elsewhere": func() { RawStableTarget(x, x.To(CPU), r) },
		} {
			if Try(f) == nil {
				t.Errorf("%s: no error", name)
			}
		}
	})
}

// In whatever order a block's threads and the blocks run, and recorded, the bits are the same.
func TestGPUStableTargetGraph(t *testing.T) {
	d := kernels(t)
	Scoped(func() {
		var in [3]Tensor
		in[0], in[1], in[2] = stableCase{270, 2, 2}.tensors(false)
		for i := range in {
			in[i] = in[i].To(d)
		}
		var out Tensor
		step := func() { Scoped(func() { out = Keep(RawStableTarget(in[0], in[1], in[2])) }) }
		WithStream(NewCUDAStream(d), func() {
			step()
			want := out
			for _, order := range []string{"reversed", "shuffled"} {
				t.Setenv("GOTORCH_STANDIN_ORDER", order)
				if step(); !Equal(out, want) {
					t.Errorf("%s: other targets", order)
				}
			}
			t.Setenv("GOTORCH_STANDIN_ORDER", "")
			Synchronize(d)
			g := Capture(nil, step)
			defer g.Close()
			NoGrad(func() { in[0].MulScalarI(-1) })
			g.Replay()
			got := out
			if step(); !Equal(got, out) || Equal(got, want) {
				t.Error("other targets by a graph")
			}
		})
	})
}
