package trainer

import (
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/datasets"
	"flowmatch/datasets/plane"
)

// Every step gets the batch of a set that is its own, on the device and in the set's shape,
// wherever the run begins; and nothing is left running.
func TestData(t *testing.T) {
	const batch, steps, start = 5, 4, 3
	points, err := plane.Open("pinwheel")
	if err != nil {
		t.Fatal(err)
	}
	images, err := datasets.Digits()
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range []datasets.Set{points, images} {
		before := runtime.NumGoroutine()
		b, err := set.Batches(datasets.BatchConfig{Size: batch, Seed: 7, Start: start, HorizontalFlip: true})
		if err != nil {
			t.Fatal(err)
		}
		src, err := Data(set)(Config{BatchSize: batch, Seed: 7, HorizontalFlip: true}, torch.CPU, start)
		if err != nil {
			t.Fatal(err)
		}
		shape := []int64{batch}
		for _, n := range set.Describe().Shape {
			shape = append(shape, int64(n))
		}
		for k := range steps {
			x, y, err := b.Next()
			if err != nil {
				t.Fatal(err)
			}
			torch.Scoped(func() {
				got, err := src.Batch()
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Millisecond) // the next one is prepared meanwhile
				if s := got.X1.Shape(); !slices.Equal(s, shape) {
					t.Errorf("shape %v, want %v", s, shape)
				}
				if !slices.Equal(torch.ToSlice[float32](got.X1), x) {
					t.Errorf("%s: batch %d has other data", set.Describe().Name, k)
				}
				if (y == nil) != (got.Y.T == nil) || y != nil && !slices.Equal(torch.ToSlice[int64](got.Y), y) {
					t.Errorf("%s: batch %d has other labels than %v", set.Describe().Name, k, y)
				}
			})
		}
		b.Close()
		src.Close()
		src.Close()
		for end := time.Now().Add(time.Minute); runtime.NumGoroutine() > before && time.Now().Before(end); {
			time.Sleep(time.Millisecond) // one that has said that it is done is counted for a moment more
		}
		if n := runtime.NumGoroutine(); n > before {
			t.Errorf("%s: %d goroutines, %d before", set.Describe().Name, n, before)
		}
	}
}

// A set that cannot be dealt out, or whose batches fail, is told.
func TestDataFails(t *testing.T) {
	images, err := datasets.Digits()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Data(images)(Config{BatchSize: 2000}, torch.CPU, 0); err == nil {
		t.Error("a batch of more images than there are")
	}
	src, err := Data(new(plane.Set))(Config{BatchSize: 2}, torch.CPU, 0) // it has nothing to sample with
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	var p *datasets.PanicError
	if _, err := src.Batch(); !errors.As(err, &p) {
		t.Errorf("error %v, want a PanicError", err)
	}
}
