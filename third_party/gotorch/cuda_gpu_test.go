package gotorch

import (
	"math"
	"testing"
)

// These run on a machine with a GPU, by scripts/gpu-check.
func needGPU(t *testing.T) Device {
	t.Helper()
	if ok, why := CUDAStatus(); !ok {
		t.Skipf("there is no GPU to test with: %s", why)
	}
	return NewDevice("cuda")
}

func TestCUDAMatMul(t *testing.T) {
	d := needGPU(t)
	AllowTF32(false)
	Scoped(func() {
		a, b := RandN([]int64{64, 128}, false), RandN([]int64{128, 32}, false)
		want := ToSlice[float32](MM(a, b))
		got := ToSlice[float32](MM(a.To(d), b.To(d)))
		for i := range want {
			// Sums of 128 products of float32 in another order.
			if math.Abs(float64(want[i]-got[i])) > 1e-4 {
				t.Fatalf("element %d: %v on the GPU, %v on the processor", i, got[i], want[i])
			}
		}
	})
	if in := CUDADeviceInfo(d); in.Total <= 0 || in.Name == "" || in.AllocatedPeak <= 0 {
		t.Errorf("%+v", in)
	}
}

func TestCUDAPinnedCopyAndEvents(t *testing.T) {
	d := needGPU(t)
	Scoped(func() {
		s := NewCUDAStream(d)
		defer s.Close()
		before := GetCurrentCUDAStream(d)
		defer before.Close()
		SetCurrentCUDAStream(s)
		defer SetCurrentCUDAStream(before)
		start, end := NewCUDAEvent(true), NewCUDAEvent(true)
		start.Record(s)
		x := Ones([]int64{1 << 20}, false).PinMemory().ToAsync(d)
		x.MulScalarI(2)
		end.Record(s)
		end.Synchronize()
		if ms := start.Elapsed(end); !(ms > 0 && ms < 10000) {
			t.Errorf("%v ms", ms)
		}
		if !s.Query() {
			t.Error("the stream is still at work after its last event")
		}
		if got := SumAll(x).ItemFloat(); got != 2<<20 {
			t.Errorf("sum %v", got)
		}
	})
}

func TestCUDACapture(t *testing.T) {
	d := needGPU(t)
	Scoped(func() {
		s := NewCUDAStream(d)
		defer s.Close()
		before := GetCurrentCUDAStream(d)
		defer before.Close()
		SetCurrentCUDAStream(s)
		defer SetCurrentCUDAStream(before)
		x := Ones([]int64{8}, false).To(d)
		x.MulScalarI(1) // what is allocated at first use must not be captured
		Synchronize(d)
		g := Capture(nil, func() { x.MulScalarI(3) })
		for range 4 {
			g.Replay()
		}
		Synchronize(d)
		if got := x.Mean().ItemFloat(); got != 81 {
			t.Errorf("after four replays %v, want 81", got)
		}
	})
}

func TestCUDAGenerator(t *testing.T) {
	d := needGPU(t)
	Scoped(func() {
		g := NewGenerator(d, 5)
		a := RandNWith(g, []int64{1000}, Options{Device: d})
		g.Seed(5)
		b := RandNWith(g, []int64{1000}, Options{Device: d})
		if !Equal(a, b) {
			t.Error("equal seeds gave other numbers")
		}
	})
}
