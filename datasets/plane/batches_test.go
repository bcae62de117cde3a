package plane

import (
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	"flowmatch/datasets/set"
)

// Every batch has the points of the set's stream that are its own, wherever they begin,
// although they are drawn ahead; and nothing is left running.
func TestBatches(t *testing.T) {
	const size, steps, start = 5, 4, 3
	s, err := Open("pinwheel")
	if err != nil {
		t.Fatal(err)
	}
	want := make([]float32, 2*size*steps)
	s.Sample(want, 7, start*size)
	before := runtime.NumGoroutine()
	b, err := s.Batches(set.BatchConfig{Size: size, Seed: 7, Start: start})
	if err != nil {
		t.Fatal(err)
	}
	var got []float32
	for range steps {
		x, y, err := b.Next()
		if err != nil || y != nil || len(x) != 2*size {
			t.Fatalf("%v, %v, %v", x, y, err)
		}
		time.Sleep(time.Millisecond) // the next batch is drawn meanwhile
		got = append(got, x...)
	}
	if !slices.Equal(got, want) {
		t.Errorf("points %v, want %v", got, want)
	}
	b.Close()
	b.Close()
	for end := time.Now().Add(time.Minute); runtime.NumGoroutine() > before && time.Now().Before(end); {
		time.Sleep(time.Millisecond) // one that has said that it is done is counted for a moment more
	}
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines, %d before", n, before)
	}
}

// A Next that waits is ended by Close, and one afterwards fails.
func TestBatchesClose(t *testing.T) {
	entered, never := make(chan struct{}, 2), make(chan struct{})
	s := &Set{sample: func([]float32, uint64, int64) {
		entered <- struct{}{}
		<-never
	}}
	b, err := s.Batches(set.BatchConfig{Size: 1})
	if err != nil {
		t.Fatal(err)
	}
	<-entered
	ended := make(chan error)
	go func() {
		_, _, err := b.Next()
		ended <- err
	}()
	go b.Close()
	if err := <-ended; err == nil {
		t.Error("a batch that nobody drew")
	}
	close(never)
	b.Close()
}

// What goes wrong in the goroutine that draws is the caller's to hear.
func TestBatchesPanic(t *testing.T) {
	b, err := new(Set).Batches(set.BatchConfig{Size: 2}) // it has nothing to sample with
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var p *set.PanicError
	if _, _, err := b.Next(); !errors.As(err, &p) || len(p.Stack) == 0 {
		t.Errorf("error %v, want a PanicError", err)
	}
}

func TestBatchesRefuse(t *testing.T) {
	for _, c := range []set.BatchConfig{{}, {Size: -1}, {Size: 1, Start: -1}} {
		if _, err := new(Set).Batches(c); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}

// Points are the same however many cores draw them, and what goes wrong on one of those is
// heard, too.
func TestBatchesByCores(t *testing.T) {
	s, err := Open("moons")
	if err != nil {
		t.Fatal(err)
	}
	const n, first = 2100, 50
	want := make([]float32, 2*n)
	s.Sample(want, 3, first)
	for _, cores := range []int{0, 1, 2, 4, 100} {
		b := &batches{set: s, seed: 3, cores: cores, failed: make(chan error, 1)}
		got := make([]float32, len(want))
		if !b.fill(got, first) || !slices.Equal(got, want) {
			t.Errorf("%d cores draw other points", cores)
		}
		b.set = new(Set)
		if b.fill(got, first) || len(b.failed) != 1 {
			t.Errorf("%d cores fail, and nobody hears of it", cores)
		}
	}
}
