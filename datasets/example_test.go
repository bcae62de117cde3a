package datasets_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"

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
	// true unknown dataset "mnits": did you mean mnist or kmnist or qmnist?
}

// A folder of pictures has a class for each of its sub-folders.
func ExampleOpen_folder() {
	dir, err := os.MkdirTemp("", "pets")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	for i, class := range []string{"cat", "dog"} {
		var file bytes.Buffer
		if err := png.Encode(&file, image.NewGray(image.Rect(0, 0, 300, 200))); err != nil {
			panic(err)
		}
		name := filepath.Join(dir, class, fmt.Sprintf("%d.png", i))
		if err := errors.Join(os.Mkdir(filepath.Dir(name), 0o755), os.WriteFile(name, file.Bytes(), 0o644)); err != nil {
			panic(err)
		}
	}
	pets, err := datasets.Open("folder:"+dir, datasets.Options{ImageSize: 32}) // grey, as all of them are
	if err != nil {
		panic(err)
	}
	fmt.Println(pets.Len(), "images of", pets.Shape, pets.ClassNames)
	// Output:
	// 2 images of [1 32 32] [cat dog]
}

// What a command does for a download.
func ExampleDownload() {
	fetch := func(ctx context.Context, name, dataDir string) error {
		if !datasets.Missing(name, dataDir) {
			return nil
		}
		return datasets.Download(ctx, name, dataDir, datasets.DownloadOptions{
			Progress: func(done, total int64) { fmt.Printf("%d of %d bytes\n", done, total) },
			Note:     func(line string) { fmt.Println("note:", line) },
		})
	}
	fmt.Println(datasets.Downloadable("cifar10"), datasets.Downloadable("digits"))
	fmt.Println(fetch(context.Background(), "digits", "data")) // nothing to fetch
	// Output:
	// true false
	// <nil>
}

func ExampleSlug() {
	fmt.Println(datasets.Slug("digits"))
	fmt.Println(datasets.Slug("image:pets/Cat.png"))
	// Output:
	// digits
	// image-cat
}

func ExampleLookup_kind() {
	for _, name := range []string{"spirals", "mnist", "points:ring.csv"} {
		info, err := datasets.Lookup(name)
		if err != nil {
			panic(err)
		}
		fmt.Println(info.Slug(), info.Is2D())
	}
	// Output:
	// spirals true
	// mnist false
	// points-ring true
}
