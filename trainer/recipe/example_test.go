package recipe_test

import (
	"context"
	"fmt"

	"flowmatch/datasets"
	"flowmatch/trainer"
	"flowmatch/trainer/recipe"
)

// The recipe of digits: the network, and the run's configuration.
func ExampleFor() {
	digits, err := datasets.Digits()
	if err != nil {
		panic(err)
	}
	r := recipe.For(digits.Info)
	config, err := r.Settle(digits.Len())
	if err != nil {
		panic(err)
	}
	fmt.Println(r.Network.Kind(), r.Network.Classes(), "classes")
	fmt.Println(config.Iterations, "steps of", config.BatchSize, "at", config.LearningRate, config.Schedule)
	// Output:
	// unet 10 classes
	// 1600 steps of 64 at 0.002 cosine
}

// Whatever the set, this is all that a training takes; here it is stopped after two steps.
func ExampleRecipe_Settle() {
	set, err := datasets.OpenSet(context.Background(), "moons", datasets.Options{})
	if err != nil {
		panic(err)
	}
	r := recipe.For(set.Describe())
	r.Config.BatchSize, r.Config.Seed = 64, 7
	config, err := r.Settle(set.Len())
	if err != nil {
		panic(err)
	}
	network, err := r.Network.Build()
	if err != nil {
		panic(err)
	}
	run := trainer.Run{Network: network, Config: config, Open: trainer.Data(set), MaxSteps: 2}
	result, err := run.Train(context.Background(), nil)
	if err != nil {
		panic(err)
	}
	fmt.Println(result.Steps, "of", config.Iterations, "steps")
	// Output: 2 of 7500 steps
}
