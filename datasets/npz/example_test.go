package npz_test

import (
	"bytes"
	"fmt"

	"flowmatch/datasets/npz"
)

// Two samples of a 2D set, with the noise that they came from. In Python:
// numpy.load("samples.npz")["x0"].
func Example() {
	var file bytes.Buffer
	err := npz.WriteSamples(&file, &npz.Samples{
		Shape: []int{2},
		X:     []float32{0.5, 1.5, -1, 2},
		X0:    []float32{0.1, 0.2, 0.3, 0.4},
	})
	if err != nil {
		panic(err)
	}
	back, err := npz.ReadSamples(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		panic(err)
	}
	fmt.Println(back.Len(), "samples of", back.Shape, back.X, back.X0)
	// Output:
	// 2 samples of [2] [0.5 1.5 -1 2] [0.1 0.2 0.3 0.4]
}
