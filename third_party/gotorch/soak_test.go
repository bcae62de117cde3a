package gotorch

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// resident is the process's memory in the machine, in bytes.
func resident(t *testing.T) int64 {
	t.Helper()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// TestSoak takes 100,000 small training steps in scopes and 10,000 outside
// them: memory stays flat, and no thread is added. It takes minutes:
//
//	GOTORCH_SOAK=1 go test -run Soak -v -timeout 1h .
func TestSoak(t *testing.T) {
	if os.Getenv("GOTORCH_SOAK") != "1" {
		t.Skip("GOTORCH_SOAK=1 runs it")
	}
	w, b := RandN([]int64{4, 3}, true), Ones([]int64{4}, true)
	params := []Tensor{w, b}
	opt := NewAdamW(params, AdamWOptions{WeightDecay: 0.01})
	g := NewGenerator(CPU, 1)
	step := func() {
		x := RandNWith(g, []int64{16, 3}, Options{})
		y := RawLinear(x, w, b)
		loss := Mean(Square(Sub(y, Silu(y), 1)))
		ZeroGrad(params)
		loss.Backward()
		ClipGradNorm(params, 1)
		opt.Step(1e-4, AdamWGuards{})
	}
	soak := func(name string, warm, steps int, f func()) {
		stop := forceGC() // Go too has made its threads then
		for range warm {
			f()
		}
		stop()
		for range warm { // and as much is left to the collector as ever
			f()
		}
		tensors := settled()
		memory, threads, start := resident(t), osThreads(t), time.Now()
		for range steps {
			f()
		}
		took := time.Since(start) / time.Duration(steps)
		moreTensors := settled() - tensors
		grown, moreThreads := resident(t)-memory, osThreads(t)-threads
		t.Logf("%s: %d steps, %v each, memory %d KiB %+d KiB, %d threads %+d, tensors %+d", name, steps,
			took.Round(100*time.Nanosecond), memory>>10, grown>>10, threads, moreThreads, moreTensors)
		if grown > memory/50 {
			t.Errorf("%s: memory grew by %d KiB", name, grown>>10)
		}
		if moreThreads > 0 {
			t.Errorf("%s: %d threads more", name, moreThreads)
		}
		if moreTensors > 0 {
			t.Errorf("%s: %d tensors more", name, moreTensors)
		}
	}
	runtime.LockOSThread() // a goroutine that moves would make threads for itself
	defer runtime.UnlockOSThread()
	soak("in scopes", 10000, 100000, func() { Scoped(step) })
	soak("outside", 5000, 10000, step)
}
