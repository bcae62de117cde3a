package trainer_test

import (
	"context"
	"fmt"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/datasets"
	"flowmatch/flow"
	"flowmatch/flow/metrics"
	"flowmatch/models"
	"flowmatch/trainer"
)

// Two moons, trained in memory and sampled. A Run with a Folder also writes its
// files, and goes on after a stop.
func ExampleRun() {
	set, err := datasets.Open2D("moons", datasets.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	torch.ManualSeed(1)
	network, err := models.MLPConfig{HiddenDim: 64}.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	config := trainer.Config{
		Iterations: 400, BatchSize: 256, LearningRate: 8e-3, Schedule: "cosine", EMADecay: 0.99,
		StratifiedTimes: true, StableTargets: true,
	}.Defaults()
	run := trainer.Run{
		Config: config, Network: network,
		Open: func(start int) (trainer.Source, error) { return trainer.Points(set, config, torch.CPU, start), nil },
	}
	result, err := run.Train(context.Background(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	velocity, err := result.Checkpoint.Velocity(network.Config(), torch.CPU)
	if err != nil {
		fmt.Println(err)
		return
	}
	solver, _ := flow.NewSolver(flow.SolverConfig{Method: "midpoint", Steps: 10})
	samples, err := flow.Sampling{Velocity: velocity, Solver: solver, Shape: []int64{2}, N: 2000}.Draw(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	data := make([]float32, 2*2000)
	set.Sample(data, 1, 0)
	distance, err := metrics.SlicedW2(samples.X, data, 2, 128, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Steps, "steps; near the moons:", distance < 0.15)
	// Output: 400 steps; near the moons: true
}
