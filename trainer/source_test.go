package trainer

import (
	"runtime"
	"slices"
	"testing"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/datasets"
	"flowmatch/datasets/plane"
)

// Every step gets the points of the set's stream that are its own, wherever the
// run begins, although they are drawn ahead; and nothing is left running.
func TestPoints(t *testing.T) {
	const batch, steps, start = 5, 4, 3
	set, err := plane.Open("pinwheel")
	if err != nil {
		t.Fatal(err)
	}
	want := make([]float32, 2*batch*steps)
	set.Sample(want, 7, start*batch)
	before := runtime.NumGoroutine()
	src := newPointSource(set, Config{BatchSize: batch, Seed: 7}, torch.CPU, start)
	var got []float32
	for range steps {
		torch.Scoped(func() {
			b, err := src.Batch()
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond) // the next batch is drawn over this one's slice
			if s := b.X1.Shape(); !slices.Equal(s, []int64{batch, 2}) {
				t.Errorf("shape %v", s)
			}
			got = append(got, torch.ToSlice[float32](b.X1)...)
		})
	}
	if !slices.Equal(got, want) {
		t.Errorf("points %v, want %v", got, want)
	}
	src.Close()
	src.Close()
	for end := time.Now().Add(time.Second); runtime.NumGoroutine() > before && time.Now().Before(end); {
		time.Sleep(time.Millisecond) // one that has said that it is done is counted for a moment more
	}
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines, %d before", n, before)
	}
}

// What goes wrong in the goroutine that draws is the caller's to hear.
func TestPointsPanic(t *testing.T) {
	src := newPointSource(new(plane.Set), Config{BatchSize: 2}, torch.CPU, 0) // it has nothing to sample with
	defer src.Close()
	_, err := src.Batch()
	if _, ok := err.(*datasets.PanicError); !ok {
		t.Errorf("error %v, want a PanicError", err)
	}
}
