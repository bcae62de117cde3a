package plane_test

import (
	"fmt"
	"math"

	"flowmatch/datasets/plane"
)

func ExampleOpen() {
	moons, err := plane.Open("moons")
	if err != nil {
		panic(err)
	}
	// The points of step 7 of a run with batches of 1024.
	points := make([]float32, 2*1024)
	moons.Sample(points, 42, 7*1024)

	// No model's mean negative log-likelihood is below the entropy.
	sum := 0.0
	for i := 0; i < len(points); i += 2 {
		log, _ := moons.LogDensity(float64(points[i]), float64(points[i+1]))
		sum -= log
	}
	entropy, known := moons.Entropy()
	fmt.Printf("%s: entropy %.4f nats (%v)\n", moons.Name, entropy, known)
	fmt.Println("the points agree:", math.Abs(sum/1024-entropy) < 0.15)
	// Output:
	// moons: entropy 0.2892 nats (true)
	// the points agree: true
}

func ExampleSquareAround() {
	fmt.Println(plane.SquareAround([]float32{0, 0, 10, 4}))
	// Output:
	// {-0.5 10.5 -3.5 7.5}
}
