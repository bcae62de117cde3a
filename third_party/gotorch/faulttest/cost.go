package faulttest

import (
	"runtime"
	"syscall"
	"testing"
	"time"
)

// costFixed is what reading a file may allocate, beside twice the file's own size, however it was made.
const costFixed = 64 << 20

// Bounded wants reading a file of so many bytes to allocate, with all that is freed on the way, at most 64 MiB and twice the
// file. The processor's time is told, and decides nothing.
func Bounded(t testing.TB, what string, size int, read func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := processorTime(t)
	read()
	took := processorTime(t) - start
	runtime.ReadMemStats(&after)
	used := after.TotalAlloc - before.TotalAlloc
	t.Logf("%s: %d KiB allocated for %d KiB, %v", what, used>>10, size>>10, took.Round(time.Millisecond))
	if used > costFixed+2*uint64(size) {
		t.Errorf("%s: %d bytes were allocated for a file of %d", what, used, size)
	}
}

// Measures skips a test of costs under the race detector, which allocates, too, and is ten times slower.
func Measures(t testing.TB) {
	t.Helper()
	if raceDetector {
		t.Skip("the race detector allocates, too")
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
