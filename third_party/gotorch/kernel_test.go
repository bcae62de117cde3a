package gotorch

import (
	"errors"
	"os"
	"os/exec"
	"testing"
)

// What the tests of our own kernels share.

// off is |got - want| / |want|, or next to nothing where want is that, as the
// gradient of a shift is where each channel is a group.
func off(got, want, all Tensor) float64 {
	size := max(Norm(want).ItemFloat(), 0.1*Norm(all).ItemFloat())
	return Norm(Sub(got, want, 1)).ItemFloat() / size
}

// everyAllocationFails fails each allocation of f in turn, of which there are
// least or more: each time f panics with what says so.
func everyAllocationFails(t *testing.T, least int64, f func()) {
	t.Helper()
	defer FailAllocations(0, 0)
	for at := int64(1); ; at++ {
		var err error
		Scoped(func() {
			FailAllocations(at, 2)
			err = typed(f)
		})
		left := Stats().Faults
		FailAllocations(0, 0)
		if left == 2 && err == nil {
			if at <= least {
				t.Errorf("only %d allocations", at-1)
			}
			return
		}
		var e *Error
		if !errors.As(err, &e) || !e.OutOfMemory {
			t.Fatalf("allocation %d: %v", at, err)
		}
	}
}

// onLesserProcessors runs the tests that pattern names once more with libtorch
// restricted to lesser processors (the first one without AMX), whose loops compute
// the same. (A child without
// AVX2 at all tells as much of the last kind as this machine can.) kinds: others.
func onLesserProcessors(t *testing.T, pattern string, kinds ...string) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range append(kinds, "ONEDNN_MAX_CPU_ISA=AVX512_CORE_BF16", "ATEN_CPU_CAPABILITY=avx2", "ATEN_CPU_CAPABILITY=default") {
		cmd := exec.Command(exe, "-test.run="+pattern)
		cmd.Env = append(os.Environ(), kind)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", kind, err, out)
		}
	}
}

// The loops run on all cores that a scope has: a thread that computes for the
// first time gets a team.
func TestKernelThreadsAreUsed(t *testing.T) {
	before := NumThreads()
	defer SetNumThreads(int32(before))
	const cores = 7 // more than any other test asks for, so that no thread has so many yet
	SetNumThreads(cores)
	threads := func() int {
		all, err := os.ReadDir("/proc/self/task")
		if err != nil {
			t.Skip(err)
		}
		return len(all)
	}
	x, bias := Ones([]int64{4096, 64}, false), Ones([]int64{64}, false)
	var grown int
	Scoped(func() {
		NoGrad(func() {
			RawBiasSiluI(Narrow(x, 0, 0, 1), bias)
			n := threads()
			RawBiasSiluI(x, bias)
			grown = threads() - n
		})
	})
	if grown < 1 {
		t.Error("one thread does all")
	}
}
