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
//	go test -run '^$' -bench . -benchtime 1000x -count 5 .

const pieces = 100

// compare times loop, which runs ops operations on in n times, against the C++
// loop.
func compare(b *testing.B, what, ops int, in [3]Tensor, loop func(n int)) {
	b.ReportAllocs()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	SetNumThreads(1) // the other cores' wake-ups would be most of the noise
	defer SetNumThreads(2)
	NoGrad(func() {
		n := max(1, b.N/pieces)
		mine, cc := math.Inf(1), math.Inf(1)
		for range pieces {
			start := time.Now()
			loop(n)
			mine = min(mine, float64(time.Since(start))/float64(n*ops))
			b.StopTimer()
			Scoped(func() { cc = min(cc, benchCC(what, n, in[0], in[1], in[2])/float64(ops)) }) // with as many cores
			b.StartTimer()
		}
		b.ReportMetric(mine, "go-ns")
		b.ReportMetric(cc, "c++-ns")
		b.ReportMetric(mine-cc, "overhead-ns")
	})
}

func ones(shape ...int64) Tensor { return Ones(shape, false) }

const each = 256 // operations in one scope, or in one round without

func BenchmarkCall(b *testing.B) {
	x := ones(1, 1)
	compare(b, 0, 1, [3]Tensor{x}, func(n int) {
		for range n {
			x.Dim()
		}
	})
}

func inScope(b *testing.B, what int, in [3]Tensor, f func()) {
	compare(b, what, each, in, func(n int) {
		for range n {
			Scoped(func() {
				for range each {
					f()
				}
			})
		}
	})
}

// BenchmarkScope is scopes of 256 adds of 1x1 tensors.
func BenchmarkScope(b *testing.B) {
	x, y := ones(1, 1), ones(1, 1)
	inScope(b, 3, [3]Tensor{x, y}, func() { Add(x, y, 1) })
}

// BenchmarkScopeLinear is scopes of 256 linear layers, 64 to 64.
func BenchmarkScopeLinear(b *testing.B) {
	x, w, bias := ones(1, 64), ones(64, 64), ones(64)
	inScope(b, 2, [3]Tensor{x, w, bias}, func() { RawLinear(x, w, bias) })
}

// BenchmarkClose closes every result at once.
func BenchmarkClose(b *testing.B) {
	x, y := ones(1, 1), ones(1, 1)
	compare(b, 1, 1, [3]Tensor{x, y}, func(n int) {
		for range n {
			Add(x, y, 1).Close()
		}
	})
}

// BenchmarkCollect leaves the results to the garbage collector.
func BenchmarkCollect(b *testing.B) {
	x, y := ones(1, 1), ones(1, 1)
	compare(b, 1, 1, [3]Tensor{x, y}, func(n int) {
		for range n {
			Add(x, y, 1)
		}
	})
}
