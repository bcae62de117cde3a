package gotorch

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func TestStats(t *testing.T) {
	collect()
	a := Stats()
	x := Empty([]int64{1 << 20}, false) // 4 MiB: a block of the cache
	b := Stats()
	if b.Live != a.Live+1 || b.Made != a.Made+1 {
		t.Errorf("live %d, made %d more", b.Live-a.Live, b.Made-a.Made)
	}
	if used := b.BytesUsed - a.BytesUsed; used < 4<<20 || used > 5<<20 {
		t.Errorf("4 MiB use %d bytes", used)
	}
	ResetPeak()
	y := Empty([]int64{1 << 20}, false)
	y.Close()
	if c := Stats(); c.BytesPeak-b.BytesUsed < 4<<20 || c.BytesUsed != b.BytesUsed {
		t.Errorf("peak %d, used %d, before %d", c.BytesPeak, c.BytesUsed, b.BytesUsed)
	}
	hits := Stats().CacheHits
	z := Empty([]int64{1 << 20}, false)
	if Stats().CacheHits != hits+1 {
		t.Error("a block that was given back is not used again")
	}
	z.Close()
	x.Close()
	if c := Stats(); c.BytesCached < 8<<20 {
		t.Errorf("%d bytes are cached", c.BytesCached)
	}
	EmptyCache()
	if c := Stats(); c.BytesCached != 0 || c.BytesUsed > a.BytesUsed {
		t.Errorf("after EmptyCache: %+v", c)
	}
}

func TestStatsRefuse(t *testing.T) {
	n := NumThreads()
	for _, f := range []func(){func() { SetNumThreads(0) }, func() { SetMemoryLimit(-1) }} {
		if err := Try(f); err == nil {
			t.Error("a number that makes no sense is no error")
		}
	}
	if NumThreads() != n {
		t.Errorf("%d threads, of %d before", NumThreads(), n)
	}
}

// Without the binding's allocator there is nobody to keep a limit.
func TestNoCache(t *testing.T) {
	got := strings.Split(child(t, "no cache", ""), "\n")
	if len(got) != 5 || got[0] != "ok" || !strings.Contains(got[1], "NoCache") || !strings.Contains(got[2], "NoCache") || got[3] != "ok" {
		t.Errorf("%q", got)
	}
}

// withLimit runs f with room for so many more bytes.
func withLimit(bytes int64, f func()) {
	collect()
	SetMemoryLimit(Stats().BytesUsed + bytes)
	defer SetMemoryLimit(0)
	f()
}

func TestMemoryLimit(t *testing.T) {
	var err error
	before := settled()
	withLimit(64<<20, func() {
		err = Try(func() {
			Scoped(func() {
				for range 100 {
					Empty([]int64{1 << 20}, false)
				}
			})
		})
	})
	var e *Error
	if !errors.As(err, &e) || !e.OutOfMemory {
		t.Fatalf("%v", err)
	}
	for _, part := range []string{"4096 KiB asked for", "MiB in use", "limit"} {
		if !strings.Contains(e.Msg, part) {
			t.Errorf("%q lacks %q", e.Msg, part)
		}
	}
	if n := live() - before; n > 0 {
		t.Errorf("%d tensors are left", n)
	}
	Scoped(func() { // and all goes on
		x := Ones([]int64{1 << 20}, true)
		SumAll(x).Backward()
		if MaxAll(x.Grad()).ItemFloat() != 1 {
			t.Error("the gradient is wrong")
		}
	})
}

// Tensors that nobody holds are collected before an operation gives up.
func TestMemoryIsReclaimedBeforeGivingUp(t *testing.T) {
	withLimit(64<<20, func() {
		for i := range 100 {
			if err := Try(func() { Empty([]int64{1 << 20}, false) }); err != nil {
				t.Fatalf("tensor %d: %v", i, err)
			}
		}
	})
}

// outOfAddresses takes 64 MiB at a time until the system gives no more, and
// then goes on with what it has. (Go and OpenMP need room for the stacks of
// their threads: they end the process if they find none.)
func outOfAddresses() {
	runtime.LockOSThread()
	work := func() { Scoped(func() { SumAll(Ones([]int64{4 << 20}, true)).Backward() }) }
	work() // OpenMP makes its threads now
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		report(err)
		return
	}
	pages, _ := strconv.ParseUint(strings.Fields(string(b))[0], 10, 64)
	limit := pages*uint64(os.Getpagesize()) + 500<<20
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
		report(err)
		return
	}
	err = Try(func() {
		Scoped(func() {
			for range 100 {
				Empty([]int64{16 << 20}, false)
			}
		})
	})
	var e *Error
	fmt.Println("typed:", errors.As(err, &e) && e.OutOfMemory)
	report(err)
	report(Try(work))
}

func TestAddressSpaceLimit(t *testing.T) {
	lines := strings.Split(child(t, "address space", "."), "\n")
	if len(lines) < 3 || lines[0] != "typed: true" || !strings.Contains(lines[1], "64 MiB asked for") || lines[2] != "ok" {
		t.Errorf("%q", lines)
	}
}
