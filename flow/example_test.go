package flow_test

import (
	"context"
	"errors"
	"fmt"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/flow"
)

// growth is the velocity x: its flow multiplies noise by e.
func growth(x, _, _ torch.Tensor) torch.Tensor { return x }

// x' = x from 1 to e, in equal steps and in steps that fit a tolerance.
func ExampleNewSolver() {
	field := func(x torch.Tensor, t float64) torch.Tensor { return x }
	for _, c := range []flow.SolverConfig{
		{Method: "euler", Steps: 10},
		{Method: "midpoint", Steps: 10},
		{Method: "dopri5", RTol: 1e-6, ATol: 1e-6},
	} {
		s, err := flow.NewSolver(c)
		if err != nil {
			fmt.Println(err)
			return
		}
		end, nfe, err := s.Solve(field, torch.FromSlice([]float64{1}, 1, 1), nil, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: %.4f after %d evaluations\n", s, end.ItemFloat(), nfe)
	}
	// Output:
	// euler, 10 steps: 2.5937 after 10 evaluations
	// midpoint, 10 steps: 2.7141 after 20 evaluations
	// dopri5, rtol 1e-06, atol 1e-06: 2.7183 after 32 evaluations
}

// States on the way, backwards.
func ExampleAdaptive_Solve() {
	m, _ := flow.AdaptiveMethod("dopri8")
	s := flow.Adaptive{Method: m, RTol: 1e-8, ATol: 1e-8, T0: 1, T1: 0}
	field := func(x torch.Tensor, t float64) torch.Tensor { return x }
	_, _, err := s.Solve(field, torch.FromSlice([]float64{1}, 1, 1), []float64{1, 0.5, 0}, func(o flow.Output) error {
		fmt.Printf("x(%v) = %.6f\n", o.T, o.X.ItemFloat())
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// x(1) = 1.000000
	// x(0.5) = 0.606531
	// x(0) = 0.367879
}

func ExampleStepLimitError() {
	s, _ := flow.NewSolver(flow.SolverConfig{Method: "adaptive_heun", RTol: 1e-12, ATol: 1e-12, MaxSteps: 20})
	field := func(x torch.Tensor, t float64) torch.Tensor { return x }
	_, _, err := s.Solve(field, torch.FromSlice([]float64{1}, 1, 1), nil, nil)
	var limit *flow.StepLimitError
	fmt.Println(errors.As(err, &limit), limit.Steps)
	// Output: true 20
}

// The flow of v = x carries N(0, I) to N(0, e^2 I): at the origin of the plane
// log p = -log(2 pi) - 2.
func ExampleLikelihood() {
	s, _ := flow.NewSolver(flow.SolverConfig{Method: "dopri5"})
	l := flow.Likelihood{Velocity: growth, Solver: s, Shape: []int64{2}}
	out, err := l.LogDensity(context.Background(), []float32{0, 0}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.3f\n", out.LogP[0])
	// Output: -3.838
}

// What a network is trained on at each step: the points, the times, and the
// velocities that it should have there. On straight lines the way that is left,
// (1-t) u, leads from the point to the data.
func ExampleObjective() {
	o := flow.Objective{Times: flow.StratifiedTimes{}}
	if err := o.Check(); err != nil {
		fmt.Println(err)
		return
	}
	gen := torch.NewGenerator(torch.CPU, 42)
	defer gen.Close()
	x1 := torch.FromSlice([]float32{10, 20, 30, 40}, 4, 1)
	xt, t, u, _ := o.Draw(gen, torch.Tensor{}, x1, torch.Tensor{})
	x, at, v := torch.ToSlice[float32](xt), torch.ToSlice[float32](t), torch.ToSlice[float32](u)
	for i := range x {
		fmt.Printf("quarter %d: %.3f\n", int(4*at[i]), x[i]+(1-at[i])*v[i])
	}
	// Output:
	// quarter 0: 10.000
	// quarter 1: 20.000
	// quarter 2: 30.000
	// quarter 3: 40.000
}

// Observe fills a histogram of many samples at several times without holding
// the samples of every time.
func ExampleSampling() {
	s, _ := flow.NewSolver(flow.SolverConfig{Method: "midpoint", Steps: 20})
	inside := make([]int, 3) // samples in the unit disc
	out, err := flow.Sampling{
		Velocity: growth, Solver: s, Shape: []int64{2}, N: 10000, Seed: 42, Batch: 4096,
		FrameTimes: flow.EvenTimes(3),
		Observe: func(frame, first int, x []float32) {
			for i := 0; i < len(x); i += 2 {
				if x[i]*x[i]+x[i+1]*x[i+1] < 1 {
					inside[frame]++
				}
			}
		},
	}.Draw(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(out.NFE, "evaluations;", inside[0] > inside[1] && inside[1] > inside[2])
	// Output: 40 evaluations; true
}

// byClass moves class y by y; class 2 is the null class.
func byClass(x, _, y torch.Tensor) torch.Tensor {
	return torch.ExpandAs(y.CastTo(torch.Float).View(-1, 1), x)
}

// With a scale of 3 class 1 goes three times as far away from the null class.
func ExampleGuidance() {
	s, _ := flow.NewSolver(flow.SolverConfig{Method: "euler", Steps: 4})
	sampling := flow.Sampling{Velocity: byClass, Solver: s, Shape: []int64{1}, N: 1, Labels: []int64{1}, X0: []float32{0}}
	for _, scale := range []float64{0, 1, 3} {
		sampling.Guidance = &flow.Guidance{Scale: scale, Null: 2}
		out, err := sampling.Draw(context.Background())
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("scale", scale, "x", out.X[0], "NFE", out.NFE)
	}
	// Output:
	// scale 0 x 2 NFE 4
	// scale 1 x 1 NFE 4
	// scale 3 x -1 NFE 8
}
