package viz_test

import (
	"bytes"
	"fmt"
	"image/gif"

	"flowmatch/viz"
)

// states are points that move from one place to another, as a solver would give them.
func states(yield func(viz.Frame, error) bool) {
	x := make([]float32, 2*1000)
	for k := range 5 {
		t := float64(k) / 4
		for i := range x {
			x[i] = float32(t)
		}
		if !yield(viz.Frame{T: t, X: x}, nil) {
			return
		}
	}
}

func ExampleEvolution() {
	img, err := viz.Evolution(states, viz.EvolutionConfig{Range: viz.Range{X0: -2, X1: 2, Y0: -2, Y1: 2}})
	if err != nil {
		panic(err)
	}
	fmt.Println(img.Bounds().Dx(), "pixels for five panels of 300")
	// Output:
	// 1572 pixels for five panels of 300
}

func ExampleVectorFieldGIF() {
	r := viz.Range{X0: -2, X1: 2, Y0: -2, Y1: 2}
	places := viz.FieldGrid(r, 15) // where a model would be asked for its velocity
	var fields []viz.Field
	for k := range 5 {
		v := make([]float32, len(places))
		for i := range v {
			v[i] = 1
		}
		fields = append(fields, viz.Field{T: float64(k) / 4, V: v})
	}
	var file bytes.Buffer
	if err := viz.VectorFieldGIF(&file, fields, states, viz.FieldConfig{Range: r}); err != nil {
		panic(err)
	}
	clip, err := gif.DecodeAll(&file)
	if err != nil {
		panic(err)
	}
	fmt.Println(len(clip.Image), "frames of", clip.Config.Width, "x", clip.Config.Height)
	// Output:
	// 5 frames of 1048 x 545
}

func ExampleLikelihood() {
	density := make([]float64, 100*100) // at the places of FieldGrid(r, 100)
	img, err := viz.Likelihood([]viz.DensityPanel{
		{Title: "Hutchinson, 10 draws", Density: density, Rough: true},
		{Title: "exact divergence", Density: density},
		{Title: "true density", Density: density},
	}, viz.LikelihoodConfig{})
	if err != nil {
		panic(err)
	}
	fmt.Println(img.Bounds().Dx())
	// Output:
	// 1500
}

func ExampleCurves() {
	nfe := []float64{1, 4, 10, 40}
	img := viz.Curves([]viz.Line{
		{Label: "flow matching", X: nfe, Y: []float64{2.472, 0.744, 0.310, 0.0665}},
		{Label: "rectified", X: nfe, Y: []float64{0.0755, 0.0732, 0.0716, 0.0705}},
		{Label: "data against data", Y: []float64{0.033}, Level: true},
	}, viz.CurvesConfig{
		Title: "checkerboard", XLabel: "NFE", YLabel: "sliced Wasserstein distance", LogX: true, LogY: true,
	})
	fmt.Println(img.Bounds().Size())
	// Output:
	// (1000,600)
}
