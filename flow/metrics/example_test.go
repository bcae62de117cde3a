package metrics_test

import (
	"fmt"

	"flowmatch/flow/metrics"
)

// Samples that lie one further along the only axis are one apart.
func ExampleSlicedW2() {
	d, err := metrics.SlicedW2([]float32{0, 1, 2}, []float32{3, 1, 2}, 1, 128, 42)
	fmt.Println(d, err)
	// Output: 1 <nil>
}

// A density that is uniform over 256 levels costs 8 bits a value.
func ExampleBitsPerDim() {
	bits, _ := metrics.BitsPerDim([]float64{-0.6970585}, 1, 256) // -ln(2 * 256/255)
	fmt.Printf("%.3f\n", bits)
	// Output: 8.000
}
