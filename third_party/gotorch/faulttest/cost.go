package faulttest

import (
	"runtime"
	"syscall"
	"testing"
	"time"
)

// What reading a file may cost, however it was made.
const (
	costFixed = 64 << 20 // bytes, beside twice the file's own size
	costTime  = time.Second
)

// Bounded wants reading a file of so many bytes to allocate, with all that is freed on the way, at most 64 MiB and twice the
// file, and to take a second of the processor's time at most. Where the machine is busy it is given further tries.
func Bounded(t testing.TB, what string, size int, read func()) {
	t.Helper()
	var took time.Duration
	var used uint64
	for range 3 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := processorTime(t)
		read()
		took = processorTime(t) - start
		runtime.ReadMemStats(&after)
		used = after.TotalAlloc - before.TotalAlloc
		if took <= costTime {
			break
		}
	}
	t.Logf("%s: %d KiB allocated for %d KiB, %v", what, used>>10, size>>10, took.Round(time.Millisecond))
	if used > costFixed+2*uint64(size) {
		t.Errorf("%s: %d bytes were allocated for a file of %d", what, used, size)
	}
	if took > costTime && !testing.Short() { // which the race detector runs with
		t.Errorf("%s: %v for a file of %d bytes", what, took, size)
	}
}

func processorTime(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
