package gotorch

import (
	"math"
	"runtime"
	"testing"
	"time"
)

// What the binding adds to libtorch. Each benchmark runs its loop and the same
// in C++ (cgotorch/bench.cc) by turns, in short pieces, and compares the
// fastest of both, so that other programs disturb little:
//
//	go test -run '^$' -bench . -benchtime 1000000x .

const pieces = 25

// compare times loop, which runs ops operations n times, against the C++ loop.
func compare(b *testing.B, what, ops int, loop func(n int)) {
	b.ReportAllocs()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	NoGrad(func() {
		n := max(1, b.N/pieces)
		loop(min(n, 1000)) // warm
		mine, cc := math.Inf(1), math.Inf(1)
		b.ResetTimer()
		for range pieces {
			start := time.Now()
			loop(n)
			mine = min(mine, float64(time.Since(start))/float64(n*ops))
			b.StopTimer()
			cc = min(cc, benchCC(what, n)/float64(ops))
			b.StartTimer()
		}
		b.ReportMetric(mine, "go-ns")
		b.ReportMetric(cc, "c++-ns")
		b.ReportMetric(mine-cc, "overhead-ns")
	})
}

func ones(shape ...int64) Tensor { return Ones(shape, false) }

// inScopes runs f n times, 256 to a scope.
func inScopes(n int, f func()) {
	for ; n > 0; n -= 256 {
		Scoped(func() {
			for range min(n, 256) {
				f()
			}
		})
	}
}

func BenchmarkCall(b *testing.B) {
	x := ones(1, 1)
	compare(b, 0, 1, func(n int) {
		for range n {
			x.Dim()
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	x, y := ones(1, 1), ones(1, 1)
	compare(b, 1, 1, func(n int) { inScopes(n, func() { Add(x, y, 1) }) })
}

func BenchmarkAddClose(b *testing.B) {
	x, y := ones(1, 1), ones(1, 1)
	compare(b, 1, 1, func(n int) {
		for range n {
			Add(x, y, 1).Close()
		}
	})
}

// BenchmarkAddCollected leaves the results to the garbage collector.
func BenchmarkAddCollected(b *testing.B) {
	x, y := ones(1, 1), ones(1, 1)
	compare(b, 1, 1, func(n int) {
		for range n {
			Add(x, y, 1)
		}
	})
}

func BenchmarkLinear(b *testing.B) {
	x, w, bias := ones(1, 64), ones(64, 64), ones(64)
	compare(b, 2, 1, func(n int) { inScopes(n, func() { RawLinear(x, w, bias) }) })
}

// BenchmarkScope is whole scopes with 256 tensors, by tensor.
func BenchmarkScope(b *testing.B) {
	x, y := ones(1, 1), ones(1, 1)
	compare(b, 3, 256, func(n int) {
		for range n {
			Scoped(func() {
				for range 256 {
					Add(x, y, 1)
				}
			})
		}
	})
}
