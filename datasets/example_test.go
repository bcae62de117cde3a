package datasets_test

import (
	"errors"
	"fmt"

	"flowmatch/datasets"
)

func Example() {
	digits, err := datasets.Open("digits", datasets.Options{})
	if err != nil {
		panic(err)
	}
	loader, err := datasets.NewLoader(digits, datasets.LoaderConfig{BatchSize: 64, Seed: 42})
	if err != nil {
		panic(err)
	}
	defer loader.Close()

	batch, err := loader.Next()
	if err != nil {
		panic(err)
	}
	fmt.Println(digits.Len(), "images of", digits.Shape)
	fmt.Println(loader.StepsPerEpoch(), "steps an epoch")
	fmt.Println("step", batch.Step, "has", len(batch.X), "values and", len(batch.Y), "classes")
	batch.Release()
	// Output:
	// 1797 images of [1 8 8]
	// 28 steps an epoch
	// step 0 has 4096 values and 64 classes
}

func ExampleLookup() {
	info, err := datasets.Lookup("fashion-mnist")
	if err != nil {
		panic(err)
	}
	fmt.Println(info.Name, info.Shape, info.Levels, info.ClassNames[9])

	_, err = datasets.Lookup("mnits")
	var unknown *datasets.UnknownError
	fmt.Println(errors.As(err, &unknown), err)
	// Output:
	// fashion_mnist [1 28 28] 256 ankle boot
	// true unknown dataset "mnits": did you mean mnist?
}

func ExampleSlug() {
	fmt.Println(datasets.Slug("digits"))
	fmt.Println(datasets.Slug("image:pets/Cat.png"))
	// Output:
	// digits
	// image-cat
}
