package flow_test

import (
	"context"
	"math"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/flow"
)

// shear is v = A x, whose flow is known: the log density falls by the trace of A.
type shear struct{}

var shearA = [4]float32{0.5, 1.2, -0.3, 0.25}

func (shear) Velocity(x, _, _ torch.Tensor) torch.Tensor {
	return torch.MatMul(x, torch.FromSlice([]float32{shearA[0], shearA[2], shearA[1], shearA[3]}, 2, 2))
}

// TestLikelihoodExactBeside: where more probes than numbers of a sample give the
// whole Jacobian, the exact density comes with the estimates; it is that of a run of
// its own, and of the closed form, and the estimates differ from it by what e A e
// does from the trace.
func TestLikelihoodExactBeside(t *testing.T) {
	solver, err := flow.NewSolver(flow.SolverConfig{Method: "rk4", Steps: 20})
	if err != nil {
		t.Fatal(err)
	}
	x := []float32{0.3, -1, 2, 0.5, 0, 0, -1.5, 1, 0.1, 0.2}
	l := flow.Likelihood{Velocity: shear{}.Velocity, Solver: solver, Shape: []int64{2}, Batch: 2, Seed: 3}
	exact, err := l.LogDensity(context.Background(), x, nil)
	if err != nil {
		t.Fatal(err)
	}
	if exact.Exact != nil {
		t.Error("a run without probes has a second density")
	}
	const probes = 10
	l.Probes = probes
	both, err := l.LogDensity(context.Background(), x, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(both.Exact) != len(x)/2 {
		t.Fatalf("%d exact densities", len(both.Exact))
	}
	off, differ := float64(shearA[1]+shearA[2]), false
	for i, v := range both.Exact {
		x0, y0 := float64(both.X0[2*i]), float64(both.X0[2*i+1])
		want := -math.Log(2*math.Pi) - (x0*x0+y0*y0)/2 - float64(shearA[0]+shearA[3])
		if math.Abs(v-want) > 1e-5 || math.Abs(v-exact.LogP[i]) > 1e-5 {
			t.Errorf("point %d: %v, by itself %v, want %v", i, v, exact.LogP[i], want)
		}
		// e A e = tr A + e1 e2 (A12 + A21): of ten probes the mean differs by an
		// even number of tenths of that.
		tenths := (v - both.LogP[i]) / off * probes
		if d := math.Abs(tenths - 2*math.Round(tenths/2)); d > 1e-3 || math.Abs(tenths) > probes {
			t.Errorf("point %d: the estimate is off by %v tenths", i, tenths)
		}
		differ = differ || math.Abs(tenths) > 1
	}
	if !differ {
		t.Error("all estimates are exact")
	}
}
