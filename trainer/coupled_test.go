package trainer

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/datasets"
	"flowmatch/datasets/plane"
	"flowmatch/flow"
)

// Every batch is what the source gives without a coupling, with the noise of its
// own number in the nearest order, wherever the run begins; and nothing is left
// running.
func TestCoupledSources(t *testing.T) {
	images, err := datasets.Digits()
	if err != nil {
		t.Fatal(err)
	}
	set, err := plane.Open("moons")
	if err != nil {
		t.Fatal(err)
	}
	const start, steps = 2, 5
	alone := Config{BatchSize: 16, Seed: 7, HorizontalFlip: true}
	both := alone
	both.Coupling = "ot"
	for name, open := range map[string]func(Config) (Source, error){
		"images": func(c Config) (Source, error) { return Data(images)(c, torch.CPU, start) },
		"points": func(c Config) (Source, error) { return Data(set)(c, torch.CPU, start) },
	} {
		before := runtime.NumGoroutine()
		var data, pairs []Batch
		torch.Scoped(func() {
			for _, into := range []struct {
				c  Config
				to *[]Batch
			}{{alone, &data}, {both, &pairs}} {
				s, err := open(into.c)
				if err != nil {
					t.Fatal(err)
				}
				for range steps {
					b, err := s.Batch()
					if err != nil {
						t.Fatal(err)
					}
					*into.to = append(*into.to, b)
				}
				s.Close()
				s.Close()
			}
			for k, b := range pairs {
				x0, x1 := torch.ToSlice[float32](b.X0), torch.ToSlice[float32](b.X1)
				if !slices.Equal(x1, torch.ToSlice[float32](data[k].X1)) {
					t.Fatalf("%s: batch %d has other data", name, k)
				}
				var y []int64
				if b.Y.T != nil {
					if y = torch.ToSlice[int64](b.Y); !slices.Equal(y, torch.ToSlice[int64](data[k].Y)) {
						t.Fatalf("%s: batch %d has other labels", name, k)
					}
				}
				dim := len(x1) / both.BatchSize
				noise := make([]float32, len(x1))
				for i := range both.BatchSize {
					flow.Noise(noise[i*dim:(i+1)*dim], int64(flow.Mix(7, drawCoupled)>>1), int64((start+k)*both.BatchSize+i))
				}
				for i, j := range (flow.MinibatchOT{}).Pair(noise, x1, both.BatchSize, y) {
					if !slices.Equal(x0[i*dim:(i+1)*dim], noise[int(j)*dim:][:dim]) {
						t.Fatalf("%s: noise %d of batch %d is another", name, i, k)
					}
				}
			}
		})
		for end := time.Now().Add(time.Minute); runtime.NumGoroutine() > before && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		if n := runtime.NumGoroutine(); n > before {
			t.Errorf("%s: %d goroutines, %d before", name, n, before)
		}
	}
}

// What goes wrong ahead of a step is told at that step.
func TestCoupledSourceFails(t *testing.T) {
	broken := errors.New("the disk is gone")
	s := newCoupled(Config{}, flow.MinibatchOT{}, []int64{1, 2}, torch.CPU, 0, &fewPoints{left: 2, err: broken})
	defer s.Close()
	torch.Scoped(func() {
		for k := range 3 {
			if _, err := s.Batch(); (err != nil) != (k == 2) || k == 2 && err != broken {
				t.Errorf("batch %d: %v", k, err)
			}
		}
	})
	p, err := Data(new(plane.Set))(Config{BatchSize: 2, Coupling: "ot"}, torch.CPU, 0) // it has nothing to sample with
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var panicked *datasets.PanicError
	if _, err := p.Batch(); !errors.As(err, &panicked) {
		t.Errorf("%v", err)
	}
}

// fewPoints are batches of one point, of which there are some left, and then an error.
type fewPoints struct {
	left int
	err  error
}

func (e *fewPoints) Next() ([]float32, []int64, error) {
	if e.left--; e.left < 0 {
		return nil, nil, e.err
	}
	return make([]float32, 2), nil, nil
}

func (e *fewPoints) Waited() time.Duration { return 0 }
func (e *fewPoints) Close()                {}

// Stopped and gone on with, a coupled run gives the same files.
func TestCoupledResume(t *testing.T) {
	c := config(12)
	c.Coupling, c.Accumulate, c.BatchSize = "ot", 2, 32
	once, twice := t.TempDir(), t.TempDir()
	if _, err := planeRun(t, c, once).Train(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	r := planeRun(t, c, twice)
	r.MaxSteps = 5
	if _, err := r.Train(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	r.Folder.Close()
	s, _, _, err := Newest(twice)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := planeRun(t, c, twice).Train(context.Background(), s); err != nil {
		t.Fatal(err)
	}
	sameFiles(t, once, twice)
}
