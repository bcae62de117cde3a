package models_test

import (
	"fmt"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/models"
)

// A network for images of 8x8 pixels in ten classes, from its configuration as a
// checkpoint's record has it.
func ExampleParseConfig() {
	config, err := models.ParseConfig("unet", []byte(`{"channels":1,"size":8,"num_channels":32,"num_res_blocks":1,"num_classes":10}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	network, err := config.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	x := torch.Zeros(append([]int64{3}, config.SampleShape()...), torch.Options{}) // [B,C,H,W]
	v := network.Velocity(x, torch.FromSlice([]float32{0, 0.5, 1}, 3), torch.FromSlice([]int64{0, 4, 9}, 3))
	fmt.Println(v.Shape(), models.Count(network), "parameters")
	// Output: [3 1 8 8] 652321 parameters
}

// The layers of a network for points, in the order in which they compute.
func ExampleSummary() {
	network, err := models.MLPConfig{HiddenDim: 16}.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	layers, err := models.Summary(network)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, l := range layers[:3] {
		fmt.Println(l.Name, l.Kind, l.Output, l.Parameters)
	}
	// Output:
	// layers.0 Linear [16] 64
	// layers.1 SiLU [16] 0
	// layers.2 Linear [16] 272
}
