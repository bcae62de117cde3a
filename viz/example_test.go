package viz_test

import (
	"bytes"
	"fmt"
	"image/gif"
	"image/png"

	"flowmatch/viz"
)

func ExampleImageGrid() {
	// Four samples of 8x8, two of each class.
	samples := viz.Pictures{X: make([]float32, 4*8*8), Shape: [3]int{1, 8, 8}}
	classes := []int64{3, 3, 7, 7}

	img, err := viz.ImageGrid(samples, viz.GridConfig{Layout: viz.ByClass(classes, nil, 10)})
	if err != nil {
		panic(err)
	}
	var file bytes.Buffer
	if err := png.Encode(&file, img); err != nil {
		panic(err)
	}
	fmt.Println(viz.ByClass(classes, nil, 10))
	fmt.Println(img.Bounds().Dx() > 2*8*10, "enlarged to be seen")
	// Output:
	// {[[0 1] [2 3]] [3 7]}
	// true enlarged to be seen
}

func ExampleTrajectoryGIF() {
	final := viz.Pictures{X: []float32{1, -1, -1, 1}, Shape: [3]int{1, 2, 2}}
	frames := func(yield func(viz.Frame, error) bool) {
		x := make([]float32, 4) // a solver would fill it with each state
		for k := range 11 {
			t := float64(k) / 10
			for i := range x {
				x[i] = float32(t) * final.X[i]
			}
			if !yield(viz.Frame{T: t, X: x}, nil) {
				return
			}
		}
	}
	var file bytes.Buffer
	err := viz.TrajectoryGIF(&file, final, frames, viz.TrajectoryConfig{Layout: viz.Square(1), FPS: 30})
	if err != nil {
		panic(err)
	}
	clip, err := gif.DecodeAll(&file)
	if err != nil {
		panic(err)
	}
	fmt.Println(len(clip.Image), "frames,", clip.Delay[0], "hundredths each, the last", clip.Delay[10])
	// Output:
	// 11 frames, 3 hundredths each, the last 200
}

func ExampleFrameDelay() {
	for _, fps := range []float64{20, 30, 60} {
		delay, actual := viz.FrameDelay(fps)
		fmt.Printf("%v frames a second: a delay of %d hundredths, %.1f\n", fps, delay, actual)
	}
	// Output:
	// 20 frames a second: a delay of 5 hundredths, 20.0
	// 30 frames a second: a delay of 3 hundredths, 33.3
	// 60 frames a second: a delay of 2 hundredths, 50.0
}

func ExampleLosses() {
	img := viz.Losses(nil, []float64{1.5, 0.9, 0.6, 0.5}, viz.LossesConfig{Width: 800, Height: 480})
	fmt.Println(img.Bounds())
	// Output:
	// (0,0)-(800,480)
}
