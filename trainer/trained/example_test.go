package trained_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/datasets"
	"flowmatch/flow"
	"flowmatch/models"
	"flowmatch/trainer"
	"flowmatch/trainer/pretrained"
	"flowmatch/trainer/trained"
)

// A checkpoint is opened by its name alone, and drawn from.
func ExampleOpen() {
	path := runOfRings()
	defer os.RemoveAll(filepath.Dir(path))
	model, err := trained.Open(path, trained.Options{})
	if err != nil {
		panic(err)
	}
	velocity, err := model.Velocity(torch.CPU)
	if err != nil {
		panic(err)
	}
	samples, err := flow.Sampling{Velocity: velocity, Shape: model.Dims(), N: 5, Batch: model.Batch(torch.CPU)}.Draw(context.Background())
	if err != nil {
		panic(err)
	}
	fmt.Println("a model of", model.Info.Name, "after", model.Checkpoint.Record.Training.Step, "steps;", len(samples.X)/2, "points")
	// Output: a model of rings after 2 steps; 5 points
}

// Models that are part of the program know their classes, too.
func ExampleOf() {
	checkpoint, err := pretrained.Open("digits", false)
	if err != nil {
		panic(err)
	}
	model, err := trained.Of(checkpoint, trained.Options{})
	if err != nil {
		panic(err)
	}
	velocity, err := model.Velocity(torch.CPU)
	if err != nil {
		panic(err)
	}
	seven := int64(slices.Index(model.Info.ClassNames, "7"))
	draw := flow.Sampling{Velocity: velocity, Shape: model.Dims(), N: 4, Labels: []int64{seven, seven, seven, seven}}
	samples, err := draw.Draw(context.Background())
	if err != nil {
		panic(err)
	}
	fmt.Println(model.Classes, "classes,", model.Config.Kind(), model.Shape, len(samples.X), "pixels")
	// Output: 10 classes, unet [1 8 8] 256 pixels
}

// runOfRings trains for two steps, and gives the path of the checkpoint.
func runOfRings() string {
	dir, err := os.MkdirTemp("", "rings")
	if err != nil {
		panic(err)
	}
	folder, err := trainer.OpenFolder(dir, 2)
	if err != nil {
		panic(err)
	}
	defer folder.Close()
	rings, err := datasets.OpenSet(context.Background(), "rings", datasets.Options{})
	if err != nil {
		panic(err)
	}
	network, err := models.MLPConfig{HiddenDim: 16}.Build()
	if err != nil {
		panic(err)
	}
	run := trainer.Run{Network: network, Open: trainer.Data(rings), Dataset: trainer.Describe(rings.Describe()), Folder: folder, Config: trainer.Config{Iterations: 2}}
	if _, err := run.Train(context.Background(), nil); err != nil {
		panic(err)
	}
	return filepath.Join(dir, trainer.CheckpointFile)
}
