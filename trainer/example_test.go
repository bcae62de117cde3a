package trainer_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/datasets"
	"flowmatch/datasets/plane"
	"flowmatch/flow"
	"flowmatch/flow/metrics"
	"flowmatch/models"
	"flowmatch/trainer"
)

// Two moons, trained in memory and sampled. A Run with a Folder also writes its
// files, and goes on after a stop.
func ExampleRun() {
	set, err := plane.Open("moons")
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
	}
	run := trainer.Run{Config: config, Network: network, Open: trainer.Data(set)}
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
	samples, err := flow.Sampling{Velocity: velocity, Shape: []int64{2}, N: 2000}.Draw(context.Background())
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

// A run in a folder stops, and goes on from its files; the checkpoint has all that is
// needed to sample from it.
func ExampleFolder() {
	dir, err := os.MkdirTemp("", "run")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	digits, err := datasets.Digits()
	if err != nil {
		panic(err)
	}
	config := models.UNetConfig{Channels: 1, Size: 8, NumChannels: 32, ChannelMult: []int{1}, NumResBlocks: 1, NumClasses: 10}
	train := func(steps int, from *trainer.State) {
		net, err := models.NewUNet(config)
		if err != nil {
			panic(err)
		}
		folder, err := trainer.OpenFolder(dir, 2)
		if err != nil {
			panic(err)
		}
		defer folder.Close()
		run := trainer.Run{
			Network: net, Open: trainer.Data(digits), Folder: folder, MaxSteps: steps,
			Config: trainer.Config{Iterations: 8, BatchSize: 16, Schedule: "cosine", EMADecay: 0.99},
		}
		result, err := run.Train(context.Background(), from)
		if err != nil {
			panic(err)
		}
		fmt.Println(result.New, "steps, in all", result.Steps)
	}
	train(5, nil)
	state, _, _, err := trainer.Newest(dir)
	if err != nil {
		panic(err)
	}
	train(8, state)
	checkpoint, err := trainer.ReadNetwork(filepath.Join(dir, trainer.CheckpointFile), trainer.Best)
	if err != nil {
		panic(err)
	}
	fmt.Println("a", checkpoint.Record.Kind, "after", checkpoint.Record.Training.Step, "steps")
	// Output:
	// 5 steps, in all 5
	// 3 steps, in all 8
	// a unet after 8 steps
}

// The learning rate grows over the warm-up and falls along half a cosine.
func ExampleConfig_Rate() {
	c := trainer.Config{Iterations: 100, LearningRate: 1e-3, Warmup: 10, Schedule: "cosine"}
	for _, step := range []int{0, 4, 9, 10, 55, 99} {
		fmt.Printf("%.6f ", c.Rate(step))
	}
	// Output: 0.000100 0.000500 0.001000 0.001000 0.000500 0.000000
}
