package gotorch

import (
	"math"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"
)

func osThreads(t *testing.T) int {
	t.Helper()
	d, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Skip(err)
	}
	return len(d)
}

// forceGC collects without pause until the function returned is called.
func forceGC() (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			default:
				runtime.GC()
			}
		}
	}()
	return func() { close(done); <-ended }
}

// work trains a small layer of its own, in scopes or outside them, and says
// whether the loss went down.
func work(seed uint64, scoped bool) bool {
	g := NewGenerator(CPU, seed)
	w := RandNWith(g, []int64{4, 3}, Options{}).SetRequiresGrad(true)
	x := RandNWith(g, []int64{16, 3}, Options{})
	y := RandNWith(g, []int64{16, 4}, Options{})
	opt := NewAdamW([]Tensor{w}, AdamWOptions{})
	first, last := math.NaN(), math.NaN()
	step := func() {
		ZeroGrad([]Tensor{w})
		loss := Mean(Square(Sub(MatMul(x, Transpose(w, 0, 1)), y, 1)))
		loss.Backward()
		opt.Step(0.05, AdamWGuards{})
		var plain bool
		NoGrad(func() { plain = Square(loss).RequiresGrad() })
		if last = loss.ItemFloat(); plain {
			last = math.NaN()
		}
		_ = Keep(loss)
	}
	for i := range 60 {
		if scoped {
			Scoped(step)
		} else {
			step()
		}
		if i == 0 {
			first = last
		}
	}
	return last < 0.99*first
}

// Sixty-four goroutines work on tensors of their own while the collector runs
// all the time. Afterwards nothing is left, and the threads are as many as
// goroutines can be in C at once (64), twice with their OpenMP teams of two,
// and Go's own.
func TestManyGoroutines(t *testing.T) {
	CheckLeaks(t)
	before := settled()
	stop := forceGC()
	var wg sync.WaitGroup
	ok := make([]bool, 64)
	for i := range ok {
		wg.Go(func() { ok[i] = work(uint64(i), i%2 == 0) })
	}
	wg.Wait()
	stop()
	for i, good := range ok {
		if !good {
			t.Errorf("goroutine %d: the loss did not go down", i)
		}
	}
	if n := osThreads(t); n > 64*2+40 {
		t.Errorf("%d threads", n)
	}
	wantCollected(t, before)
}

// Tensors may be handed from goroutine to goroutine, and dropped anywhere.
func TestTensorsTravel(t *testing.T) {
	CheckLeaks(t)
	stop := forceGC()
	defer stop()
	c := make(chan Tensor)
	go func() {
		defer close(c)
		for i := range 500 {
			Scoped(func() { c <- Keep(Full([]int64{2}, float32(i), false)) })
		}
	}()
	want := 0.0
	for x := range c {
		if got := SumAll(x).ItemFloat(); got != 2*want {
			t.Fatalf("got %v, want %v", got, 2*want)
		}
		want++
	}
	if want != 500 {
		t.Errorf("%v tensors came", want)
	}
}

// Sooner or later threads come back: new ones are not made for ever.
func TestThreadsAreReused(t *testing.T) {
	burst := func() {
		var wg sync.WaitGroup
		for range 32 {
			wg.Go(func() {
				Scoped(func() { MatMul(Ones([]int64{200, 200}, false), Ones([]int64{200, 200}, false)) })
			})
		}
		wg.Wait()
	}
	for range 3 {
		burst()
	}
	before := osThreads(t)
	for range 20 {
		burst()
	}
	time.Sleep(10 * time.Millisecond)
	if after := osThreads(t); after > before+32 {
		t.Errorf("%d threads became %d", before, after)
	}
}
